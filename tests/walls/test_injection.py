"""What somebody finds who can have statements of their own run inside a page: the portal's sign-in, and its scope."""

import time

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from accounts.models import Person
from accounts.scope import role_called, signed
from numbers.models import TelephoneSystem
from tests.factories import make_person

REFUSED = psycopg.errors.InsufficientPrivilege
SYSTEM, CUSTOMER = role_called("system"), role_called("customer")


@pytest.fixture
def inside(rows, transactional_db):
    """Open a session as the portal does, in a scope; what fails is rolled back to a savepoint."""
    sessions = []

    def open_in(name, account):
        mine = connection.get_connection_params() | {
            "user": settings.PORTAL_SIGN_IN["USER"],
            "password": settings.PORTAL_SIGN_IN["PASSWORD"],
        }
        session = psycopg.connect(**mine | {"cursor_factory": psycopg.ClientCursor})
        sessions.append(session)
        session.execute(signed(name, account.pk).statements)
        return session

    yield open_in
    for session in sessions:
        session.close()


@pytest.fixture
def customer(inside, acme):
    return inside("customer", acme)


def tried(session, *statements):
    """What the last of the statements answers, or the error of the first that fails."""
    try:
        with session.transaction():
            for statement in statements:
                cursor = session.execute(statement)
            return cursor.fetchall() if cursor.description else cursor.rowcount
    except psycopg.Error as error:
        return type(error)


# One SELECT


@pytest.mark.parametrize(
    "select",
    [
        "SELECT set_config('portal.scope', 'customer|{zenith}|0|x', true)",
        "SELECT set_config('role', '{system}', true)",
        "SELECT pg_catalog.set_config('role', 'none', false)",
        "WITH x AS MATERIALIZED (SELECT set_config('role', 'none', true)) SELECT * FROM x",
        "SELECT query_to_xml('SELECT set_config(''role'', ''none'', true)', true, true, '')",
        "SELECT * FROM ts_stat('SELECT set_config(''role'', ''none'', true)::tsvector')",
        "UPDATE pg_settings SET setting = 'none' WHERE name = 'role'",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_creat(-1)",
        "SELECT pg_notify('procrastinate_queue_v1#default', 'x')",
        "SELECT lo_get(1)",
        "SELECT * FROM pg_stat_activity",
        "SELECT pg_stat_get_backend_activity(1)",
        "SELECT * FROM wall.key",
        "CREATE TEMPORARY TABLE mine (a int)",
        "SELECT password FROM accounts_person",
        "SELECT p FROM accounts_person p",
        "SELECT count(*) FROM accounts_person WHERE password LIKE 'a%'",
        "SELECT * FROM django_session",
        "SELECT * FROM mfa_authenticator",
        "SELECT * FROM usersessions_usersession",
        "SELECT * FROM account_emailaddress",
        "SELECT * FROM portal_cache",
        "SELECT * FROM procrastinate_jobs",
        "SELECT * FROM numbers_telephonesystem",
    ],
)
def test_one_select_finds_no_way_out_and_nothing_that_signs_people_in(customer, zenith, select):
    assert tried(customer, select.format(zenith=zenith.pk, system=SYSTEM)) is REFUSED


def test_of_people_and_accounts_one_sees_ones_own_and_those_above(customer, inside, system, alpha, acme, jane, zenith):
    own, above, sibling, other = (make_person(account).pk for account in (acme, alpha, jane, zenith))
    seen = {pk for (pk,) in tried(customer, "SELECT id FROM accounts_account")}
    assert seen == {acme.pk, alpha.pk, system.pk}
    seen = {pk for (pk,) in tried(customer, "SELECT id FROM accounts_person")}
    assert {own, above} <= seen
    assert not seen & {sibling, other}
    reseller = inside("var", alpha)
    seen = {pk for (pk,) in tried(reseller, "SELECT id FROM accounts_account")}
    assert seen == {acme.pk, jane.pk, alpha.pk, system.pk}
    seen = {pk for (pk,) in tried(reseller, "SELECT id FROM accounts_person")}
    assert {own, above, sibling} <= seen
    assert other not in seen


# A statement of one's own


def forged(kind, account_id, made, signature="0" * 64):
    return f"SET LOCAL portal.scope = '{kind}|{account_id}|{made}|{signature}'"


@pytest.mark.parametrize("kind", ["customer", "var", "system"])
@pytest.mark.parametrize("table", ["numbers_phonenumber", "numbers_destination", "accounts_auditevent"])
def test_a_statement_of_ones_own_takes_no_other_account(customer, zenith, kind, table):
    role, read = f'SET LOCAL ROLE "{role_called(kind)}"', f"SELECT count(*) FROM {table}"
    assert tried(customer, read) != REFUSED
    assert tried(customer, forged(kind, zenith.pk, int(time.time())), role, read) is REFUSED
    assert tried(customer, "SET LOCAL portal.scope = ''", role, read) is REFUSED
    assert tried(customer, "RESET portal.scope", role, read) is REFUSED


def test_with_ones_own_signature_one_takes_no_role_and_no_account_of_others(customer, acme, zenith):
    read = "SELECT count(*) FROM numbers_phonenumber"
    ((mine,),) = tried(customer, "SHOW portal.scope")
    kind, account, made, signature = mine.split("|")
    assert (kind, account) == ("customer", str(acme.pk))
    assert tried(customer, read) == [(1,)]
    for role in ("system", "var"):
        assert tried(customer, f'SET LOCAL ROLE "{role_called(role)}"', read) is REFUSED
        assert tried(customer, forged(role, account, made, signature), read) is REFUSED
    assert tried(customer, forged(kind, zenith.pk, made, signature), read) is REFUSED
    assert tried(customer, forged(kind, account, int(made) + 1, signature), read) is REFUSED


