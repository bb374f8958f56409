"""What a customer's numbers ring: adding, changing, deleting, and the list."""

import csv
import io

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from accounts.actor import Actor
from accounts.models import Access, AuditEvent
from numbers.actions import destinations as actions
from numbers.models import Destination, PhoneNumber
from tests.factories import grant, make_destination, make_number, make_person

pytestmark = pytest.mark.django_db
TYPED = {"use": "service:fax", "name": "Accounting fax", "extension": "103"}
HOSTILE_NAMES = ["", " ", "a\0b", "x" * 121, "a\u2028b"]
HOSTILE_EXTENSIONS = ["12a", "-1", "1" * 11, "１０１", "1 2", "+1", "\0"]
HOSTILE_USES = ["", "service", "service:", "user:fax", "robot", "service:robot", "group:"]


@pytest.fixture
def pages(acme, signed_in):
    client = signed_in(acme)

    def go(path="", **typed):
        address = f"/{acme.code}/destinations/{path}"
        return client.post(address, typed) if typed else client.get(address)

    return go


def verbs():
    return list(AuditEvent.unscoped.order_by("pk").values_list("verb", flat=True))


# Adding


@pytest.mark.parametrize(
    ("use", "kind", "service_type"),
    [("user", "user", ""), ("group", "group", "")]
    + [(f"service:{service}", "service", service) for service in Destination.ServiceType.values],
)
def test_each_use_can_be_added(pages, acme, alpha, use, kind, service_type):
    answer = pages("add/", use=use, name="  Front desk ", extension=" 100 ")
    added = Destination.unscoped.get()
    assert answer.url == f"/{acme.code}/destinations/{added.pk}/"
    assert (added.customer, added.var, added.kind, added.service_type) == (acme, alpha, kind, service_type)
    assert (added.name, added.extension) == ("Front desk", "100")
    event = AuditEvent.unscoped.get()
    assert (event.verb, event.target, event.account) == ("destination.added", "Front desk", acme)
    assert event.after == {"use": kind, "service_type": service_type, "name": "Front desk", "extension": "100"}


@pytest.mark.parametrize(
    ("field", "text"),
    [("name", text) for text in HOSTILE_NAMES]
    + [("extension", text) for text in HOSTILE_EXTENSIONS]
    + [("use", text) for text in HOSTILE_USES],
    ids=ascii,
)
@pytest.mark.parametrize("path", ["add/", "change/"])
def test_what_cannot_be_is_refused_and_what_was_typed_is_kept(pages, acme, path, field, text):
    before = make_destination(acme, "Before")
    page = pages(path if path == "add/" else f"{before.pk}/change/", **(TYPED | {field: text}))
    assert page.status_code == 422
    for name in {"name", "extension"} - {field}:
        assert f'value="{TYPED[name]}"' in page.text
    if field != "use":
        assert '<option value="service:fax" selected>' in page.text
    assert list(Destination.unscoped.values_list("name", "kind", "extension")) == [("Before", "user", "")]
    assert verbs() == []


def test_an_extension_belongs_to_one_destination_of_an_account(pages, acme, zenith):
    pages("add/", **TYPED)
    page = pages("add/", **(TYPED | {"name": "Another"}))
    assert page.status_code == 422
    assert "103 is the extension of Accounting fax already." in page.text
    assert 'value="Another"' in page.text
    elsewhere = make_destination(zenith, "Elsewhere")
    Destination.unscoped.filter(pk=elsewhere.pk).update(extension="103")
    for name in ("One", "Two"):
        assert pages("add/", use="user", name=name, extension="").status_code == 302
    assert verbs() == ["destination.added"] * 3


@pytest.mark.parametrize("extension", ["12a", "١", "-"])
def test_the_database_refuses_an_extension_that_is_not_digits(acme, extension):
    made = make_destination(acme)
    with pytest.raises(IntegrityError), transaction.atomic():
        Destination.unscoped.filter(pk=made.pk).update(extension=extension)


