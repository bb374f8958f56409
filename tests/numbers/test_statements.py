"""What a carrier says that it holds, against what is here."""

import csv
import io
import re
from threading import BoundedSemaphore
from uuid import uuid4

import pytest
from django.core.cache import cache

from accounts.models import AuditEvent
from numbers.actions import routing
from numbers.carriers import asking, simulated
from numbers.models import Import, PhoneNumber, Routing
from numbers.tasks import run_import
from portal.embedded import free_port
from tests import factories
from tests.numbers.carrier import on_this_computer

pytestmark = pytest.mark.django_db
CONNECTION, TRUNK = simulated.CONNECTIONS["telnyx"]["connection"], simulated.CONNECTIONS["twilio"]["trunk"]


@pytest.fixture
def northline():
    provider = factories.make_provider("Northline")
    provider.supports_sms = True
    provider.save()
    return provider


@pytest.fixture
def harbour():
    return factories.make_provider("Harbour")


def compared(client, account, provider, text="", **more):
    """The page that says what differs."""
    sent = {"provider": provider.pk, "text": text, "key": uuid4(), "source": "file"} | more
    answer = client.post(f"/{account.code}/numbers/compare/", sent)
    assert answer.status_code == 302, answer.text
    return answer.url


def differences(client, url):
    text = client.get(f"{url}export.csv").getvalue().decode()
    return [(row["Line"], row["Number"], row["Verdict"], row["Reason"]) for row in csv.DictReader(io.StringIO(text))]


def held(**found):
    return dict(PhoneNumber.unscoped.filter(**found).values_list("e164", "provider__name"))


@pytest.fixture
def stock(alpha, acme, northline, harbour):
    """What is here: two with the carrier, one of them in use; one with another; one of somebody else's."""
    factories.make_number(alpha, e164="+15145550100", provider=northline)
    factories.make_number(customer=acme, e164="+15145550101", provider=northline)
    factories.make_number(customer=acme, e164="+15145550102", provider=northline, sms=True)
    factories.make_number(customer=acme, e164="+15145550103", provider=harbour)
    factories.make_number(e164="+15145550199", provider=northline)


STATEMENT = "DID,Monthly\n+1 514 555 0102,1.00\n+15145550103,1.00\n+15145550104,1.00\nnumbers: 4,\n+15145550199,1.00\n"


def test_what_differs_is_listed_and_nothing_is_changed(of_alpha, alpha, stock, northline):
    url = compared(of_alpha, alpha, northline, STATEMENT)
    assert differences(of_alpha, url) == [
        ("2", "+15145550102", "The same", ""),
        ("3", "+15145550103", "Other provider here", "In the portal its provider is Harbour."),
        ("4", "+15145550104", "Not here", ""),
        ("5", "numbers: 4", "Refused", "A phone number has a country code and digits, for example +1 514 555 0123."),
        # Another VAR's: whether it is on the system is only said when it is added.
        ("6", "+15145550199", "Not here", ""),
        ("", "+15145550100", "Not in the statement", "It is in the stock."),
        ("", "+15145550101", "Not in the statement", "It is with Acme Corp."),
    ]
    page = of_alpha.get(url).text
    assert "Compared with Northline" in page
    assert "Release what is not in the statement (2)" in page
    assert len(held()) == 5
    assert "Not in the statement (2)" in of_alpha.get(url, {"filter": "gone"}).text


def test_each_kind_is_put_right_by_itself(of_alpha, alpha, stock, northline):
    url = compared(of_alpha, alpha, northline, STATEMENT)
    of_alpha.post(url, {"apply": ["add"]})
    assert held(var=alpha) == {
        "+15145550100": "Northline", "+15145550101": "Northline", "+15145550102": "Northline",
        "+15145550103": "Harbour", "+15145550104": "Northline",
    }  # fmt: skip
    assert differences(of_alpha, url)[4][2:] == ("Refused", "It is already on the system.")
    done = Import.unscoped.get()
    assert (done.state, done.applies, done.total, done.done, done.refused) == ("done", ["add"], 7, 2, 2)
    assert "<dt>Left alone</dt><dd>3</dd>" in of_alpha.get(url).text
    # Applied is applied: what was left alone is compared again.
    of_alpha.post(url, {"apply": ["gone", "change"]})
    assert len(held(var=alpha)) == 5

    url = compared(of_alpha, alpha, northline, STATEMENT)
    of_alpha.post(url, {"apply": ["change", "gone"]})
    assert held(var=alpha) == {
        "+15145550101": "Northline", "+15145550102": "Northline", "+15145550103": "Northline",
        "+15145550104": "Northline",
    }  # fmt: skip
    refused = [row for row in differences(of_alpha, url) if row[2] == "Refused"]
    assert refused[-1] == (
        "", "+15145550101", "Refused",
        "It is with Acme Corp. Confirm that it may be released although it is in use.",
    )  # fmt: skip
    told = AuditEvent.unscoped.order_by("pk").values_list("verb", "target")
    assert list(told) == [
        ("number.imported", "+15145550104"),
        ("number.provider_corrected", "+15145550103"),
        ("number.released", "+15145550100"),
    ]
    corrected = AuditEvent.unscoped.get(verb="number.provider_corrected")
    assert (corrected.before["provider"], corrected.after["provider"]) == ("Harbour", "Northline")


