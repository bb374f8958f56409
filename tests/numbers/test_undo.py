"""A job is undone: its numbers become what they were, where nothing has changed since."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Account, AuditEvent, Person
from accounts.scope import scope
from numbers.actions import jobs, verbs
from numbers.models import Destination, Job, JobItem, PhoneNumber
from numbers.tasks import run_job
from tests import factories
from tests.numbers.test_jobs import choose, outcomes

pytestmark = pytest.mark.django_db
#: Everything that a job may change of a number. Its ``since`` is another one whenever that changes.
COLUMNS = [
    "customer_id", "assigned_at", "destination_id", "reserved_for_id", "reserved_until", "last_holder_id",
    "cooling_until", "first_call_at", "last_call_at", "label", "caller_name", "voice", "sms", "fax",
]  # fmt: skip
CHANGED = "Skipped: it has changed since the job."


def state():
    """How all numbers stand."""
    return list(PhoneNumber.unscoped.order_by("pk").values("pk", *COLUMNS))


def do(client, account, verb, numbers, **filled):
    """Do it to the numbers as a job; the address of its page."""
    url = choose(client, account, verb, selected=[number.pk for number in numbers])
    assert client.post(url, {"mode": "some"} | filled).status_code == 302
    return url


def undo(client, url):
    """Press *Undo* on the page of a job, and confirm; the address of the new job."""
    drafted = client.post(f"{url}undo/")
    assert drafted.status_code == 302, drafted.text
    assert client.post(drafted.url, {"mode": "some"}).status_code == 302
    return drafted.url


@pytest.fixture
def in_use(acme):
    """Numbers of a customer's that say a lot."""
    desk = factories.make_destination(acme, "Front desk")
    return [
        factories.make_number(destination=desk, active=True, label="Sales", caller_name="Acme", sms=True),
        factories.make_number(customer=acme, label="Spare"),
    ]


def free_numbers(alpha, acme):
    later = timezone.now() + timedelta(days=3)
    return [
        factories.make_number(alpha),
        factories.make_number(alpha, reserved_for=acme, reserved_until=later),
        factories.make_number(alpha, last_holder=acme, cooling_until=later),
    ]


FILLED = {
    "assign": {"customer": "{acme}"},
    "reserve": {"customer": "{acme}", "days": "30"},
    "options": {"label_text": "New", "voice": "off"},
    "cancel-reservation": {},
    "end-cooling": {},
}


@pytest.mark.parametrize("verb", FILLED)
def test_what_a_var_did_to_its_stock_is_undone(of_alpha, alpha, acme, verb):
    numbers = free_numbers(alpha, acme)
    before = state()
    filled = {name: text.format(acme=acme.code) for name, text in FILLED[verb].items()}
    url = do(of_alpha, alpha, verb, numbers, **filled)
    changed = Job.unscoped.get().done
    assert changed
    assert state() != before
    undone = undo(of_alpha, url)
    assert state() == before
    assert list(outcomes(of_alpha, undone).values()) == [""] * changed


def test_numbers_that_were_unassigned_go_back_with_all_that_hung_on_them(of_alpha, alpha, in_use):
    before = state()
    url = do(of_alpha, alpha, "unassign", in_use)
    assert [one["customer_id"] for one in state()] == [None, None]
    undo(of_alpha, url)
    assert state() == before
    told = AuditEvent.unscoped.filter(verb="number.change_undone", target_id=in_use[0].pk).get()
    assert told.concerns == in_use[0].customer
    assert told.after["destination"] == "Front desk"
    assert told.before["customer"] is None


def test_a_customer_above_its_quota_is_mentioned_when_numbers_go_back(of_alpha, alpha, acme, in_use):
    url = do(of_alpha, alpha, "unassign", in_use)
    Account.unscoped.filter(pk=acme.pk).update(number_quota=1)
    drafted = of_alpha.post(f"{url}undo/").url
    page = of_alpha.post(drafted, {"mode": "some"}, follow=True).text
    assert "Acme Corp now has 2 numbers; its quota is 1." in page


def test_a_company_undoes_what_its_numbers_ring(of_acme, acme, in_use):
    lobby = factories.make_destination(acme, "Lobby")
    before = state()
    assigned = do(of_acme, acme, "assign", in_use, destination=lobby.written)
    assert {one["destination_id"] for one in state()} == {lobby.pk}
    undo(of_acme, assigned)
    assert state() == before
    unassigned = do(of_acme, acme, "unassign", in_use)
    undo(of_acme, unassigned)
    assert state() == before


