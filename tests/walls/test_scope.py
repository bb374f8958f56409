"""The scope at every boundary of a request, and nothing of it left when the request is over."""

import itertools
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection
from django.test import Client

from accounts import policy
from accounts.models import AuditEvent
from accounts.policy import Door
from accounts.scope import role_called, scope
from accounts.walls.roles import portal_role
from numbers.models import PhoneNumber
from tests.factories import make_number
from tests.walls import probes
from tests.walls.probes import rights


@pytest.fixture(autouse=True)
def probed(settings, monkeypatch):
    """The portal with the probes, open to whoever may see the account's home."""
    settings.ROOT_URLCONF = "tests.walls.probes"
    monkeypatch.setitem(policy.ADDRESSES, "nobody", Door.PUBLIC)
    for view in probes.VIEWS:
        monkeypatch.setitem(policy.ADDRESSES, f"probe_{view.__name__}", "home.view")
    probes.AFTERWARDS.clear()


@pytest.fixture
def probe(signed_in):
    def ask(account, name, **query):
        return signed_in(account).get(f"/{account.code}/probe/{name}/", query)

    return ask


@pytest.fixture
def numbers(alpha, bravo, acme):
    """One number of each VAR, the first with a customer."""
    make_number(customer=acme, e164="+15145550100")
    make_number(var=bravo, e164="+15145550199")


KINDS = [
    ("system", "system", ["+15145550100", "+15145550199"]),
    ("alpha", "var", ["+15145550100"]),
    ("acme", "customer", ["+15145550100"]),
    ("jane", "customer", []),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "kind", "seen"), KINDS)
def test_a_page_runs_in_the_scope_of_the_account_that_is_acted_in(request, numbers, probe, name, kind, seen):
    account = request.getfixturevalue(name)
    answer = probe(account, "page").json()
    assert answer == {"rights": [role_called(kind), str(account.pk)], "numbers": seen}


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "kind", "seen"), KINDS)
def test_a_template_that_is_drawn_late_is_drawn_in_the_scope(request, numbers, probe, name, kind, seen):
    assert probe(request.getfixturevalue(name), "lazy").text.split() == seen


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "kind", "seen"), KINDS)
def test_a_stream_is_read_in_a_scope_of_its_own(request, numbers, probe, name, kind, seen):
    response = probe(request.getfixturevalue(name), "stream")
    assert connection.scope is None
    assert response.getvalue().decode().split() == [role_called(kind), *seen]
    assert connection.scope is None


@pytest.mark.django_db
def test_a_savepoint_that_is_rolled_back_leaves_the_scope(numbers, probe, alpha):
    answer = probe(alpha, "savepoint").json()
    assert answer == {"rights": [role_called("var"), str(alpha.pk)], "numbers": ["+15145550100"]}


@pytest.mark.django_db(transaction=True)
def test_what_runs_after_the_commit_has_no_scope_any_more(numbers, probe, alpha):
    probe(alpha, "commit")
    assert len(probes.AFTERWARDS) == 1
    assert "permission denied" in probes.AFTERWARDS[0]


@pytest.mark.django_db(transaction=True)
def test_a_page_that_fails_leaves_nothing_half_done(numbers, probe, alpha):
    with pytest.raises(ZeroDivisionError):
        probe(alpha, "fails")
    assert not PhoneNumber.unscoped.exclude(label="").exists()


@pytest.mark.django_db
def test_where_nobody_acts_the_portals_own_role_may_not_read_numbers(client, numbers):
    assert client.get("/nobody/").json() == {"rights": [portal_role(), ""]}
    with pytest.raises(ProgrammingError, match="permission denied"):
        client.get("/nobody/", {"numbers": ""})


@pytest.mark.django_db(transaction=True)
def test_the_live_servers_requests_have_the_portals_rights_and_no_more(live_server):
    with urlopen(f"{live_server.url}/nobody/") as answer:  # noqa: S310 - our own address
        assert answer.read().decode() == f'{{"rights": ["{portal_role()}", ""]}}'


def test_a_command_that_forgets_the_scope_is_refused(portals_connection, numbers):
    with portals_connection:
        with pytest.raises(ProgrammingError, match="permission denied"):
            PhoneNumber.unscoped.exists()
        with pytest.raises(CommandError, match="permission denied"):
            call_command("dumpdata", "numbers.PhoneNumber")


def test_demo_data_is_loaded_by_the_owner_and_the_walls_stand_afterwards(portals_connection):
    query = "SELECT count(*) FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity"
    with portals_connection:
        call_command("demo_data", numbers=100)
        with connection.cursor() as cursor:
            cursor.execute(query)
            assert cursor.fetchone() == (0,)


# Nested


@pytest.mark.django_db
def test_a_scope_inside_another_ends_with_the_outer_one_again(numbers, alpha, bravo):
    with scope(alpha):
        with scope(bravo):
            assert rights() == (role_called("var"), str(bravo.pk))
        assert rights() == (role_called("var"), str(alpha.pk))
        with pytest.raises(LookupError), scope(bravo):
            raise LookupError
        assert rights() == (role_called("var"), str(alpha.pk))
        with scope(alpha):
            assert rights() == (role_called("var"), str(alpha.pk))
    assert connection.scope is None
    assert rights()[1] == ""


@pytest.mark.django_db
def test_an_event_is_written_in_the_account_that_was_entered(client, alpha, acme, administrator_of):
    client.force_login(administrator_of(alpha))
    client.post(f"/{acme.code}/access/", {"next": f"/{acme.code}/"})
    assert list(AuditEvent.unscoped.values_list("account", "verb")) == [(acme.pk, "access.started")]


# Many requests on one connection


def test_tenants_on_one_connection_never_see_each_other(portals_connection, numbers, alpha, bravo, administrator_of):
    own = {alpha: "+15145550100", bravo: "+15145550199"}
    clients = {account: Client(raise_request_exception=False) for account in own}
    for account, client in clients.items():
        client.force_login(administrator_of(account))
    probed = ["page/", "lazy/", "stream/", "savepoint/", "fails/", "stream/?fails"]
    pages = [*(f"probe/{name}" for name in probed), "numbers/", "numbers/export.csv"]
    with portals_connection:
        assert rights() == (portal_role(), "")
        session = connection.connection
        for turn, page in zip(range(200), itertools.cycle(pages), strict=False):
            account, other = (alpha, bravo) if turn // 3 % 2 else (bravo, alpha)
            response = clients[account].get(f"/{account.code}/{page}")
            fails = page == "probe/fails/"
            assert response.status_code == (500 if fails else 200)
            try:
                body = b"".join(response).decode()
            except ZeroDivisionError:
                assert page == "probe/stream/?fails"
                body = own[account]
            response.close()
            assert own[other] not in body
            assert own[account] in body or fails
            assert rights() == (portal_role(), "")
            assert connection.connection is session
            assert not connection.in_atomic_block