def test_what_a_provider_does_not_offer_is_switched_off_with_it(of_alpha, alpha, stock, harbour):
    url = compared(of_alpha, alpha, harbour, "+15145550102\n+15145550103\n")
    of_alpha.post(url, {"apply": ["change"]})
    number = PhoneNumber.unscoped.get(e164="+15145550102")
    assert (number.provider, number.sms, number.voice) == (harbour, False, True)


def test_where_nothing_differs_there_is_nothing_to_apply(of_alpha, alpha, harbour, stock):
    url = compared(of_alpha, alpha, harbour, "+15145550103\n")
    assert differences(of_alpha, url) == [("1", "+15145550103", "The same", "")]
    assert "Apply" not in of_alpha.get(url).text


def test_nothing_chosen_is_said_and_changes_nothing(of_alpha, alpha, stock, northline):
    url = compared(of_alpha, alpha, northline, STATEMENT)
    for sent in ({}, {"apply": ["same"]}, {"mode": "some"}):
        of_alpha.post(url, sent)
        assert Import.unscoped.get().is_draft
    assert "Choose what to do." in of_alpha.get(url).text
    assert len(held()) == 5


def test_a_provider_is_chosen_by_no_other_way(of_alpha, alpha, stock, harbour):
    number = PhoneNumber.unscoped.get(e164="+15145550100")
    for path in (f"{number.digits}/correct-provider/", "bulk/correct-provider/"):
        assert of_alpha.post(f"/{alpha.code}/numbers/{path}", {"provider_id": harbour.pk}).status_code == 404
    assert "Correct provider" not in of_alpha.get(f"/{alpha.code}/numbers/{number.digits}/").text


def test_a_large_statement_is_compared_and_applied_by_the_worker(of_alpha, alpha, northline, monkeypatch):
    monkeypatch.setattr("numbers.actions.imports.AT_ONCE", 3)
    monkeypatch.setattr("numbers.actions.verdicts.CHECKED_AT_ONCE", 2)
    factories.make_number(alpha, e164="+15145550150", provider=northline)
    url = compared(of_alpha, alpha, northline, "".join(f"+151455501{n:02}\n" for n in range(5)))
    wanted = Import.unscoped.get()
    assert wanted.state == "checking"
    run_import(import_id=wanted.pk, account=alpha.code)
    assert differences(of_alpha, url)[-1] == ("", "+15145550150", "Not in the statement", "It is in the stock.")
    of_alpha.post(url, {"apply": ["add", "gone"]})
    run_import(import_id=wanted.pk, account=alpha.code)
    assert sorted(held()) == [f"+151455501{n:02}" for n in range(5)]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({}, "Choose a file, or paste its text."),
        ({"provider": ""}, "This field is required."),
        ({"text": "Name,Colour\nx,red\n"}, "No column is called Number"),
        ({"text": "+15145550100", "provider": "0"}, "That choice is not one of the available choices."),
    ],
)
def test_what_is_no_statement_is_refused_and_stays_typed(of_alpha, alpha, northline, sent, says):
    answer = of_alpha.post(
        f"/{alpha.code}/numbers/compare/", {"provider": northline.pk, "key": uuid4(), "source": "file"} | sent
    )
    assert (answer.status_code, says in answer.text) == (422, True), answer.text
    assert sent.get("text", "") in answer.text.replace("&#x27;", "'")
    assert not Import.unscoped.exists()


# Asked itself


@pytest.fixture(params=["telnyx", "twilio"])
def carrier(settings, request, alpha):
    """A carrier that serves Alpha alone, and holds five numbers on three pages."""
    cache.clear()
    with on_this_computer(api=request.param) as (carrier, setting):
        settings.CARRIERS = f"{setting}&vars={alpha.code}"
        carrier.ported, carrier.page = {f"+1514555010{n}" for n in range(5)}, 2
        yield carrier


