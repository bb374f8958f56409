"""Every constraint and trigger of our tables, as the catalogue has them: what it refuses is refused by it alone."""

from itertools import count

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from accounts.models import Access, Account
from numbers.models import PastNumber

OURS = [m._meta.db_table for m in apps.get_models() if m._meta.app_label in ("accounts", "numbers", "webphone")]
#: CHECK -> a change of rows of tree A that it refuses
VIOLATIONS = {
    "accounts_account_only_the_system_has_no_parent": "UPDATE accounts_account SET parent_id = NULL WHERE id = {var}",
    "accounts_account_code_form": "UPDATE accounts_account SET code = 'X1' WHERE id = {var}",
    "accounts_access_started_expires": "UPDATE accounts_access SET expires_at = now() WHERE id = {access}",
    "numbers_destination_service_has_type": "UPDATE numbers_destination SET service_type = 'fax' WHERE kind = 'user'",
    "numbers_destination_extension_digits": "UPDATE numbers_destination SET extension = 'x1' WHERE kind = 'group'",
    "numbers_number_e164": "UPDATE numbers_phonenumber SET e164 = '12' WHERE id = {number}",
    "numbers_number_customer_since": "UPDATE numbers_phonenumber SET assigned_at = NULL WHERE id = {number}",
    "numbers_number_destination_has_customer":
        "UPDATE numbers_phonenumber SET customer_id = NULL, assigned_at = NULL, first_call_at = NULL,"
        " last_call_at = NULL WHERE destination_id IS NOT NULL",
    "numbers_number_reserved_until":
        "UPDATE numbers_phonenumber SET reserved_until = NULL WHERE reserved_for_id IS NOT NULL",
    "numbers_number_cooling_is_free": "UPDATE numbers_phonenumber SET cooling_until = now() WHERE id = {number}",
    "numbers_number_calls_of_tenure":
        "UPDATE numbers_phonenumber SET first_call_at = now(), last_call_at = NULL WHERE id = {number}",
    "numbers_job_started": "UPDATE numbers_job SET started_at = NULL",
    "numbers_import_statement_of": "UPDATE numbers_import SET is_statement = true, provider_id = NULL",
    "numbers_order_confirmed": "UPDATE numbers_order SET confirmed_at = NULL WHERE state = 'done'",
    "numbers_order_asked": "UPDATE numbers_order SET state = 'asked', wish = '' WHERE state = 'done'",
    "numbers_stocklevel_sound": "UPDATE numbers_stocklevel SET prefix = '12'",
    "webphone_call_ended": "UPDATE webphone_call SET outcome = ''",
    "webphone_location_form": "UPDATE webphone_location SET number = '12'",
    "numbers_past_in_order": "UPDATE numbers_pastnumber SET until = since",
}  # fmt: skip
TURN = count()