@pytest.mark.parametrize(
    "wrong", [{"kind": "robot"}, {"kind": "service"}, {"service_type": "fax"}, {"extension": "1a"}], ids=str
)
def test_the_action_refuses_what_no_form_sends(acme, actor_in, wrong):
    right = {"kind": "user", "service_type": "", "name": "N", "extension": ""}
    with pytest.raises(ValidationError):
        actions.add_destination(actor_in(acme), **(right | wrong))
    assert not Destination.unscoped.exists()
    assert verbs() == []


# Changing


def test_a_change_is_saved_and_the_numbers_go_on_ringing_it(pages, acme):
    made = make_destination(acme, "Reception")
    number = make_number(destination=made)
    pages(f"{made.pk}/change/", **TYPED)
    made.refresh_from_db()
    assert (made.name, made.kind, made.service_type, made.extension) == ("Accounting fax", "service", "fax", "103")
    assert PhoneNumber.unscoped.get(pk=number.pk).destination == made
    event = AuditEvent.unscoped.get()
    assert event.before == {"use": "user", "service_type": "", "name": "Reception", "extension": ""}
    assert event.after == {"use": "service", "service_type": "fax", "name": "Accounting fax", "extension": "103"}


def test_the_form_begins_with_what_there_is(pages, acme):
    made = make_destination(acme, "Fax <b>", kind="service", service_type="fax")
    page = pages(f"{made.pk}/change/").text
    assert '<option value="service:fax" selected>' in page
    assert 'value="Fax &lt;b&gt;"' in page


# Deleting


def test_what_no_number_rings_is_deleted(pages, acme):
    made = make_destination(acme, "Reception")
    assert "No number rings it" in pages(f"{made.pk}/delete/").text
    assert Destination.unscoped.exists()
    assert pages(f"{made.pk}/delete/", sure="1").url == f"/{acme.code}/destinations/"
    assert not Destination.unscoped.exists()
    event = AuditEvent.unscoped.get()
    assert (event.verb, event.target) == ("destination.deleted", "Reception")


def test_what_numbers_ring_is_not_deleted_and_they_are_named(pages, acme):
    made = make_destination(acme, "Reception")
    for i in range(7):
        make_number(destination=made, e164=f"+1514555010{i}")
    for page in (pages(f"{made.pk}/delete/"), pages(f"{made.pk}/delete/", sure="1")):
        assert "cannot be deleted while numbers ring it: +1 514-555-0100, +1 514-555-0101" in page.text
        assert "and 2 more" in page.text
    assert page.status_code == 422
    assert Destination.unscoped.exists()
    assert verbs() == []


# Who may


def test_destinations_of_others_are_as_good_as_none(pages, acme, zenith, actor_in):
    foreign = make_destination(zenith, "Zed Foreign")
    for path in ("", "change/", "delete/"):
        answers = [pages(f"{pk}/{path}") for pk in (foreign.pk, 10**9, 10**30)]
        answers += [pages(f"{pk}/{path}", **TYPED) for pk in (foreign.pk, 10**9, 10**30) if path]
        assert {answer.status_code for answer in answers} == {404}
    for act in (
        lambda: actions.delete_destination(actor_in(acme), foreign.pk),
        lambda: actions.change_destination(
            actor_in(acme), foreign.pk, kind="user", service_type="", name="N", extension=""
        ),
    ):
        with pytest.raises(Destination.DoesNotExist):
            act()
    foreign.refresh_from_db()
    assert foreign.name == "Zed Foreign"
    assert verbs() == []


def test_a_user_may_nothing(acme):
    actor, made = Actor.at_home(make_person(acme)), make_destination(acme)
    with pytest.raises(PermissionDenied):
        actions.add_destination(actor, kind="user", service_type="", name="N", extension="")
    with pytest.raises(PermissionDenied):
        actions.change_destination(actor, made.pk, kind="user", service_type="", name="N", extension="")
    with pytest.raises(PermissionDenied):
        actions.delete_destination(actor, made.pk)
    assert verbs() == []


