"""Calls come in from the telephone network for numbers of the portal."""

from __future__ import annotations

from accounts.models import Account, Person
from accounts.scope import scope
from numbers.models import Destination, PhoneNumber
from portal.phones import NotANumber, parse
from webphone.models import Call, Location
from webphone.telephony import sip_name, sip_user


def route(number: str, caller: str) -> tuple[str, list[str]]:
    """Whom a call for ``number`` rings: what the call is told of by, empty where nobody's record has it, and names at
    the SIP server: the extension that the number rings, and the WebPhones of whoever that extension is."""
    try:
        number = parse(number)
    except NotANumber:
        return "", []
    with scope(Account.called("SYS")):
        found = PhoneNumber.rung(number)
    if found is None:
        return "", []
    with scope(found.customer):
        return rung(found, caller)


def rung(number: PhoneNumber, caller: str) -> tuple[str, list[str]]:
    """See ``route``; in the scope of the number's customer."""
    extension = number.destination.extension
    names = [sip_name(number.customer.code, extension)] if extension else []
    people = [one.person for one in Location.verified_at_extension(number.destination)]
    if number.customer.kind == Account.Kind.PROFESSIONAL and number.destination.kind == Destination.Kind.USER:
        # A professional's account is one person's: nothing has to be shown to be theirs.
        own = Person.objects.filter(account=number.customer).joined().order_by("pk")
        people += [person for person in own if person not in people]
    ref = Call.new_ref(number.customer) if people else ""
    try:
        caller = parse(caller)
    except NotANumber:
        caller = ""
    for person in people:
        Call(
            account=number.customer, person=person, ref=ref, mode=Call.Mode.INCOMING, number=caller,
            digits=int(caller.lstrip("+") or 0), own_number=number.e164,
        ).save(force_insert=True)  # fmt: skip
    return ref, names + [sip_user(person) for person in people]
