"""What PostgreSQL's own catalogue says of every table, without a list of exceptions."""

import pytest
from django.db import connection

from accounts import walls
from accounts.walls import OPEN, VIEWS, WALLS, portal_role, scope_roles

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
    assert all(reason for _rights, reason in OPEN.values())


def test_a_table_that_says_whose_its_rows_are_is_behind_a_wall_unless_it_decides_who_may_enter():
    with_tenants = {table for table, columns in tables().items() if TENANT_COLUMNS & set(columns)}
    assert with_tenants - set(OPEN) == set(WALLS) | VIEWS
    assert with_tenants & set(OPEN) == {"accounts_person", "accounts_access", "numbers_telephonesystem"}


@each_walled
def test_row_level_security_is_on_and_holds_the_owner_too(table):
    query = "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass"
    assert ask(query, table) == [(True, True)]


@each_walled
def test_each_scope_has_its_policies_and_nobody_else_any(table):
    owner = ask("SELECT relowner::regrole::text FROM pg_class WHERE oid = %s::regclass", table)[0][0]
    found = policies(table)
    assert {tuple(roles) for _n, _p, roles, *_rest in found} == {(role,) for role in (*scope_roles(), owner)}
    for name, permissive, (role,), command, rows, new_rows in found:
        assert permissive == "PERMISSIVE"
        if command not in ("SELECT", "DELETE"):
            assert new_rows, f"{name} lets anything be written"
        if role == owner or (role == walls.role_called("system") and command == "SELECT"):
            assert rows == "true"
        else:
            assert "current_setting('portal.account'::text)" in (rows or new_rows)
            assert rows in (None, new_rows) or command in ("SELECT", "DELETE")
            assert " OR " not in (rows or new_rows)


@each_walled
def test_each_scope_has_the_rights_that_are_written_down_and_nobody_else_any(table):
    wall = WALLS[table]
    wanted = set()
    for scope, given in (("system", wall.system), ("var", wall.var), ("customer", wall.customer)):
        wanted |= {(walls.role_called(scope), right) for right in written(given)}
    assert rights(table) == wanted


@pytest.mark.parametrize("table", OPEN)
def test_open_tables_have_the_rights_that_are_written_down(table):
    wanted = {(role, right) for role in (portal_role(), *scope_roles()) for right in written(OPEN[table][0])}
    assert rights(table) == wanted


def test_the_system_may_only_read_numbers_and_what_they_ring():
    system = walls.role_called("system")
    for table in ("numbers_phonenumber", "numbers_destination"):
        assert {right for role, right in rights(table) if role == system} == {"SELECT"}


def test_nothing_in_the_schema_works_with_its_owners_rights_but_what_writes_down_calls_and_the_past():
    here = "current_schema()::regnamespace"
    functions = ask(
        "SELECT proname, prorettype::regtype::text, array_to_string(proconfig, ' '),"
        f" proacl::text LIKE '%%{{=X%%' FROM pg_proc WHERE prosecdef AND pronamespace = {here} ORDER BY 1"
    )
    # A trigger's, that nobody can call, and one of some scopes; neither finds a table of another schema.
    assert functions == [
        ("numbers_keep_past", "trigger", "search_path=public, pg_temp", False),
        ("numbers_record_calls", "record", "search_path=public, pg_temp", False),
    ]
    callers = ask(
        "SELECT p.proname, r.rolname FROM pg_proc p, aclexplode(p.proacl) x JOIN pg_roles r ON r.oid = x.grantee"
        f" WHERE prosecdef AND pronamespace = {here} AND x.grantee <> p.proowner"
    )
    assert set(callers) == {
        (name, walls.role_called(scope)) for name, scopes in walls.FUNCTIONS.items() for scope in scopes
    }
    views = ask(
        f"SELECT relname, relkind, reloptions FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = {here}"
    )
    assert views == [(view, "v", ["security_invoker=true"]) for view in sorted(VIEWS)]


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_scopes_may_read_a_view_and_nobody_else_do_anything_with_it(view):
    assert rights(view) == {(role, "SELECT") for role in scope_roles()}


def test_the_roles_are_ordinary_and_the_portals_inherits_nothing():
    for role in (portal_role(), *scope_roles()):
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
    walls.build()
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
        "REVOKE SELECT ON accounts_person FROM {portal}",
        "GRANT SELECT ON numbers_as_of TO {portal}",
        "GRANT UPDATE ON numbers_telephonesystem TO {portal}",
        "ALTER VIEW numbers_as_of SET (security_invoker = false)",
    ],
)
def test_building_puts_right_what_was_damaged(damage):
    def all_of_it():
        return {
            table: (policies(table), rights(table))
            for table in (*WALLS, *VIEWS, "accounts_person", "numbers_telephonesystem")
        }

    before = all_of_it()
    with connection.cursor() as cursor:
        cursor.execute(damage.format(system=walls.role_called("system"), portal=portal_role()))
    walls.build()
    for table, (its_policies, its_rights) in all_of_it().items():
        assert (sorted(its_policies), its_rights) == (sorted(before[table][0]), before[table][1])
    query = "SELECT count(*) FROM pg_class WHERE relname = ANY(%s) AND relrowsecurity AND relforcerowsecurity"
    assert ask(query, list(WALLS)) == [(len(WALLS),)]
    assert ask("SELECT DISTINCT reloptions FROM pg_class WHERE relname = ANY(%s)", list(VIEWS)) == [
        (["security_invoker=true"],)
    ]


def test_what_has_its_owners_rights_is_not_for_everybody():
    ours = "prosecdef AND pronamespace = current_schema()::regnamespace"
    every = ask(f"SELECT oid::regprocedure::text FROM pg_proc WHERE {ours}")
    public = "proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 0)"
    assert len(every) == 2
    assert ask(f"SELECT oid::regprocedure::text FROM pg_proc WHERE {ours} AND ({public})") == []
