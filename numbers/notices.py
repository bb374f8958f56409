"""The kinds of notices about numbers: orders, work, holds, the stock, and carriers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.notices import DAILY, ONCE, Kind, register
from portal import texts
from portal.pages import plain, url_of

Facts = Mapping[str, Any]


def of_waiting(facts: Facts, count: int) -> str:
    if facts["wish"]:
        return _("%(customer)s requests numbers: %(wish)s") % facts
    said = ngettext(
        "Order %(order)s of %(customer)s waits for your approval: %(total)s number.",
        "Order %(order)s of %(customer)s waits for your approval: %(total)s numbers.",
        facts["total"],
    )
    return said % facts


def of_end(facts: Facts, count: int) -> str:
    if facts["state"] == "refused":
        return _("Order %(order)s of %(customer)s was refused: %(reason)s") % facts
    if facts["state"] == "cancelled":
        return _("Order %(order)s of %(customer)s was cancelled.") % facts
    if facts["active"] == facts["total"]:
        return _("Order %(order)s of %(customer)s is delivered: %(total)s.") % facts
    return _("Order %(order)s of %(customer)s has ended: %(active)s of %(total)s delivered, %(failed)s failed.") % facts


def of_order(code: str, facts: Facts) -> str:
    return reverse("orders:order", args=[code, facts["order"]])


def lines_of_order(facts: Facts, written: Callable[[str], str]) -> Iterable[str]:
    if facts.get("note"):
        yield _("Their note: “%(note)s”") % {"note": texts.in_mail(facts["note"], 300)}
    for e164, state, reason in facts["lines"]:
        yield f"{written(e164)}  {state}" + (f": “{texts.in_mail(reason, 500)}”" if reason else "")


def of_work(facts: Facts, count: int) -> str:
    if facts["state"] == "draft":
        said = _("The file %(name)s is checked: %(total)s lines, %(refused)s refused. Look at it, and apply it.")
    elif facts["state"] == "stopped":
        said = _("%(name)s has stopped: %(done)s of %(total)s done. %(problem)s")
    elif facts.get("without_change"):  # notices of before have no such fact
        said = _("%(name)s has ended and nothing was changed: %(refused)s of %(total)s refused.")
    elif facts["refused"]:
        said = _("%(name)s has ended: %(done)s of %(total)s done, %(refused)s refused.")
    else:
        said = _("%(name)s has ended: %(done)s of %(total)s done.")
    return said % {**facts, **{part: plain(facts[part]) for part in ("total", "done", "refused")}}


def of_work_page(code: str, facts: Facts) -> str:
    return reverse(f"numbers:{facts['page']}", args=[code, facts["work"]])


def of_holds(facts: Facts, count: int) -> str:
    reserved = ngettext(
        "%(count)s reservation ends within two days.",
        "%(count)s reservations end within two days.",
        facts["reserved"],
    ) % {"count": plain(facts["reserved"])}
    cooling = ngettext(
        "%(count)s number ends cooling within two days.",
        "%(count)s numbers end cooling within two days.",
        facts["cooling"],
    ) % {"count": plain(facts["cooling"])}
    return " ".join([reserved] * bool(facts["reserved"]) + [cooling] * bool(facts["cooling"]))


def of_held_numbers(code: str, facts: Facts) -> str:
    return f"{url_of('numbers:list', code)}?filter={'reserved' if facts['reserved'] else 'cooling'}"


def of_stock(facts: Facts, count: int) -> str:
    if not facts["left"]:
        return _("No number that begins with %(prefix)s is available. Your minimum is %(least)s.") % {
            **facts,
            "least": plain(facts["least"]),
        }
    said = ngettext(
        "%(left)s number that begins with %(prefix)s is available. Your minimum is %(least)s.",
        "%(left)s numbers that begin with %(prefix)s are available. Your minimum is %(least)s.",
        facts["left"],
    )
    return said % {**facts, "left": plain(facts["left"]), "least": plain(facts["least"])}


def of_carrier(facts: Facts, count: int) -> str:
    said = {
        "order": ngettext(
            "%(provider)s has not delivered %(count)s number: %(reason)s",
            "%(provider)s has not delivered %(count)s numbers, the last one: %(reason)s",
            count,
        ),
        "release": ngettext(
            "%(provider)s has not released %(count)s number: %(reason)s",
            "%(provider)s has not released %(count)s numbers, the last one: %(reason)s",
            count,
        ),
        "routing": ngettext(
            "%(provider)s does not route calls of %(count)s number: %(reason)s",
            "%(provider)s does not route calls of %(count)s numbers, the last one: %(reason)s",
            count,
        ),
    }[facts["part"]]
    return said % {**facts, "count": plain(count)}


def of_carriers_page(code: str, facts: Facts) -> str:
    return (
        f"{url_of('numbers:released', code)}?filter=failed"
        if facts["part"] == "release"
        else url_of("orders:list", code)
    )


register(
    {
        "order_waiting": Kind(
            gettext_lazy("Orders waiting for approval"), "orders.approve", of_waiting, of_order, ONCE,
            lines_of_order,
        ),
        "order_ended": Kind(
            gettext_lazy("Orders delivered, failed or refused"), "orders.view", of_end, of_order, ONCE,
            lines_of_order,
        ),
        "work": Kind(gettext_lazy("Imports and jobs"), "jobs.view", of_work, of_work_page),
        "holds": Kind(
            gettext_lazy("Reservations and cooling ending soon"), "numbers.reserve", of_holds, of_held_numbers, DAILY
        ),
        "stock": Kind(
            gettext_lazy("Low stock"), "stock.view", of_stock,
            lambda code, facts: url_of("numbers:levels", code), ONCE,
        ),
        "carrier": Kind(
            gettext_lazy("Carrier problems"), "releases.view", of_carrier, of_carriers_page, DAILY
        ),
    }
)  # fmt: skip
