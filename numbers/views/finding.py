"""Finding things by what somebody types: the quick search of the frame, and what the command palette offers."""

import re
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db.models import TextField, Value
from django.db.models.functions import Replace
from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.actor import Actor
from accounts.models import Account, Person
from accounts.shell import commands
from numbers.filters.phone_numbers import MOST_LISTED, NumbersField, Several, Span, numbers_meant
from numbers.listing import Listing
from numbers.lookup import granted_numbers
from numbers.models import Destination, PhoneNumber, use_text
from portal import number_lists, phones, plans
from portal.filters import folded, pieces
from portal.listings import Fold, having
from portal.pages import Address, url_of

#: Quick search shows so many of a kind, the palette so many.
FOUND, OFFERED = 10, 5
#: What has so many digits is meant as a number.
LEAST_DIGITS = 7
#: The palette looks names up from so many characters on: fewer are in nearly every name.
LEAST = 2


@require_safe
def find(request, code):
    """Quick search: the number's own page where the text is one number here, the list of numbers where it has digits of
    some, otherwise what is called so."""
    typed = request.GET.get("q", "")[: NumbersField.LONGEST].strip()
    list_url = url_of("numbers:list", code)
    if not typed:
        return redirect(list_url)
    home = request.actor.account.home
    meant = NumbersField.searched(typed, home)
    groups = coded(request.actor, typed)
    if meant and not groups:
        number = only_number(request.actor, typed, home, meant)
        if number:
            return redirect("numbers:detail", code=code, digits=number)
        return redirect(Address(list_url, {"number": typed}, ["number"]).url())
    context = {
        "title": _("Search"),
        "typed": typed,
        "groups": groups or found_by_name(request.actor, typed),
        "problem": "" if groups else problem_of(typed, home),
        "list_url": list_url,
    }
    return render(request, "numbers/find.html", context)


def only_number(actor, typed: str, home: str, meant) -> int | None:
    """The digits of the one number here that a text means as a whole; None where it may mean another country's, or is
    a part of several."""
    if isinstance(meant, Span | Several):
        return None
    whole = phones.readings(typed, home)
    exact = list(PhoneNumber.visible_to(actor).filter(digits__in=[int(e164[1:]) for e164 in whole])[:2])
    if len(exact) == 1:
        return exact[0].digits
    if exact or not isinstance(meant, tuple):
        return None
    page = Listing(actor, digits=meant).page(2)
    if len(page.rows) != 1:
        return None
    e164 = page.rows[0]["e164"]
    digits = "".join(c for c in typed if c.isdigit())
    is_its_end = not whole and e164.endswith(digits)
    return page.rows[0]["digits"] if is_its_end or is_written_so(typed, e164, home) else None


def is_written_so(typed: str, e164: str, home: str) -> bool:
    """Whether a number is written like this inside its own country, and nothing is in the account's."""
    if home and plans.calling_code(home) != plans.country_code(e164) and is_read(typed, home):
        return False
    return is_read(typed, phones.region_of(e164)) == e164


def is_read(typed: str, region: str) -> str:
    try:
        return phones.parse(typed, region, without_plus=phones.WithoutPlus.COUNTRY)
    except phones.NotANumber:
        return ""


def coded(actor: Actor, typed: str) -> list[dict]:
    """The account below with this code, as the only thing that was found."""
    if actor.account.is_customer or not re.fullmatch(r"[A-Za-z][0-9]+", typed):
        return []
    rows = [account_found(actor, row) for row in Account.below(actor).filter(code=typed.upper())]
    return [{"label": accounts_label(actor), "rows": rows, "more": False}] if rows else []


def problem_of(typed: str, home: str) -> str:
    """Why something that has the digits of a number is none; nothing where it is about something else."""
    if sum(c.isdigit() for c in typed) < LEAST_DIGITS:
        return ""
    found = number_lists.read_list(typed, home, most=MOST_LISTED)
    return found[0].refusal if len(found) == 1 else ""


def accounts_label(actor: Actor) -> str:
    if actor.account.kind == Account.Kind.SYSTEM:
        return _("VARs and customers")
    return _("Companies and professionals")


def account_found(actor: Actor, account: Account) -> dict[str, str]:
    """An account as quick search shows it: it leads to its numbers."""
    url = Address(url_of("numbers:list", actor.account.code), {of_account(account): account.name}, ["var", "company"])
    return {"name": account.name, "detail": f"{account.kind_label} {account.code}", "url": url.url()}