def test_a_carrier_says_itself_what_it_holds(of_alpha, alpha, carrier, provider):
    factories.make_number(alpha, e164="+15145550104", provider=provider)
    factories.make_number(alpha, e164="+15145550105", provider=provider)
    carrier.lead("PN15145550104", {"connection_id": CONNECTION, "trunk_sid": TRUNK})
    assert "As its interface says now" in of_alpha.get(f"/{alpha.code}/numbers/compare/").text
    url = compared(of_alpha, alpha, provider, source="ask")
    assert [row[1:3] for row in differences(of_alpha, url)] == [
        *((f"+1514555010{n}", "Not here") for n in range(4)),
        ("+15145550104", "The same"),
        ("+15145550105", "Not in the statement"),
    ]


def test_what_the_carrier_leads_elsewhere_is_shown_as_that_and_can_be_led_here(of_alpha, alpha, carrier, provider):
    for last in (3, 4):
        factories.make_number(alpha, e164=f"+1514555010{last}", provider=provider)
    carrier.lead("PN15145550103", {"connection_id": CONNECTION, "trunk_sid": TRUNK})
    carrier.lead("PN15145550104", {"connection_id": "another", "trunk_sid": "another"})
    url = compared(of_alpha, alpha, provider, source="ask")
    rows = {row[1]: row[2] for row in differences(of_alpha, url)}
    assert (rows["+15145550103"], rows["+15145550104"]) == ("The same", "Calls go elsewhere")
    assert "another" in of_alpha.get(url).text
    answer = of_alpha.post(url, {"apply": ["route"]}, follow=True)
    assert answer.status_code == 200
    routing.go_on(alpha, provider.pk)
    assert Routing.unscoped.get().state == "routed"
    assert CONNECTION in carrier.routes["PN15145550104"].values() or TRUNK in carrier.routes["PN15145550104"].values()
    rows = {row[1]: row[2] for row in differences(of_alpha, compared(of_alpha, alpha, provider, source="ask"))}
    assert rows["+15145550104"] == "The same"


# Twilio lists usable numbers alone.
@pytest.mark.parametrize("carrier", ["telnyx"], indirect=True)
def test_numbers_that_the_carrier_cannot_use_are_shown_as_what_they_are_and_not_added(
    of_alpha, alpha, carrier, provider
):
    carrier.ported = set()
    carrier.unusable = {"+15145550107": "ported-out", "+15145550108": "purchase-pending", "+15145550109": "deleted"}
    url = compared(of_alpha, alpha, provider, source="ask")
    found = {row[1]: row[2:] for row in differences(of_alpha, url)}
    assert found == {
        e164: ("Refused", f"The carrier cannot use this number: {state}.") for e164, state in carrier.unusable.items()
    }
    assert PhoneNumber.unscoped.count() == 0


def test_what_a_carrier_holds_for_several_is_nobodys_to_see(of_alpha, alpha, carrier, provider, northline, settings):
    def refusal(asked):
        sent = {"provider": asked.pk, "key": uuid4(), "source": "ask", "text": ""}
        answer = of_alpha.post(f"/{alpha.code}/numbers/compare/", sent)
        assert (answer.status_code, carrier.asked) == (422, 0)
        return answer.text

    assert "Send its statement" in refusal(northline)
    settings.CARRIERS = settings.CARRIERS.replace(alpha.code, f"{alpha.code},V9")
    assert "As its interface says" not in of_alpha.get(f"/{alpha.code}/numbers/compare/").text
    assert "Choose a file, or paste its text." in refusal(provider)
    settings.CARRIERS = settings.CARRIERS.partition("&vars=")[0]
    assert "Choose a file, or paste its text." in refusal(provider)
    assert not Import.unscoped.exists()


@pytest.mark.parametrize("trouble", ["too long", "too many ask", "gone"])
def test_a_carrier_that_does_not_tell_all_has_told_nothing(
    of_alpha, alpha, carrier, provider, monkeypatch, settings, trouble
):
    says = {"too long": "Send its statement", "too many ask": "Try again in a few seconds", "gone": "reached"}
    if trouble == "too long":
        monkeypatch.setattr(asking, "LISTED_WITHIN", -1)
    elif trouble == "too many ask":
        monkeypatch.setattr(asking, "ROOM", BoundedSemaphore(1))
        asking.ROOM.acquire()
    else:
        settings.CARRIERS = re.sub(r"127.0.0.1:\d+", f"127.0.0.1:{free_port()}", settings.CARRIERS)
    answer = of_alpha.post(
        f"/{alpha.code}/numbers/compare/", {"provider": provider.pk, "key": uuid4(), "source": "ask", "text": ""}
    )
    assert (answer.status_code, says[trouble] in answer.text) == (422, True), answer.text
    assert not Import.unscoped.exists()