@pytest.mark.parametrize("permission", ["view_account", "manage_account"])
def test_from_inside_one_changes_what_one_was_let_in_for(client, system, alpha, acme, permission):
    agent, made = make_person(system, role="support"), make_destination(acme)
    grant(agent, acme, permission)
    client.force_login(agent)
    client.post(f"/{acme.code}/access/")
    manages = permission == "manage_account"
    page = client.get(f"/{acme.code}/destinations/{made.pk}/")
    assert ("/change/" in page.text) == manages
    answer = client.post(f"/{acme.code}/destinations/add/", TYPED)
    assert answer.status_code == (302 if manages else 403)
    assert Destination.unscoped.count() == (2 if manages else 1)
    if manages:
        assert AuditEvent.unscoped.get(verb="destination.added").access == Access.unscoped.get()


# The list and the page of one


@pytest.fixture
def stocked(acme, zenith):
    reception = make_destination(acme, "Réception", kind="service", service_type="virtual_receptionist")
    sales, uma = make_destination(acme, "Sales", kind="group"), make_destination(acme, "Uma Patel")
    for destination, extension in ((reception, "100"), (sales, "20"), (uma, "")):
        Destination.unscoped.filter(pk=destination.pk).update(extension=extension)
    make_number(destination=reception, e164="+15145550101", label="Main line")
    make_number(destination=reception, e164="+15145550100")
    make_number(destination=sales)
    make_number(destination=make_destination(zenith, "Zed Foreign"))
    return reception


def test_the_list_shows_own_destinations_with_how_many_numbers_ring_each(pages, stocked, acme):
    rows = pages("export.csv").getvalue().decode()
    assert list(csv.reader(io.StringIO(rows))) == [
        ["Name", "Use", "Extension", "Numbers"],
        ["Réception", "Service (Virtual receptionist)", "100", "2"],
        ["Sales", "Group", "20", "1"],
        ["Uma Patel", "User", "", "0"],
    ]
    page = pages().text
    assert "Zed Foreign" not in page
    assert f'href="/{acme.code}/numbers/?used_by=R%C3%A9ception"' in page
    assert pages("export.pdf").getvalue().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("filter=services", ["Réception"]),
        ("filter=users", ["Uma Patel"]),
        ("filter=groups", ["Sales"]),
        ("use=receptionist", ["Réception"]),
        ("name=reception", ["Réception"]),
        ("extension=2", ["Sales"]),
        ("sort=extension", ["Sales", "Réception", "Uma Patel"]),
        ("sort=-numbers", ["Réception", "Sales", "Uma Patel"]),
        ("sort=use", ["Sales", "Réception", "Uma Patel"]),
    ],
)
def test_the_list_is_searched_filtered_and_sorted(pages, stocked, query, names):
    listing = pages(f"?{query}").context["listing"]
    assert [row["name"] for row in listing["rows"]] == names


def test_the_list_is_paged_by_every_column(pages, acme):
    for i in range(30):
        make_number(destination=make_destination(acme, f"Same {i % 3}", kind=("user", "group")[i % 2]))
    for sort in ("name", "-use", "extension", "-numbers"):
        seen, url = [], f"?size=25&sort={sort}"
        while url:
            listing = pages(url).context["listing"]
            seen += [row["pk"] for row in listing["rows"]]
            url = listing["paging"].next_url.removeprefix(f"/{acme.code}/destinations/")
        assert len(seen) == len(set(seen)) == 30


def test_a_destinations_page_lists_its_numbers(pages, stocked, acme):
    page = pages(f"{stocked.pk}/").text
    assert page.index("+1 514-555-0100") < page.index("+1 514-555-0101")
    assert "Main line" in page
    assert f'href="/{acme.code}/numbers/15145550100/"' in page
    assert "Virtual receptionist" in page


@pytest.mark.parametrize("rows", [1, 30])
def test_the_list_takes_the_same_queries_at_any_size(pages, acme, rows, django_assert_num_queries):
    for _ in range(rows):
        make_number(destination=make_destination(acme))
    with django_assert_num_queries(8):  # session, person with account, the scope's four, counts, rows
        pages()


@pytest.mark.parametrize("rows", [1, 30])
def test_a_destinations_page_takes_as_many_queries_for_any_number_of_numbers(
    pages, acme, rows, django_assert_num_queries
):
    made = make_destination(acme)
    for _ in range(rows):
        make_number(destination=made)
    # session, person with account, the scope's four, destination, numbers, count, available numbers
    with django_assert_num_queries(10):
        pages(f"{made.pk}/")