def found_by_name(actor, typed: str) -> list[dict]:
    """What is called like this: accounts, people, groups and services that numbers ring, and numbers by their label."""
    list_url = url_of("numbers:list", actor.account.code)
    # Folding leaves nothing of other words, and nothing is in every name.
    words = [word for word in typed.split() if any(map(str.isalnum, word))]
    if not words:
        return []
    groups = []
    if not actor.account.is_customer:
        named = having(Account.below(actor), {"name_folded": words}).order_by("name_folded", "pk")
        rows = list(named[: FOUND + 1]) or spaceless(Account.below(actor), typed)
        shown = [account_found(actor, row) for row in rows[:FOUND]]
        groups.append({"label": accounts_label(actor), "rows": shown, "more": len(rows) > FOUND})
    rings = Destination.visible_to(actor)
    rows = list(having(rings, {"name_folded": words}).order_by("name_folded", "pk")[: FOUND + 1]) or spaceless(
        rings, typed
    )
    groups.append({
        "label": _("Users, services and groups"),
        "rows": [
            {
                "name": row.name,
                "detail": use_text(row.kind, row.service_type),
                "url": Address(list_url, {"used_by": row.name}, ["used_by"]).url(),
            }
            for row in rows[:FOUND]
        ],
        "more": len(rows) > FOUND,
    })  # fmt: skip
    if actor.account.kind != Account.Kind.SYSTEM:
        labelled = PhoneNumber.visible_to(actor).exclude(label="").annotate(label_folded=Fold("label"))
        numbers = list(having(labelled, {"label_folded": words}).order_by("digits")[: FOUND + 1])
        groups.append({
            "label": _("Numbers by their label"),
            "rows": [
                {"name": actor.person.written(row.e164), "detail": row.label, "url": f"{list_url}{row.digits}/"}
                for row in numbers[:FOUND]
            ],
            "more": len(numbers) > FOUND,
        })  # fmt: skip
    return groups


def of_account(account: Account) -> str:
    """The column of the list of numbers that an account stands in."""
    return "var" if account.kind == Account.Kind.VAR else "company"


def spaceless(rows, typed: str) -> list:
    """Those whose names are called like this but for blanks: *frontdesk* finds *Front desk*."""
    compact = Replace("name_folded", Value(" "), Value(""), output_field=TextField())
    found = rows.annotate(compact=compact).filter(compact__contains=Fold(Value("".join(typed.split()))))
    return list(found.order_by("name_folded", "pk")[: FOUND + 1])


# The command palette


@require_safe
def go_to(request, code):
    """What the command palette offers for what is typed, by kind: pages and actions, and what is called so."""
    actor, typed = request.actor, request.GET.get("q", "")[: NumbersField.LONGEST].strip().replace("\0", "")
    groups = []
    if len(typed) >= LEAST:
        groups = [(_("Numbers"), numbers_offered(actor, typed)), *names_offered(actor, typed)]
    groups.append((_("Pages and actions"), commands_offered(actor, typed)))
    groups = [{"label": label, "rows": rows} for label, rows in groups if rows]
    return JsonResponse({"groups": groups}, headers={"Cache-Control": "no-store"})


def commands_offered(actor: Actor, typed: str) -> list[dict[str, str]]:
    """The pages and actions in whose names all the words occur."""
    words = folded(typed).split()
    found = [(name, url) for name, url in commands(actor) if all(word in folded(name) for word in words)]
    return [{"name": name, "detail": "", "url": url} for name, url in found]


def numbers_offered(actor: Actor, typed: str) -> list[dict[str, str]]:
    """The first numbers that the digits are in; for a support agent, of the accounts that were granted."""
    found: list[tuple[str, str, str]] = []
    try:
        meant = NumbersField.searched(typed, actor.account.home)
        if meant and actor.may("numbers.view"):
            rows = Listing(actor, **numbers_meant(meant)).page(OFFERED).rows
            found = [(row["e164"], row["label"] or row["used_by"] or "", actor.account.code) for row in rows]
        elif meant and actor.is_support:
            looked_up = granted_numbers(actor.person, pieces(typed))[:OFFERED]
            found = [(one.e164, one.account.name, one.account.code) for one in looked_up]
    except ValidationError:  # half a search, while it is typed
        return []
    return [
        {
            "name": actor.person.written(e164),
            "detail": detail,
            "url": reverse("numbers:detail", args=[code, int(e164[1:])]),
        }
        for e164, detail, code in found
    ]


def names_offered(actor: Actor, typed: str) -> list[tuple[str, list[dict[str, str]]]]:
    """What is called like this, of each kind that the actor may look at."""
    code, offered = actor.account.code, []
    # Folding leaves nothing of other words, and nothing is in every name.
    words = [word for word in typed.split() if any(map(str.isalnum, word))]
    if not words:
        return []

    def offer(label: str, rows: Iterable[tuple[str, str, str]]) -> None:
        offered.append((label, [{"name": name, "detail": detail, "url": url} for name, detail, url in rows]))

    if actor.may("accounts.view"):
        below = Account.meant_by(actor, typed, OFFERED) or spaceless(Account.below(actor), typed)[:OFFERED]
        kinds = ((one, f"{one.kind_label} {one.code}") for one in below)
        offer(_("Accounts"), ((one.name, kind, reverse("accounts_edit", args=[code, one.code])) for one, kind in kinds))
    if actor.may("people.view"):
        named = Person.visible_to(actor).annotate(name_folded=Fold("name"))
        people = having(named, {"name_folded": words}).order_by("name_folded", "pk")[:OFFERED]
        offer(_("People"), ((one.name, one.email, reverse("person", args=[code, one.pk])) for one in people))
    if actor.may("numbers.view"):
        rings = having(Destination.visible_to(actor), {"name_folded": words}).order_by("name_folded", "pk")[:OFFERED]
        list_url, has_pages = reverse("numbers:list", args=[code]), actor.may("destinations.view")
        offer(
            _("Destinations"),
            (
                (
                    one.name,
                    use_text(one.kind, one.service_type),
                    reverse("destinations:detail", args=[code, one.pk])
                    if has_pages
                    else Address(list_url, {"used_by": one.name}, ["used_by"]).url(),
                )
                for one in rings
            ),
        )
    return offered