def test_a_professionals_number_comes_off_its_line_when_it_is_taken_back(of_alpha, alpha):
    jane = factories.make_account("professional", alpha)
    number = factories.make_number(alpha)
    before = state()
    url = do(of_alpha, alpha, "assign", [number], customer=jane.code)
    assert PhoneNumber.unscoped.get().destination.customer == jane
    undo(of_alpha, url)
    assert state() == before


@pytest.mark.parametrize(
    "change",
    [
        {"label": "Theirs"},
        {"sms": True},
        {"first_call_at": timezone.now(), "last_call_at": timezone.now()},
        {"customer": None, "assigned_at": None},
        {"assigned_at": timezone.now()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_has_changed_since_is_skipped_and_said_before(of_alpha, alpha, acme, change):
    numbers = [factories.make_number(alpha) for _turn in range(3)]
    url = do(of_alpha, alpha, "assign", numbers, customer=acme.code)
    PhoneNumber.unscoped.filter(pk=numbers[1].pk).update(**change)
    drafted = of_alpha.post(f"{url}undo/").url
    page = of_alpha.get(drafted).text
    assert CHANGED in page
    assert "The numbers go back to your stock" in page
    assert of_alpha.post(drafted, {"mode": "some"}).status_code == 302
    assert outcomes(of_alpha, drafted) == {numbers[0].e164: "", numbers[1].e164: CHANGED, numbers[2].e164: ""}
    row = PhoneNumber.unscoped.get(pk=numbers[1].pk)
    assert {name: getattr(row, name) for name in change} == change


def test_a_number_that_changes_between_the_question_and_the_answer_is_skipped(of_alpha, alpha, acme):
    number = factories.make_number(alpha)
    url = do(of_alpha, alpha, "assign", [number], customer=acme.code)
    drafted = of_alpha.post(f"{url}undo/").url
    desk = factories.make_destination(acme, "Front desk")
    PhoneNumber.unscoped.filter(pk=number.pk).update(destination=desk)
    of_alpha.post(drafted, {"mode": "some"})
    assert PhoneNumber.unscoped.get().destination == desk
    assert outcomes(of_alpha, drafted)[number.e164].startswith("Skipped")


def test_a_number_that_somebody_else_has_now_is_left_to_them(of_alpha, alpha, in_use):
    other = factories.make_account("company", alpha)
    url = do(of_alpha, alpha, "unassign", in_use)
    PhoneNumber.unscoped.update(customer=other, assigned_at=timezone.now(), last_holder=None, cooling_until=None)
    drafted = undo(of_alpha, url)
    assert set(outcomes(of_alpha, drafted).values()) == {CHANGED}
    assert set(PhoneNumber.unscoped.values_list("customer", flat=True)) == {other.pk}


def test_nothing_goes_back_to_a_customer_that_is_suspended_or_to_what_is_deleted(of_alpha, alpha, acme, in_use):
    url = do(of_alpha, alpha, "unassign", in_use)
    Destination.unscoped.all().delete()
    drafted = undo(of_alpha, url)
    gone = "Its previous destination no longer exists. Assign another one."
    assert list(outcomes(of_alpha, drafted).values()) == [gone, ""]
    again = do(of_alpha, alpha, "unassign", in_use[1:])
    Account.unscoped.filter(pk=acme.pk).update(status="suspended")
    drafted = undo(of_alpha, again)
    closed = "Its previous customer is no longer in service."
    assert list(outcomes(of_alpha, drafted).values()) == [closed]


def test_a_job_is_undone_once_and_its_page_says_so(of_alpha, alpha, acme):
    url = do(of_alpha, alpha, "reserve", [factories.make_number(alpha)], customer=acme.code, days="30")
    assert f'action="{url}undo/"' in of_alpha.get(url).text
    undone = undo(of_alpha, url)
    page = of_alpha.get(url).text
    assert f'action="{url}undo/"' not in page
    assert "Undone on" in page
    assert f"by {Job.unscoped.latest('pk').person.name}</a>" in page
    assert f'href="{undone}"' in page
    assert "Undo “Reserve”: 1 number" in of_alpha.get(undone).text
    assert f'action="{undone}undo/"' not in of_alpha.get(undone).text


def test_what_cannot_be_undone_offers_no_undo(of_alpha, alpha):
    url = do(of_alpha, alpha, "delete", [factories.make_number(alpha)])
    assert "undo/" not in of_alpha.get(url).text
    assert of_alpha.post(f"{url}undo/").status_code == 403


def test_a_job_of_another_account_is_not_undone(of_alpha, alpha, bravo, acme, administrator_of):
    url = do(of_alpha, alpha, "assign", [factories.make_number(alpha)], customer=acme.code)
    job = Job.unscoped.get()
    stranger = Actor.at_home(administrator_of(bravo))
    with scope(bravo), pytest.raises(Job.DoesNotExist):
        jobs.undo_job(stranger, job.pk)
    # Nor by a job of one's own that names it.
    number = factories.make_number(bravo)
    with scope(bravo):
        undoing = verbs.UNDOES[verbs.AssignToCustomer](of=job.pk)
        (outcome,) = verbs.perform(stranger, undoing, [number.pk])
    assert outcome.refusal == "The job did not change it."
    assert of_alpha.get(url).status_code == 200


def test_who_may_only_view_undoes_nothing(alpha, acme, of_alpha):
    do(of_alpha, alpha, "assign", [factories.make_number(alpha)], customer=acme.code)
    viewer = Actor.at_home(factories.make_person(alpha, role="user"))
    with scope(alpha), pytest.raises(PermissionDenied):
        jobs.undo_job(viewer, Job.unscoped.get().pk)


def test_a_job_that_goes_on_is_not_undone_yet(of_alpha, alpha, acme, administrator_of):
    do(of_alpha, alpha, "assign", [factories.make_number(alpha)], customer=acme.code)
    Job.unscoped.update(state=Job.State.RUNNING)
    with scope(alpha), pytest.raises(ValidationError):
        jobs.undo_job(Actor.at_home(Person.objects.get(account=alpha)), Job.unscoped.get().pk)


def test_a_job_of_before_that_kept_nothing_offers_no_undo(of_alpha, alpha, acme):
    url = do(of_alpha, alpha, "assign", [factories.make_number(alpha)], customer=acme.code)
    JobItem.unscoped.update(was=None, made=None)
    assert "undo/" not in of_alpha.get(url).text


def test_a_large_job_is_undone_by_the_worker(of_alpha, alpha, acme, monkeypatch):
    monkeypatch.setattr(jobs, "AT_ONCE", 1)
    monkeypatch.setattr(jobs, "BATCH", 2)
    numbers = [factories.make_number(alpha) for _turn in range(5)]
    before = state()
    url = do(of_alpha, alpha, "assign", numbers, customer=acme.code)
    run_job(job_id=Job.unscoped.latest("pk").pk, account=alpha.code)
    assert state() != before
    undo(of_alpha, url)
    assert state() != before
    run_job(job_id=Job.unscoped.latest("pk").pk, account=alpha.code)
    assert state() == before
    assert Job.unscoped.latest("pk").state == Job.State.DONE


def test_numbers_of_a_job_lead_to_their_pages_while_they_are_here(of_alpha, alpha, acme):
    here, gone = factories.make_number(alpha), factories.make_number(alpha)
    url = do(of_alpha, alpha, "assign", [here, gone], customer=acme.code)
    PhoneNumber.unscoped.filter(pk=gone.pk).delete()
    page = of_alpha.get(url).text
    assert f"/numbers/{here.digits}/" in page
    assert f"/numbers/{gone.digits}/" not in page


def changed_at_the_end(of_alpha, alpha, acme, count=7):
    """The page that asks whether a job is to be undone, of which all numbers but the first two have changed since."""
    numbers = [factories.make_number(alpha) for _turn in range(count)]
    url = do(of_alpha, alpha, "assign", numbers, customer=acme.code)
    PhoneNumber.unscoped.filter(pk__in=[number.pk for number in numbers[2:]]).update(label="Theirs")
    return of_alpha.get(of_alpha.post(f"{url}undo/").url).text


def test_all_numbers_are_checked_before_somebody_confirms(of_alpha, alpha, acme, monkeypatch):
    monkeypatch.setattr(jobs, "CHECKED_AT_ONCE", 2)
    page = changed_at_the_end(of_alpha, alpha, acme)
    assert f"5</strong>: {CHANGED}" in page
    assert "At least" not in page


def test_what_is_not_checked_before_is_said(of_alpha, alpha, acme, monkeypatch):
    monkeypatch.setattr(jobs, "CHECKED_AT_ONCE", 2)
    monkeypatch.setattr(jobs, "CHECKED", 5)
    page = changed_at_the_end(of_alpha, alpha, acme)
    assert "Only the first 5 of 7 numbers were checked. At least these would be refused at present:" in page
    assert f"3</strong>: {CHANGED}" in page
    monkeypatch.setattr(jobs, "CHECKED", 2)
    page = changed_at_the_end(of_alpha, alpha, acme)
    assert "Only the first 2 of 7 numbers were checked. None of them would be refused at present." in page
