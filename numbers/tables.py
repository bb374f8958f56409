"""The columns of the list of numbers, and which of them each kind of account sees."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account
from portal.pages import columns_of


class PhoneNumberTable(tables.Table):
    """The headings of the list, in order. Rows are drawn by one template loop, ten times as fast as cell by cell."""

    number = tables.Column(_("Number"))
    used_by = tables.Column(_("Used by"))
    company = tables.Column(_("Company"))
    reserved_for = tables.Column(_("Reserved for"))
    var = tables.Column(_("VAR"))
    use = tables.Column(_("Use"))
    provider = tables.Column(_("Provider"))
    status = tables.Column(_("Status"))

    #: What each kind of account does not see: a column that would be the same in every row, or is not theirs to know.
    HIDDEN = {
        Account.Kind.SYSTEM: {"reserved_for"},
        Account.Kind.VAR: {"var"},
        Account.Kind.COMPANY: {"company", "var", "reserved_for"},
        Account.Kind.PROFESSIONAL: {"company", "var", "reserved_for"},
    }


class OptionsTable(tables.Table):
    """What an import takes besides, and an export of the list can have behind its columns."""

    label = tables.Column(_("Label"))
    caller_name = tables.Column(_("Caller name"))
    voice = tables.Column(_("Voice"))
    sms = tables.Column(_("SMS"))
    fax = tables.Column(_("Fax"))


class DestinationTable(tables.Table):
    """What a customer's numbers ring."""

    name = tables.Column(_("Name"))
    use = tables.Column(_("Use"))
    extension = tables.Column(_("Extension"))
    numbers = tables.Column(_("Numbers"))


class SystemTable(tables.Table):
    """The phone systems that tell of calls."""

    name = tables.Column(_("Name"))
    state = tables.Column(_("State"))
    heard = tables.Column(_("Last heard"))
    calls = tables.Column(_("Calls"))
    unknown = tables.Column(_("Other numbers"))
    by = tables.Column(_("Added by"))


class RunTable(tables.Table):
    """Free numbers that follow one another."""

    first = tables.Column(_("First"))
    last = tables.Column(_("Last"))
    length = tables.Column(_("Numbers"))
    var = tables.Column(_("VAR"))


class JobTable(tables.Table):
    """What was done to many numbers at once."""

    as_of = tables.Column(_("When"))
    what = tables.Column(_("What"))
    who = tables.Column(_("Who"))
    total = tables.Column(_("Numbers"))
    done = tables.Column(_("Done"))
    refused = tables.Column(_("Refused"))
    state = tables.Column(_("State"))


class JobItemTable(tables.Table):
    """The numbers of a job, with what became of each."""

    number = tables.Column(_("Number"))
    outcome = tables.Column(_("Outcome"))
    reason = tables.Column(_("Reason"))


class OrderTable(tables.Table):
    """What customers have ordered."""

    order = tables.Column(_("Order"))
    ordered = tables.Column(_("When"))
    company = tables.Column(_("Company"))
    who = tables.Column(_("Who"))
    total = tables.Column(_("Numbers"))
    active = tables.Column(_("Delivered"))
    failed = tables.Column(_("Failed"))
    state = tables.Column(_("State"))


class OrderLineTable(tables.Table):
    """The numbers of an order, with what became of each."""

    number = tables.Column(_("Number"))
    provider = tables.Column(_("Provider"))
    price = tables.Column(_("Price"))
    outcome = tables.Column(_("Outcome"))
    reason = tables.Column(_("Reason"))


class ReleaseTable(tables.Table):
    """What a VAR has given up, and what its carriers have done."""

    number = tables.Column(_("Number"))
    provider = tables.Column(_("Provider"))
    when = tables.Column(_("When"))
    who = tables.Column(_("Who"))
    state = tables.Column(_("State"))
    reason = tables.Column(_("Reason"))


class ImportTable(tables.Table):
    """The files that were imported."""

    as_of = tables.Column(_("When"))
    file = tables.Column(_("File"))
    who = tables.Column(_("Who"))
    total = tables.Column(_("Lines"))
    done = tables.Column(_("Done"))
    refused = tables.Column(_("Refused"))
    state = tables.Column(_("State"))


class ImportRowTable(tables.Table):
    """The lines of a file, with what each means and what became of it."""

    line = tables.Column(_("Line"))
    number = tables.Column(_("Number"))
    verdict = tables.Column(_("Verdict"))
    column = tables.Column(_("Column"))
    reason = tables.Column(_("Reason"))
    original = tables.Column(_("Original"))


class LevelTable(tables.Table):
    """The levels below which a VAR is told of its stock."""

    prefix = tables.Column(_("Numbers that begin with"))
    least = tables.Column(_("Minimum"))
    available = tables.Column(_("Available"))
    state = tables.Column(_("State"))


def options_columns(actor: Actor) -> dict[str, str]:
    return columns_of(OptionsTable)


def level_columns(actor: Actor) -> dict[str, str]:
    return columns_of(LevelTable)


def order_columns(actor: Actor) -> dict[str, str]:
    return columns_of(OrderTable, {"company"} if actor.account.is_customer else ())


def order_line_columns(actor: Actor) -> dict[str, str]:
    return columns_of(OrderLineTable)


def release_columns(actor: Actor) -> dict[str, str]:
    return columns_of(ReleaseTable)


def import_columns(actor: Actor) -> dict[str, str]:
    return columns_of(ImportTable)


def import_row_columns(actor: Actor) -> dict[str, str]:
    return columns_of(ImportRowTable)


def job_columns(actor: Actor) -> dict[str, str]:
    return columns_of(JobTable)


def job_item_columns(actor: Actor) -> dict[str, str]:
    return columns_of(JobItemTable)


def destination_columns(actor: Actor) -> dict[str, str]:
    return columns_of(DestinationTable)


def system_columns(actor: Actor) -> dict[str, str]:
    return columns_of(SystemTable)


def run_columns(actor: Actor) -> dict[str, str]:
    return columns_of(RunTable, () if actor.account.kind == Account.Kind.SYSTEM else {"var"})


def columns_for(actor: Actor) -> dict[str, str]:
    """The names of the columns that the actor's view has, with their headings, in order."""
    return columns_of(PhoneNumberTable, PhoneNumberTable.HIDDEN[actor.account.kind])
