"""The portal's own database backend."""

import psycopg
import pytest
from django.db import DataError, OperationalError, ProgrammingError, connection, connections, transaction

from portal.database.base import Scope

pytestmark = pytest.mark.django_db(transaction=True)
SET = "SET LOCAL portal.scope = 'it''s 7'; SET LOCAL plan_cache_mode = auto"
INSIDE, DEEPER = (Scope("x", n, f"SET LOCAL portal.scope = '{n}'") for n in (1, 2))


@pytest.fixture
def beside():
    """Another session of the same database, which says what ours was last asked, and can end it."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as session:
        yield session


def process():
    return connection.connection.info.backend_pid


def setting():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('portal.scope', true)")
        return cursor.fetchone()[0] or ""


def test_a_transaction_and_its_first_statements_are_one_journey(beside, django_assert_num_queries):
    with django_assert_num_queries(3) as asked, transaction.atomic():
        connection.begin_with(SET)
        (last,) = beside.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [process()]).fetchone()
        assert last == f"BEGIN; {SET}"
    assert [query["sql"] for query in asked] == ["BEGIN", SET, "COMMIT"]
    assert setting() == ""


def test_in_a_transaction_that_has_begun_they_are_statements_like_any_others():
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        with transaction.atomic():
            connection.begin_with(SET)
            assert setting() == "it's 7"


def test_what_fails_at_the_beginning_leaves_a_session_that_can_be_used():
    with pytest.raises(DataError), transaction.atomic():
        connection.begin_with("SET LOCAL role = nobody_of_this_name")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_a_session_that_the_server_has_ended_is_a_lost_database(beside):
    transaction.set_autocommit(False)
    beside.execute("SELECT pg_terminate_backend(%s, 5000)", [process()])
    with pytest.raises(OperationalError):
        connection.begin_with(SET)
    connection.close()


# Scopes


def test_a_block_has_its_scope_and_the_one_around_it_has_its_own_again():
    with transaction.atomic():
        with connection.within(INSIDE):
            with connection.within(DEEPER):
                assert (setting(), connection.scope) == ("2", DEEPER)
            assert (setting(), connection.scope) == ("1", INSIDE)
            with connection.outside():
                assert (setting(), connection.scope) == ("", None)
            assert (setting(), connection.scope) == ("1", INSIDE)
        assert (setting(), connection.scope) == ("", None)


def test_a_transaction_that_ends_with_its_scope_puts_nothing_back(django_assert_num_queries):
    with django_assert_num_queries(3), transaction.atomic(), connection.within(INSIDE, until_it_ends=True):
        pass
    assert (setting(), connection.scope) == ("", None)


def test_leaving_where_there_is_no_scope_costs_nothing(django_assert_num_queries):
    with django_assert_num_queries(0), connection.outside():
        pass


def test_a_refusal_on_the_way_leaves_the_scope_around_it():
    with transaction.atomic(), connection.within(INSIDE):
        with pytest.raises(LookupError), connection.outside():
            raise LookupError
        assert (setting(), connection.scope) == ("1", INSIDE)


def test_a_statement_that_fails_outside_leaves_the_scope_of_the_savepoint_before_it():
    with transaction.atomic(), connection.within(INSIDE):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.outside(), connection.cursor() as cursor:
            cursor.execute("SELECT FROM nothing_of_this_name")
        assert (setting(), connection.scope) == ("1", INSIDE)


# One statement at a time


@pytest.mark.parametrize("second", ["SELECT 2", "RESET ROLE", "SET LOCAL ROLE none", "COMMIT"])
@pytest.mark.parametrize("first", ["SELECT 1", "SELECT %s", "COPY (SELECT 1) TO STDOUT"])
def test_a_text_with_two_statements_is_refused(first, second):
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="multiple commands"):
        cursor.execute(f"{first}; {second}", [1] if "%s" in first else None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_scripts_are_for_the_owner_of_the_tables(monkeypatch):
    monkeypatch.setattr(connections["default"], "is_owner", True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1; SELECT 2")