def ask(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else None


def refusal(statement):
    """The name of the constraint that refuses a statement; nothing when it is done. Nothing of it stays."""
    try:
        with transaction.atomic():
            ask(statement)
            ask("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
    except DatabaseError as error:
        return error.__cause__.diag.constraint_name or str(error)
    return None


@pytest.fixture(autouse=True)
def nothing_waits(world):
    """A table that has yet to check a row cannot be changed."""
    ask("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def constraints(world):
    """Every constraint of our tables as (table, name, kind, columns, the table it points at)."""
    return ask(
        "SELECT c.conrelid::regclass::text, c.conname, c.contype::text,"
        " (SELECT array_agg(a.attname::text ORDER BY u.place) FROM unnest(c.conkey) WITH ORDINALITY u(n, place)"
        "  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = u.n),"
        " CASE WHEN c.confrelid <> 0 THEN c.confrelid::regclass::text END"
        " FROM pg_constraint c WHERE c.conrelid::regclass::text = ANY(%s) AND c.contype <> 'n' ORDER BY 1, 2",
        OURS,
    )


def test_the_catalogue_has_what_the_models_declare(constraints):
    """What follows tries what is there; this says what has to be there."""
    present = {(table, kind, tuple(columns)) for table, _name, kind, columns, _other in constraints if columns}
    names = {name for _table, name, *_rest in constraints}
    names |= {name for (name,) in ask("SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique")}
    for model in [m for m in apps.get_models() if m._meta.db_table in OURS and m._meta.managed]:
        table = model._meta.db_table
        for column in model._meta.concrete_fields:
            if column.is_relation and column.db_constraint:
                assert (table, "f", (column.column,)) in present, column
            if column.unique and not column.primary_key:
                assert (table, "u", (column.column,)) in present, column
        for together in model._meta.unique_together:
            assert (table, "u", tuple(model._meta.get_field(name).column for name in together)) in present, together
        assert {constraint.name for constraint in model._meta.constraints} <= names


def facts(world):
    number = world.number_of(world.a.company)
    access = next(row for row in world.a.rows if isinstance(row, Access))
    return {"var": world.a.var.pk, "number": number.pk, "access": access.pk}


def columns_of(table):
    """The columns that are written, but for the id."""
    return [
        name
        for (name,) in ask(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = '' AND attname <> 'id'",
            table,
        )
    ]


def others_dropped(table, name, kinds=("u", "x")):
    """Take away what else could refuse a copy of a row."""
    for (other,) in ask(
        "SELECT conname::text FROM pg_constraint WHERE conrelid = %s::regclass AND conname <> %s"
        " AND contype = ANY(%s) AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conindid = pg_constraint.conindid"
        " AND f.contype = 'f')",
        table, name, list(kinds),
    ):  # fmt: skip
        ask(f'ALTER TABLE {table} DROP CONSTRAINT "{other}"')
    for (other,) in ask(
        "SELECT indexrelid::regclass::text FROM pg_index i WHERE indrelid = %s::regclass AND indisunique"
        " AND indexrelid::regclass::text <> %s AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        table, name,
    ):  # fmt: skip
        ask(f"DROP INDEX {other}")


def test_every_check_refuses_what_it_is_there_for(world, constraints):
    checks = {name: table for table, name, kind, _columns, _other in constraints if kind == "c"}
    implied = {name for name in checks if name.endswith("_check")}  # Django's own: no number below zero
    assert set(checks) - implied == set(VIOLATIONS), "Say in VIOLATIONS what each CHECK refuses."
    of_columns = {(table, columns[0]) for table, name, _kind, columns, _other in constraints if name in implied}
    assert of_columns == {
        (model._meta.db_table, column.column)
        for model in apps.get_models() if model._meta.db_table in OURS and model._meta.managed
        for column in model._meta.concrete_fields if column.db_parameters(connection)["check"]
    }  # fmt: skip
    for name, statement in VIOLATIONS.items():
        assert refusal(statement.format(**facts(world))) == name
    for table, name, _kind, (column, *_more), _other in constraints:
        if name in implied:
            assert refusal(f"UPDATE {table} SET {column} = -1") == name


def test_every_foreign_key_refuses_what_is_not_there(world, constraints):
    pointed = [(table, name, columns) for table, name, kind, columns, _other in constraints if kind == "f"]
    assert len(pointed) > 15
    for table, name, columns in pointed:
        with transaction.atomic():
            # Where two keys are on one column, each has to refuse by itself.
            for other_table, other, other_columns in pointed:
                if other_table == table and other != name and columns[0] in other_columns:
                    ask(f'ALTER TABLE {table} DROP CONSTRAINT "{other}"')
            # Nor may rows that point at this one speak first.
            for pointing, other in ask(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' AND conname <> %s"
                " AND confrelid = %s::regclass",
                name,
                table,
            ):
                ask(f'ALTER TABLE {pointing} DROP CONSTRAINT IF EXISTS "{other}"')
            for (trigger,) in ask(
                "SELECT tgname::text FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", table
            ):
                ask(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
            for check in VIOLATIONS:
                ask(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {check}")
            ask(f'ALTER TABLE {table} ALTER COLUMN "{columns[0]}" DROP NOT NULL')
            filled = " AND ".join(f"{c} IS NOT NULL" for c in columns[1:]) or "true"
            target = f"id = (SELECT id FROM {table} WHERE {filled} LIMIT 1)"
            assert ask(f"SELECT count(*) FROM {table} WHERE {target}")[0][0] == 1, f"{table} has no row for {name}"
            assert refusal(f"UPDATE {table} SET {columns[0]} = -5 WHERE {target}") == name
            transaction.set_rollback(True)


def test_every_unique_constraint_refuses_a_second(world, constraints):
    uniques = {(table, name) for table, name, kind, _columns, _other in constraints if kind in "pu"}
    uniques |= set(
        ask(
            "SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index"
            " WHERE indisunique AND indrelid::regclass::text = ANY(%s)",
            OURS,
        )
    )
    assert len(uniques) > 12
    Account.unscoped.filter(pk=world.a.company.pk).update(form_key="00000000-0000-4000-8000-000000000001")
    Access.unscoped.filter(pk=facts(world)["access"]).update(
        started_at="2026-01-01T00:00Z", expires_at="2026-01-02T00:00Z"
    )
    ask("UPDATE accounts_person SET password = 'chosen' WHERE id = (SELECT min(id) FROM accounts_person)")
    for table, name in sorted(uniques):
        with transaction.atomic():
            # What rows of other tables point at is not dropped below: there may be two such keys.
            for pointing, other in ask(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f'"
                " AND confrelid = %s::regclass AND conrelid <> confrelid",
                table,
            ):
                ask(f'ALTER TABLE {pointing} DROP CONSTRAINT "{other}"')
            others_dropped(table, name)
            for check in ("parent", "kind"):
                ask(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS accounts_account_{check}")
            names = ", ".join(f'"{c}"' for c in columns_of(table))
            has_id = name.endswith(
                ("_pkey", "_id_parent", "_id_customer", "_id_account", "_id_customer_var", "_id_order", "_id_var")
            )
            if not name.endswith("_pkey") and has_id:
                ask(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey CASCADE")
            copy, source = (f"id, {names}",) * 2 if has_id else (names, names)
            # Each row again: one of them is what a partial constraint is about.
            override = " OVERRIDING SYSTEM VALUE" if has_id else ""
            # A partition refuses by its own name of it.
            named = ask(
                "SELECT part.conname FROM pg_constraint part JOIN pg_constraint whole ON whole.oid = part.conparentid"
                " WHERE whole.conname = %s",
                name,
            )
            refused = refusal(f"INSERT INTO {table} ({copy}){override} SELECT {source} FROM {table}")
            assert refused in {name, *(part for (part,) in named)}
            transaction.set_rollback(True)


def test_every_trigger_refuses_what_it_is_there_for(world):
    triggers = ask(
        "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY(%s)", OURS
    )
    history = {"accounts_auditevent_no_change", "accounts_auditevent_no_truncate", "accounts_auditevent_concerns"}
    past = {"numbers_phonenumber_past", "numbers_phonenumber_gone"}
    assert {name for (name,) in triggers} == history | past
    ask("ALTER TABLE accounts_auditevent ENABLE TRIGGER accounts_auditevent_no_truncate")
    for statement in ("UPDATE {} SET verb = verb", "DELETE FROM {}", "TRUNCATE {}"):
        assert "history cannot be changed" in refusal(statement.format("accounts_auditevent"))
    columns = ", ".join(name for name in columns_of("accounts_auditevent") if name != "concerns_id")
    stranger = world.b.company.pk
    assert "right above or below" in refusal(
        f"INSERT INTO accounts_auditevent ({columns}, concerns_id) SELECT {columns}, {stranger}"
        f" FROM accounts_auditevent WHERE account_id = {world.a.var.pk}"
    )


def test_whatever_changes_a_number_leaves_what_was_before(world):
    number = world.number_of(world.a.company)
    ask("UPDATE numbers_phonenumber SET destination_id = NULL WHERE id = %s", number.pk)
    ask("UPDATE numbers_phonenumber SET label = 'no change of hold' WHERE id = %s", number.pk)
    ask("DELETE FROM numbers_phonenumber WHERE id = %s", number.pk)
    first, second = PastNumber.unscoped.filter(number_id=number.pk, since__gte=number.since).order_by("since")
    assert (first.since, first.until, first.destination_name) == (number.since, second.since, number.destination.name)
    assert (second.destination_name, second.customer) == ("", world.a.company)
