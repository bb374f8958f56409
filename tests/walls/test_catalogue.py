"""What PostgreSQL's own catalogue says of every table, without a list of exceptions."""

import pytest
from django.db import connection

from accounts.scope import BUYER, role_called
from accounts.walls import FUNCTIONS, OPEN, OPEN_TO_BUYERS, VIEWS, WALLS, building
from accounts.walls.roles import all_roles, portal_role, scope_roles
from portal.database.functions import UNWANTED
from tests.mutants.database import DECISIONS

pytestmark = pytest.mark.django_db
#: Columns that say whose a row is.
TENANT_COLUMNS = {"var_id", "customer_id", "account_id", "reserved_for_id", "last_holder_id"}
each_walled = pytest.mark.parametrize("table", WALLS)


def ask(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def tables():
    """Every table of the portal's, with its columns."""
    return dict(
        ask(
            "SELECT c.relname, array_agg(a.attname::text) FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'f', 'v', 'm')"
            " AND NOT c.relispartition"  # those are closed, see below
            " GROUP BY 1"
        )
    )


def policies(table):
    return ask(
        "SELECT policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies WHERE tablename = %s",
        table,
    )


def rights(table):
    """The rights on a table and its columns that are not its owner's, as (role, right)."""
    found = ask(
        "SELECT coalesce(r.rolname, 'PUBLIC'), x.privilege_type FROM pg_class c, aclexplode(c.relacl) x"
        " LEFT JOIN pg_roles r ON r.oid = x.grantee WHERE c.oid = %s::regclass AND x.grantee <> c.relowner"
        " UNION SELECT coalesce(r.rolname, 'PUBLIC'), x.privilege_type || ' (' || a.attname || ')'"
        " FROM pg_attribute a, aclexplode(a.attacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee"
        " WHERE a.attrelid = %s::regclass",
        table,
        table,
    )
    return set(found)


def written(grants):
    """What ``Wall`` writes as in GRANT, one right at a time."""
    found, rest = set(), grants
    while rest:
        right, _comma, after = rest.partition(",")
        if "(" in right:
            name, _open, columns = rest.partition("(")
            inside, _close, after = columns.partition(")")
            found |= {f"{name.strip()} ({column.strip()})" for column in inside.split(",")}
        else:
            found.add(right.strip())
        rest = after.strip(" ,")
    return found


def test_every_table_is_behind_a_wall_or_open_for_a_reason():
    assert set(tables()) == set(WALLS) | set(OPEN) | VIEWS
    assert not set(WALLS) & set(OPEN)
    assert all(reason for _in_scopes, _outside, reason in OPEN.values())


def test_partitions_are_closed_to_everybody():
    """They are reached through their table alone, which has the policies."""
    found = ask("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
    assert len(found) == 3
    assert not any(rights(table) for (table,) in found)


def test_a_table_that_says_whose_its_rows_are_is_behind_a_wall():
    with_tenants = {table for table, columns in tables().items() if TENANT_COLUMNS & set(columns)}
    # An account is itself whose it is, and a grant is of the account of its agent. What allauth calls an account is a
    # person's link to an identity provider.
    others = {"socialaccount_socialtoken"}
    assert with_tenants - others == (set(WALLS) | VIEWS) - {"accounts_account", "accounts_grant"}


@each_walled
def test_row_level_security_is_on_and_holds_the_owner_too(table):
    query = "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass"
    assert ask(query, table) == [(True, True)]


@each_walled
def test_each_scope_has_its_policies_and_nobody_else_any(table):
    owner = ask("SELECT relowner::regrole::text FROM pg_class WHERE oid = %s::regclass", table)[0][0]
    whole = {owner, portal_role()} if WALLS[table].portal else {owner}
    found = policies(table)
    buyer = {role_called(BUYER)} if WALLS[table].buyer else set()
    assert {tuple(roles) for _n, _p, roles, *_rest in found} == {(role,) for role in {*scope_roles(), *whole, *buyer}}
    for name, permissive, (role,), command, rows, new_rows in found:
        assert permissive == "PERMISSIVE"
        if command not in ("SELECT", "DELETE"):
            assert new_rows, f"{name} lets anything be written"
        if role in whole:
            assert rows == "true"
            continue
        kind = role.rpartition("_")[2]
        if kind == BUYER and WALLS[table].buyer_rows:
            assert new_rows if command == "UPDATE" else command == "SELECT"  # tried in test_buyer
            continue
        if kind == "system" and command == "SELECT":
            assert rows == "wall.holds('system'::text)"
            continue
        assert f"wall.account('{kind}'::text)" in (rows or new_rows) or f"wall.above('{kind}'::text)" in rows
        assert rows in (None, new_rows) or command in ("SELECT", "DELETE")
        # Who there is hangs together in a tree; all else belongs to one account.
        assert " OR " not in (rows or new_rows) or table in ("accounts_account", "accounts_person")


@each_walled
def test_each_scope_has_the_rights_that_are_written_down_and_nobody_else_any(table):
    wall = WALLS[table]
    wanted = set()
    for scope, given in wall.rights.items():
        wanted |= {(role_called(scope), right) for right in written(given)}
    assert rights(table) == wanted | {(portal_role(), right) for right in written(wall.portal)}


@pytest.mark.parametrize("table", OPEN)
def test_open_tables_have_the_rights_that_are_written_down(table):
    in_scopes, outside, _reason = OPEN[table]
    wanted = {(role, right) for role in scope_roles() for right in written(in_scopes)}
    wanted |= {(role_called(BUYER), "SELECT")} if table in OPEN_TO_BUYERS else set()
    assert rights(table) == wanted | {(portal_role(), right) for right in written(outside)}


def test_the_system_may_only_read_numbers_and_what_they_ring():
    system = role_called("system")
    for table in ("numbers_phonenumber", "numbers_destination"):
        assert {right for role, right in rights(table) if role == system} == {"SELECT"}


def test_nothing_in_the_schema_works_with_its_owners_rights_but_what_keeps_calls_and_the_past():
    here = "current_schema()::regnamespace"
    functions = ask(
        "SELECT proname, prorettype::regtype::text, array_to_string(proconfig, ' '),"
        f" proacl::text LIKE '%%{{=X%%' FROM pg_proc WHERE prosecdef AND pronamespace = {here} ORDER BY 1"
    )
    # A trigger's, that nobody can call, and those of some scopes; none finds a table of another schema.
    assert functions == [
        ("numbers_call_days", "record", "search_path=public, pg_temp TimeZone=UTC lock_timeout=200ms", False),
        ("numbers_keep_past", "trigger", "search_path=public, pg_temp", False),
        ("numbers_record_calls", "record", "search_path=public, pg_temp", False),
    ]
    callers = ask(
        "SELECT p.proname, r.rolname FROM pg_proc p, aclexplode(p.proacl) x JOIN pg_roles r ON r.oid = x.grantee"
        f" WHERE prosecdef AND pronamespace = {here} AND x.grantee <> p.proowner"
    )
    assert set(callers) == {(name, role_called(scope)) for name, scopes in FUNCTIONS.items() for scope in scopes}
    views = ask(
        f"SELECT relname, relkind, reloptions FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = {here}"
    )
    assert views == [(view, "v", ["security_invoker=true"]) for view in sorted(VIEWS)]


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_scopes_may_read_a_view_and_nobody_else_do_anything_with_it(view):
    assert rights(view) == {(role, "SELECT") for role in scope_roles()}


def test_the_roles_are_ordinary_and_the_portals_inherits_nothing():
    for role in all_roles():
        attributes = (
            "rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication, rolcanlogin, rolinherit"
        )
        powers, signs_in, inherits = ask(f"SELECT {attributes} FROM pg_roles WHERE rolname = %s", role)[0]
        assert not powers
        assert signs_in is (role == portal_role())
        assert not (signs_in and inherits)


def state():
    return ask(
        "SELECT c.oid, c.relacl::text, c.xmin::text, p.oid, p.xmin::text FROM pg_class c"
        " LEFT JOIN pg_policy p ON p.polrelid = c.oid WHERE c.relname = ANY(%s) ORDER BY 1, 4",
        list(WALLS),
    )


def test_building_again_leaves_policies_alone():
    before = [(table, policy, changed) for table, _acl, _xmin, policy, changed in state()]
    building.build()
    assert [(table, policy, changed) for table, _acl, _xmin, policy, changed in state()] == before


@pytest.mark.parametrize(
    "damage",
    [
        "ALTER TABLE numbers_phonenumber DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE numbers_destination NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY var ON numbers_phonenumber",
        "ALTER POLICY customer ON numbers_phonenumber USING (true)",
        "CREATE POLICY more ON numbers_destination USING (true)",
        "GRANT SELECT ON numbers_phonenumber TO PUBLIC",
        "GRANT UPDATE (label) ON numbers_phonenumber TO {system}",
        "GRANT UPDATE (label) ON numbers_phonenumber TO {buyer}",
        "ALTER POLICY buyer_moves ON numbers_phonenumber WITH CHECK (true)",
        "GRANT SELECT ON accounts_person TO {buyer}",
        "REVOKE SELECT ON accounts_person FROM {portal}",
        "GRANT SELECT (password) ON accounts_person TO {system}",
        "GRANT SELECT ON django_session TO {system}",
        "GRANT UPDATE ON portal_cache TO {system}",
        "DROP POLICY portal ON accounts_account",
        "GRANT SELECT ON numbers_as_of TO {portal}",
        "GRANT UPDATE ON numbers_telephonesystem TO {portal}",
        "ALTER VIEW numbers_as_of SET (security_invoker = false)",
    ],
)
def test_building_puts_right_what_was_damaged(damage):
    def all_of_it():
        return {table: (policies(table), rights(table)) for table in (*WALLS, *VIEWS, *OPEN)}

    before = all_of_it()
    with connection.cursor() as cursor:
        cursor.execute(damage.format(system=role_called("system"), buyer=role_called(BUYER), portal=portal_role()))
    building.build()
    for table, (its_policies, its_rights) in all_of_it().items():
        assert (sorted(its_policies), its_rights) == (sorted(before[table][0]), before[table][1])
    query = "SELECT count(*) FROM pg_class WHERE relname = ANY(%s) AND relrowsecurity AND relforcerowsecurity"
    assert ask(query, list(WALLS)) == [(len(WALLS),)]
    assert ask("SELECT DISTINCT reloptions FROM pg_class WHERE relname = ANY(%s)", list(VIEWS)) == [
        (["security_invoker=true"],)
    ]


def test_what_has_its_owners_rights_is_not_for_everybody():
    ours = "prosecdef AND pronamespace IN (current_schema()::regnamespace, 'wall'::regnamespace)"
    every = ask(f"SELECT oid::regprocedure::text FROM pg_proc WHERE {ours}")
    public = "proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 0)"
    assert len(every) == 6
    assert ask(f"SELECT oid::regprocedure::text FROM pg_proc WHERE {ours} AND ({public})") == []


# What scopes are signed with


def test_nobody_but_the_owner_reads_or_writes_the_keys():
    for role in all_roles():
        assert ask("SELECT has_any_column_privilege(%s, 'wall.key', 'SELECT, INSERT, UPDATE')", role) == [(False,)]
        assert ask("SELECT has_schema_privilege(%s, 'wall', 'CREATE')", role) == [(False,)]


def test_scopes_alone_may_ask_for_their_account():
    for function in ("wall.account(text)", "wall.above(text)", "wall.holds(text)"):
        may = {role for role in all_roles() for (granted,) in
               ask("SELECT has_function_privilege(%s, %s, 'EXECUTE')", role, function) if granted}  # fmt: skip
        assert may == set(all_roles()) - {portal_role()}


def test_the_functions_find_no_table_of_another_schema():
    found = ask("SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'wall'::regnamespace ORDER BY 1")
    assert found == [
        ("above", ["search_path=public, pg_temp"]),
        ("account", ["search_path=pg_catalog, pg_temp"]),
        ("holds", ["search_path=pg_catalog, pg_temp"]),
    ]


def test_a_replaced_key_is_forgotten_and_one_to_fall_back_on_is_known(settings):
    before = ask("SELECT * FROM wall.key")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 50, [settings.SECRET_KEY]
    building.build()
    assert len(ask("SELECT * FROM wall.key")) == 2
    settings.SECRET_KEY_FALLBACKS = []
    building.build()
    (left,) = ask("SELECT * FROM wall.key")
    assert left not in before


# What PostgreSQL lets everybody do in a new database


@pytest.mark.parametrize("name", all_roles())
def test_functions_that_no_page_has_a_use_for_are_closed(name):
    query = f"SELECT proname FROM pg_proc p WHERE {UNWANTED} AND has_function_privilege(%s, p.oid, 'EXECUTE')"
    # The queue's triggers notify workers, in the portal's own role and in no scope.
    assert ask(query, name) == ([("pg_notify",)] if name == portal_role() else [])
    assert len(ask(f"SELECT FROM pg_proc p WHERE {UNWANTED} AND %s <> ''", name)) > 20
    assert ask("SELECT has_database_privilege(%s, current_database(), 'TEMPORARY')", name) == [(False,)]


@pytest.mark.parametrize(("function", "condition", "_other"), DECISIONS)
def test_what_the_removal_of_guards_takes_away_is_there(function, condition, _other):
    assert condition in ask("SELECT pg_get_functiondef(%s::regprocedure)", function)[0][0]
