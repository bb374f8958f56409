"""Pages of verbs: what they say, what they do, and to whom they are open."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import AuditEvent
from numbers.actions import verbs
from numbers.models import PastNumber, PhoneNumber
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def reception(acme):
    return factories.make_destination(acme, "Réception")


def url(account, number, verb=""):
    return f"/{account.code}/numbers/{number.digits}/{verb}"


def again(number):
    return PhoneNumber.unscoped.select_related("customer", "destination").get(pk=number.pk)


def in_an_hour():
    return timezone.now() + timedelta(hours=1)


def test_a_var_assigns_a_number_by_the_customers_name(of_alpha, alpha, acme):
    number = factories.make_number(alpha)
    page = of_alpha.post(url(alpha, number, "assign/"), {"customer": "acme"}, follow=True)
    assert "is assigned to Acme Corp" in page.text
    number = again(number)
    assert (number.customer, number.destination) == (acme, None)
    event = AuditEvent.unscoped.get(verb="number.assigned")
    assert (event.account, event.concerns, event.target) == (alpha, acme, number.e164)
    assert event.after == {"customer": f"Acme Corp ({acme.code})"}


def test_of_several_customers_that_are_called_so_the_code_says_which(of_alpha, alpha, acme):
    twin = factories.make_account("company", alpha, name="Acme Corp")
    number = factories.make_number(alpha)
    page = of_alpha.post(url(alpha, number, "assign/"), {"customer": "Acme Corp"})
    assert page.status_code == 422
    assert f"Acme Corp ({acme.code}); Acme Corp ({twin.code})" in page.text
    assert 'value="Acme Corp"' in page.text
    of_alpha.post(url(alpha, number, "assign/"), {"customer": f"Acme Corp ({twin.code})"})
    assert again(number).customer == twin


def test_a_customer_of_another_var_is_nobody(of_alpha, alpha):
    stranger = factories.make_account("company", name="Zenith Ltd")
    number = factories.make_number(alpha)
    page = of_alpha.post(url(alpha, number, "assign/"), {"customer": stranger.code})
    assert "You have no customer with this name" in page.text
    assert again(number).customer is None


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_a_customer_who_is_not_in_service_is_given_nothing(of_alpha, alpha, acme, status):
    number = factories.make_number(alpha)
    type(acme).unscoped.filter(pk=acme.pk).update(status=status)
    page = of_alpha.post(url(alpha, number, "assign/"), {"customer": acme.code})
    assert page.status_code == 422
    assert f"Acme Corp is {status}" in page.text
    assert again(number).customer is None


def test_a_company_assigns_a_number_to_what_has_the_extension(of_acme, acme, reception):
    type(reception).unscoped.filter(pk=reception.pk).update(extension="101")
    number = factories.make_number(customer=acme)
    page = of_acme.post(url(acme, number, "assign/"), {"destination": "Réception (101)"}, follow=True)
    assert "rings Réception now" in page.text
    assert again(number).destination == reception


def test_another_companys_destination_is_nothing(of_acme, acme, alpha):
    elsewhere = factories.make_destination(factories.make_account("company", alpha), "Workshop")
    number = factories.make_number(customer=acme)
    page = of_acme.post(url(acme, number, "assign/"), {"destination": elsewhere.name})
    assert "There is no user, group or service with this name" in page.text
    assert again(number).destination is None


def test_nothing_of_a_customer_stays_with_a_number_that_leaves_it(of_alpha, alpha, acme, reception):
    number = factories.make_number(
        destination=reception, active=True, label="Main", caller_name="ACME", sms=True, fax=True
    )
    page = of_alpha.get(url(alpha, number, "unassign/"))
    for sentence in (
        "It stops ringing Réception.",
        "Its label, caller name and options are cleared.",
        "It cools until",
    ):
        assert sentence in page.text
    of_alpha.post(url(alpha, number, "unassign/"))
    left = again(number)
    assert (left.customer, left.destination, left.assigned_at, left.first_call_at, left.last_call_at) == (None,) * 5
    assert (left.label, left.caller_name, left.voice, left.sms, left.fax) == ("", "", True, False, False)
    assert left.last_holder_id == acme.pk
    assert timedelta(days=29) < left.cooling_until - timezone.now() <= timedelta(days=30)


@pytest.mark.parametrize("verb", ["unassign", "end-cooling", "cancel-reservation"])
def test_what_does_not_fit_says_so_before_it_is_confirmed(of_alpha, alpha, verb):
    number = factories.make_number(alpha)
    page = of_alpha.get(url(alpha, number, f"{verb}/"))
    assert page.status_code == 200
    assert "Back to the number" in page.text
    assert of_alpha.post(url(alpha, number, f"{verb}/")).status_code == 422


def test_without_cooling_days_a_number_can_go_to_anybody_at_once(of_alpha, alpha, acme):
    type(acme).unscoped.filter(pk=acme.pk).update(cooling_days=0)
    number = factories.make_number(customer=acme)
    of_alpha.post(url(alpha, number, "unassign/"))
    assert again(number).cooling_until is None


def cooling_number(alpha, acme):
    return factories.make_number(alpha, last_holder=acme, cooling_until=in_an_hour())


def test_a_cooling_number_goes_to_nobody_but_its_last_holder(of_alpha, alpha, acme):
    other = factories.make_account("company", alpha, name="Other")
    number = cooling_number(alpha, acme)
    page = of_alpha.post(url(alpha, number, "assign/"), {"customer": other.code})
    assert "It was with Acme Corp and is cooling until" in page.text
    assert again(number).customer is None
    of_alpha.post(url(alpha, number, "assign/"), {"customer": acme.code})
    assert again(number).customer == acme
    assert AuditEvent.unscoped.filter(verb="number.recalled").exists()


def test_a_reason_overrides_the_cooling_and_is_kept(of_alpha, alpha, acme):
    other = factories.make_account("company", alpha, name="Other")
    number = cooling_number(alpha, acme)
    sent = {"customer": other.code, "despite_cooling": "on"}
    page = of_alpha.post(url(alpha, number, "assign/"), sent)
    assert "Enter why a cooling number is assigned to somebody else now." in page.text
    of_alpha.post(url(alpha, number, "assign/"), sent | {"reason": "Acme moved away"})
    assert again(number).customer == other
    assert AuditEvent.unscoped.get(verb="number.assigned").after["reason"] == "Acme moved away"


def test_ending_the_cooling_frees_a_number_for_everybody(of_alpha, alpha, acme):
    number = cooling_number(alpha, acme)
    of_alpha.post(url(alpha, number, "end-cooling/"))
    assert again(number).cooling_until is None
    page = of_alpha.post(url(alpha, number, "end-cooling/"))
    assert (page.status_code, "It is not cooling." in page.text) == (422, True)


def test_a_reservation_holds_for_its_customer_until_its_minute(of_alpha, alpha, acme):
    other = factories.make_account("company", alpha, name="Other")
    number = factories.make_number(alpha)
    later = (timezone.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    of_alpha.post(url(alpha, number, "reserve/"), {"customer": acme.code, "until": f"{later:%Y-%m-%dT%H:%M}"})
    assert (again(number).reserved_for_id, again(number).reserved_until) == (acme.pk, later)
    page = of_alpha.post(url(alpha, number, "assign/"), {"customer": other.code})
    assert "It is reserved for Acme Corp until" in page.text
    PhoneNumber.unscoped.filter(pk=number.pk).update(reserved_until=timezone.now())
    of_alpha.post(url(alpha, number, "assign/"), {"customer": other.code})
    assert (again(number).customer, again(number).reserved_for_id) == (other, None)


def test_times_are_typed_in_the_zone_of_who_types_them(of_alpha, alpha, acme):
    person = type(alpha)._meta.apps.get_model("accounts.Person").objects.get(account=alpha)
    type(person).objects.filter(pk=person.pk).update(time_zone="America/Toronto")
    number = factories.make_number(alpha)
    of_alpha.post(url(alpha, number, "reserve/"), {"customer": acme.code, "until": "2031-01-15T17:00"})
    assert again(number).reserved_until.isoformat() == "2031-01-15T22:00:00+00:00"
    assert "2031-01-15T17:00" in of_alpha.get(url(alpha, number, "reserve/")).text


def test_a_reservation_of_the_past_is_refused_and_what_was_typed_stays(of_alpha, alpha, acme):
    number = factories.make_number(alpha)
    page = of_alpha.post(url(alpha, number, "reserve/"), {"customer": acme.code, "until": "2020-01-01T10:00"})
    assert page.status_code == 422
    assert "A reservation ends in the future" in page.text
    assert 'value="2020-01-01T10:00"' in page.text


def test_a_number_in_use_is_released_only_when_that_is_confirmed(of_acme, acme, reception):
    number = factories.make_number(destination=reception)
    page = of_acme.post(url(acme, number, "release/"))
    assert "It rings Réception. Confirm that it may be released although it is in use." in page.text
    assert again(number).customer == acme
    page = of_acme.post(url(acme, number, "release/"), {"confirmed": "on"}, follow=True)
    assert page.redirect_chain[-1][0] == f"/{acme.code}/numbers/"
    assert again(number).customer is None
    event = AuditEvent.unscoped.get(verb="number.released")
    assert (event.account, event.concerns_id) == (acme, number.var_id)


@pytest.mark.parametrize("verb", ["release", "delete"])
def test_a_number_that_goes_leaves_its_past(of_alpha, alpha, verb):
    number = factories.make_number(alpha)
    of_alpha.post(url(alpha, number, f"{verb}/"))
    assert not PhoneNumber.unscoped.filter(pk=number.pk).exists()
    past = PastNumber.unscoped.get(number_id=number.pk)
    assert (past.e164, past.var, past.since) == (number.e164, alpha, number.since)
    assert of_alpha.get(url(alpha, number)).status_code == 404


@pytest.mark.parametrize("state", ["assigned", "reserved", "cooling"])
def test_only_available_numbers_are_deleted(of_alpha, alpha, acme, state):
    held = {
        "assigned": {"customer": acme},
        "reserved": {"reserved_for": acme, "reserved_until": in_an_hour()},
        "cooling": {"last_holder": acme, "cooling_until": in_an_hour()},
    }
    number = factories.make_number(alpha, **held[state])
    page = of_alpha.post(url(alpha, number, "delete/"))
    assert page.status_code == 422
    assert {
        "assigned": "Unassign it first",
        "reserved": "Cancel the reservation first",
        "cooling": "end the cooling first",
    }[state] in page.text
    assert PhoneNumber.unscoped.filter(pk=number.pk).exists()


def test_options_are_changed_and_what_the_provider_lacks_stays_off(of_acme, acme):
    number = factories.make_number(customer=acme)
    sent = {"label_text": "Main line", "caller_name": "Acme 24h", "voice": "on", "sms": "on"}
    of_acme.post(url(acme, number, "options/"), sent)
    changed = again(number)
    assert (changed.label, changed.caller_name, changed.voice, changed.sms) == ("Main line", "Acme 24h", True, False)
    assert "Northline does not offer it for this number." in of_acme.get(url(acme, number, "options/")).text
    of_acme.post(url(acme, number, "options/"), sent)
    assert AuditEvent.unscoped.filter(verb="number.options_changed").count() == 1


def test_a_caller_name_that_is_too_long_is_kept_to_be_shortened(of_acme, acme):
    number = factories.make_number(customer=acme)
    page = of_acme.post(url(acme, number, "options/"), {"caller_name": "Acme Corporation", "voice": "on"})
    assert (page.status_code, 'value="Acme Corporation"' in page.text) == (422, True)
    assert again(number).caller_name == ""


def test_the_numbers_page_offers_what_makes_sense_as_it_stands(of_alpha, alpha, acme):
    def offered(number):
        text = of_alpha.get(url(alpha, number)).text
        verbs = ("assign", "unassign", "reserve", "cancel-reservation", "end-cooling", "options", "release", "delete")
        return [verb for verb in verbs if f'/{number.digits}/{verb}/"' in text]

    reserved = {"reserved_for": acme, "reserved_until": in_an_hour()}
    assert offered(factories.make_number(alpha)) == ["assign", "reserve", "options", "release", "delete"]
    assert offered(factories.make_number(customer=acme)) == ["unassign", "options", "release"]
    assert offered(factories.make_number(alpha, **reserved)) == [
        "assign", "reserve", "cancel-reservation", "options", "release",
    ]  # fmt: skip
    assert offered(cooling_number(alpha, acme)) == ["assign", "end-cooling", "options", "release"]


def test_suggestions_are_the_vars_own_customers_in_service(of_alpha, alpha, acme):
    factories.make_account("company", alpha, name="Acme Closed")
    type(acme).unscoped.filter(name="Acme Closed").update(status="closed")
    factories.make_account("company", name="Acme Elsewhere")
    found = of_alpha.get(f"/{alpha.code}/accounts/suggestions/", {"q": "ACM"}).json()
    assert found == {"suggestions": [f"Acme Corp ({acme.code})"]}
    assert of_alpha.get(f"/{alpha.code}/accounts/suggestions/", {"q": "\0"}).json() == {"suggestions": []}


def test_nothing_is_done_to_a_number_of_anothers_whatever_is_asked_for(actor_in, alpha, acme, zenith, reception):
    """As an action, without the page that looks the number up before."""
    theirs = factories.make_number(customer=zenith)
    for account, verb in (
        (alpha, verbs.Delete()),
        (alpha, verbs.GiveUp(confirmed=True)),
        (alpha, verbs.AssignToCustomer(acme.pk)),
        (acme, verbs.AssignToDestination(reception.pk)),
        (acme, verbs.SetOptions(label_text="ours")),
    ):
        (outcome,) = verbs.perform(actor_in(account), verb, [theirs.pk])
        assert (outcome.number, outcome.refusal) == (None, "It no longer exists.")
    left = again(theirs)
    assert (left.customer, left.destination, left.label) == (zenith, None, "")


def test_no_number_rings_anothers_destination_whatever_is_asked_for(actor_in, acme, zenith):
    number, theirs = factories.make_number(customer=acme), factories.make_destination(zenith)
    with pytest.raises(ValidationError) as refusal:
        verbs.perform(actor_in(acme), verbs.AssignToDestination(theirs.pk), [number.pk])
    assert refusal.value.messages == ["There is no such user, group or service here."]


def read_by(client, person, account, number):
    """All that somebody reads of a number: its page, the list, and the history."""
    client.force_login(person)
    paths = (f"numbers/{number.digits}/", "numbers/", "history/", "history/?kind=others")
    return "".join(client.get(f"/{account.code}/{path}").text for path in paths)


def test_the_label_that_a_var_wrote_for_itself_stays_its_own(client, of_alpha, alpha, acme, administrator_of):
    number = factories.make_number(alpha)
    of_alpha.post(url(alpha, number, "options/"), {"label_text": "Price doubtful", "voice": "on"})
    assert "Its label “Price doubtful” is removed" in of_alpha.get(url(alpha, number, "assign/")).text
    of_alpha.post(url(alpha, number, "assign/"), {"customer": acme.code})
    assert (again(number).customer, again(number).label) == (acme, "")
    customer = administrator_of(acme)
    assert "Price doubtful" not in read_by(client, customer, acme, number)
    assert "label: Price doubtful → –" in read_by(client, administrator_of(alpha), alpha, number)
    # What the customer writes is the customer's, and the VAR reads it.
    client.force_login(customer)
    client.post(url(acme, number, "options/"), {"label_text": "Sales", "voice": "on"})
    client.force_login(administrator_of(alpha))
    client.post(url(alpha, number, "unassign/"))
    assert again(number).label == ""
    assert "label: Sales → –" in read_by(client, customer, acme, number)


def test_a_label_comes_back_when_assigning_is_undone_and_the_customer_reads_nothing_of_it(
    client, of_alpha, alpha, acme, administrator_of
):
    number = factories.make_number(alpha, label="Price doubtful")
    drafted = of_alpha.post(f"/{alpha.code}/numbers/bulk/assign/", {"selected": [number.pk]}).url
    assert "Labels of these numbers are removed" in of_alpha.get(drafted).text
    of_alpha.post(drafted, {"customer": acme.code, "mode": "some"})
    assert again(number).label == ""
    undo = of_alpha.post(f"{drafted}undo/").url
    of_alpha.post(undo, {"mode": "some"})
    assert (again(number).customer, again(number).label) == (None, "Price doubtful")
    client.force_login(administrator_of(acme))
    history = client.get(f"/{acme.code}/history/?kind=others").text
    assert "undid a change of the number" in history
    assert "Price doubtful" not in history


def test_a_number_that_rings_nobody_says_so_in_words(of_alpha, alpha, acme):
    held, free = factories.make_number(customer=acme), factories.make_number(alpha)
    assert '<dt>Used by</dt><dd><span class="quiet">nobody yet</span></dd>' in of_alpha.get(url(alpha, held)).text
    drafted = of_alpha.post(f"/{alpha.code}/numbers/bulk/options/", {"selected": [free.pk, held.pk]}).url
    page = of_alpha.get(drafted).text
    assert "<td>Available</td>" in page
    assert "<td>Acme Corp</td>" in page
