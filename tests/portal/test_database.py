"""The portal's own database backend."""

import psycopg
import pytest
from django.db import DataError, OperationalError, connection, transaction

pytestmark = pytest.mark.django_db(transaction=True)
SET = "SELECT set_config('portal.account', %s, true), current_setting('role'), NULL"


@pytest.fixture
def beside():
    """Another session of the same database, which says what ours was last asked, and can end it."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as session:
        yield session


def process():
    return connection.connection.info.backend_pid


def test_a_transaction_and_its_first_statement_are_one_journey(beside, django_assert_num_queries):
    with django_assert_num_queries(3) as asked, transaction.atomic():
        assert connection.begin_with(SET, ["it's 7"]) == ("it's 7", "none", "")
        (last,) = beside.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [process()]).fetchone()
        assert last == "BEGIN; " + SET.replace("%s", "'it''s 7'")
    assert [query["sql"] for query in asked] == ["BEGIN", SET, "COMMIT"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('portal.account', true)")
        assert cursor.fetchone() == ("",)


def test_in_a_transaction_that_has_begun_it_is_a_statement_like_any_other():
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        with transaction.atomic():
            assert connection.begin_with(SET, ["7"]) == ("7", "none", "")


def test_what_fails_at_the_beginning_leaves_a_session_that_can_be_used():
    with pytest.raises(DataError), transaction.atomic():
        connection.begin_with("SELECT %s::integer", ["seven"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_a_session_that_the_server_has_ended_is_a_lost_database(beside):
    transaction.set_autocommit(False)
    beside.execute("SELECT pg_terminate_backend(%s, 5000)", [process()])
    with pytest.raises(OperationalError):
        connection.begin_with(SET, ["7"])
    connection.close()
