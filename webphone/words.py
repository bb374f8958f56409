"""Calls in words."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from webphone.models import Call

State, Outcome, Mode = Call.State, Call.Outcome, Call.Mode


def state_words(call: Call, written: Callable[[str], str], own: str) -> str:
    """How a call stands, as one sentence. ``written`` writes numbers as the person reads them, ``own`` is what their
    telephone that rings is called."""
    other = shown(call.number, written)
    if call.is_over:
        return outcome_words(call, other, own)
    if call.mode == Mode.CODE and call.state == State.ANSWERED_YOU:
        return _("You answered. Type the code on your telephone.")
    return {
        State.PLACED: _("Calling %(own)s …") % {"own": own} if own else _("Calling %(other)s …") % {"other": other},
        State.RINGING_YOU: _("Ringing %(own)s …") % {"own": own},
        State.ANSWERED_YOU: _("You answered. Calling %(other)s …") % {"other": other},
        State.RINGING: _("Ringing %(other)s …") % {"other": other},
        State.TALKING: _("Connected with %(other)s") % {"other": other},
    }[call.state]


def outcome_words(call: Call, other: str, own: str) -> str:
    """How a call has ended, as one sentence."""
    return {
        Outcome.ANSWERED: _("The call has ended."),
        Outcome.BUSY: _("%(other)s is busy.") % {"other": other},
        Outcome.NO_ANSWER: _("%(other)s does not answer.") % {"other": other},
        Outcome.CANCELLED: _("The call was cancelled."),
        Outcome.NOT_YOU: _("%(own)s did not answer. %(other)s was not called.") % {"own": own, "other": other},
        Outcome.YOUR_BUSY: _("%(own)s is busy. %(other)s was not called.") % {"own": own, "other": other},
        Outcome.UNREACHABLE: _("%(other)s cannot be reached.") % {"other": other},
        Outcome.FAILED: _("The call could not be made. Try again, or call with this device."),
        Outcome.UNKNOWN: _("It is not known how the call ended."),
    }[call.outcome]


def shown(number: str, written: Callable[[str], str]) -> str:
    """A number or an extension for people."""
    return written(number) if number.startswith("+") else number