def test_a_signature_is_good_for_transactions_that_begin_within_five_minutes(customer, acme, monkeypatch):
    read = "SELECT count(*) FROM numbers_phonenumber"
    for seconds, answer in ((-400, REFUSED), (-200, [(1,)]), (200, [(1,)]), (400, REFUSED)):
        with monkeypatch.context() as patch:
            now = time.time() + seconds
            patch.setattr(time, "time", lambda now=now: now)
            statements = signed("customer", acme.pk).statements
        assert tried(customer, statements, read) == answer


def test_a_signature_of_an_older_key_is_worth_nothing(customer, acme, settings):
    settings.SECRET_KEY = "another" * 8
    read = "SELECT count(*) FROM numbers_phonenumber"
    assert tried(customer, signed("customer", acme.pk).statements, read) is REFUSED


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_account SET status = 'suspended' WHERE id = {acme}",
        "UPDATE accounts_account SET number_quota = NULL WHERE id = {acme}",
        "UPDATE accounts_account SET parent_id = {zenith} WHERE id = {acme}",
        "INSERT INTO accounts_account (code, kind, name, parent_id) VALUES ('C99999', 'company', 'x', {alpha})",
        "UPDATE accounts_person SET password = 'x' WHERE account_id = {acme}",
        "UPDATE accounts_person SET email = 'x@example.org' WHERE account_id = {acme}",
        "UPDATE accounts_person SET account_id = {alpha} WHERE account_id = {acme}",
        "DELETE FROM accounts_person",
        "INSERT INTO accounts_access (person_id, account_id, sign_in, chain, manages, reason, entered_from, ended_why)"
        " SELECT id, {acme}, 'x', '{{1}}', true, '', '', '' FROM accounts_person LIMIT 1",
        "UPDATE accounts_access SET account_id = {zenith}",
        "UPDATE accounts_access SET manages = true",
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('default', 'numbers.run_job', '{{}}')",
        "INSERT INTO portal_cache VALUES ('x', '1', now())",
        "SELECT * FROM numbers_record_calls(1, '{{a}}', '{{1}}', '{{2026-01-01}}')",
        "DELETE FROM accounts_auditevent",
        "TRUNCATE accounts_auditevent CASCADE",
    ],
)
def test_a_customers_scope_writes_no_rights_and_no_history(customer, alpha, acme, zenith, statement):
    assert tried(customer, statement.format(alpha=alpha.pk, acme=acme.pk, zenith=zenith.pk)) is REFUSED


def test_rows_of_others_are_not_there_to_be_written(customer, inside, alpha, acme, jane, zenith):
    for account in (jane, zenith, alpha):
        make_person(account)
        assert tried(customer, f"UPDATE accounts_account SET contact = 'x' WHERE id = {account.pk}") == 0
        assert tried(customer, f"UPDATE accounts_person SET name = 'x' WHERE account_id = {account.pk}") == 0
    reseller = inside("var", alpha)
    assert tried(reseller, f"UPDATE accounts_account SET status = 'suspended' WHERE id = {zenith.pk}") == 0
    assert tried(reseller, f"UPDATE accounts_account SET status = 'suspended' WHERE id = {acme.pk}") == 1
    assert tried(reseller, f"UPDATE accounts_access SET ended_at = now() WHERE account_id = {acme.pk}") == 0


def test_a_person_that_a_page_loads_comes_without_the_password(acme):
    person = make_person(acme, password="not-for-pages")
    assert Person.objects.get(pk=person.pk).password
    with transaction.atomic(), connection.within(signed("customer", acme.pk)):
        found = Person.objects.select_related("account").get(pk=person.pk)
        assert (found.password, found.has_joined) == (None, True)


def test_calls_are_taken_down_for_a_phone_system_of_the_scopes_account_that_was_not_revoked(inside, alpha, bravo):
    report = "SELECT recorded, unknown FROM numbers_record_calls({}, '{{a}}', '{{1}}', '{{2026-01-01}}')"
    own, foreign, revoked = (
        TelephoneSystem.unscoped.create(account=account, name=name, token_hash=name, added_by=make_person(account))
        for account, name in ((alpha, "own"), (bravo, "foreign"), (alpha, "revoked"))
    )
    TelephoneSystem.unscoped.filter(pk=revoked.pk).update(revoked_at=timezone.now())
    reseller = inside("var", alpha)
    assert tried(reseller, report.format(own.pk)) == [(0, 1)]
    assert tried(reseller, report.format(foreign.pk)) is REFUSED
    assert tried(reseller, report.format(revoked.pk)) is REFUSED


def test_roles_of_scopes_cannot_be_taken_by_each_other_for_good(customer):
    """RESET ROLE leads back to the portal's own role, which has no rights on rows of tenants: docs/security.md."""
    for table in ("numbers_phonenumber", "accounts_auditevent", "numbers_order"):
        read = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        assert tried(customer, "RESET ROLE", read) is REFUSED
        assert tried(customer, "SET LOCAL ROLE none", read) is REFUSED
