"""Makes the database agree with ``accounts.walls``. What agrees already is left as it is."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from psycopg import sql

from accounts.scope import BUYER, halves_of, role_called
from accounts.walls import FUNCTIONS, OPEN, OPEN_TO_BUYERS, VIEWS, WALLS, Wall
from accounts.walls.roles import MISSING, all_roles, make_roles, names_of, portal_role, scope_roles
from portal.database.functions import CLOSE, IS_OPEN, OF_THE_QUEUE

# As PostgreSQL writes them back, so that what is there can be compared with what is wanted. Each is found out once for
# a statement.
ACCOUNT = "( SELECT wall.account('{kind}'::text) AS account)"
ABOVE = "( SELECT wall.above('{kind}'::text) AS above)"


def build() -> None:
    """Make roles, grants and policies as they should be. Runs as the owner of the tables; harmless to repeat.

    Raises ``ImproperlyConfigured`` where roles are missing that the owner may not make.
    """
    make_roles()
    with transaction.atomic(), connection.cursor() as cursor:
        # A wall is put up in a moment, once. Rather fail than wait for a long export, with all others waiting behind.
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        cursor.execute("SELECT current_user, current_schema(), current_database()")
        owner, schema, database = cursor.fetchone()
        portal, scopes, everybody = portal_role(), scope_roles(), names_of(all_roles())
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND relkind IN ('r', 'p', 'v', 'm') AND pg_has_role(relowner, 'USAGE')"
        )
        tables = {name for (name,) in cursor.fetchall()}
        statements = [
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), sql.Identifier(portal)),
            sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)),
            sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), everybody),
        ]
        if tables:
            names = names_of(sorted(tables))
            statements.append(sql.SQL("REVOKE ALL ON {} FROM PUBLIC").format(names))
            if owner != portal:
                statements.append(sql.SQL("REVOKE ALL ON {} FROM {}").format(names, everybody))
        for table, (in_scopes, outside, _reason) in OPEN.items():
            if table in tables:
                statements += grant(in_scopes, table, *scopes)
                statements += grant(outside, table, portal)
            if table in OPEN_TO_BUYERS & tables:
                statements += grant("SELECT", table, role_called(BUYER))
        for table, wall in WALLS.items():
            if table in tables:
                for kind, rights in wall.rights.items():
                    statements += grant(rights, table, role_called(kind))
                statements += grant(wall.portal, table, portal)
                statements += fortify(cursor, table, wall, owner)
        statements += [
            statement for view in sorted(VIEWS & tables) for statement in (
                sql.SQL("ALTER VIEW {} SET (security_invoker = true)").format(sql.Identifier(view)),
                *grant("SELECT", view, *scopes),
            )
        ]  # fmt: skip
        cursor.execute(
            "SELECT proname, oid::regprocedure::text FROM pg_proc"
            " WHERE proname = ANY(%s) AND pronamespace = current_schema()::regnamespace",
            [list(FUNCTIONS)],
        )
        for name, signature in cursor.fetchall():
            function = sql.SQL(signature)
            statements.append(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC, {}").format(function, everybody))
            roles = names_of(role_called(kind) for kind in FUNCTIONS[name])
            statements.append(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, roles))
        statements += grant_sequences(cursor)
        statements += grant_signatures(cursor)
        for statement in statements:
            cursor.execute(statement)
        know_keys(cursor)
        close_functions(cursor, owner)


def see_that_roles_can_be_made() -> None:
    """Raise ``ImproperlyConfigured`` where roles are missing that the owner of the tables may not make, before
    migrations are half done."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) < %s AND NOT (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)"
            " FROM pg_roles WHERE rolname = ANY(%s)",
            [len(all_roles()), all_roles()],
        )
        if cursor.fetchone()[0]:
            raise ImproperlyConfigured(MISSING.format(user=connection.settings_dict["USER"]))


def grant(rights: str, table: str, *roles: str) -> list[sql.Composable]:
    """The statement that gives roles rights on a table; none where there are no rights to give."""
    if not rights:
        return []
    return [sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), sql.Identifier(table), names_of(roles))]


def grant_sequences(cursor) -> list[sql.Composable]:
    """A role that may add rows to a table may use the sequences that the table's columns own; no other role may."""
    may_add = {table: [portal_role()] for table, (_scopes, outside, _reason) in OPEN.items() if "INSERT" in outside}
    for table, wall in WALLS.items():
        may_add[table] = [role_called(kind) for kind, rights in wall.rights.items() if "INSERT" in rights]
    cursor.execute(
        "SELECT t.relname, s.relname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a'"
        " JOIN pg_class t ON t.oid = d.refobjid WHERE s.relkind = 'S' AND t.relname = ANY(%s)"
        " AND t.relnamespace = current_schema()::regnamespace",
        [list(may_add)],
    )
    statements = []
    for table, name in cursor.fetchall():
        sequence = sql.Identifier(name)
        statements.append(sql.SQL("REVOKE ALL ON SEQUENCE {} FROM {}").format(sequence, names_of(all_roles())))
        statements.append(sql.SQL("GRANT USAGE ON SEQUENCE {} TO {}").format(sequence, names_of(may_add[table])))
    return statements


def grant_signatures(cursor) -> list[sql.Composable]:
    """The scopes may ask which account they are of, and nobody may read with what that is signed."""
    cursor.execute("SELECT to_regnamespace('wall') IS NOT NULL")
    if not cursor.fetchone()[0]:  # migrated back to before
        return []
    everybody, scopes = names_of(all_roles()), names_of(all_roles()[1:])
    return [
        sql.SQL("REVOKE ALL ON SCHEMA wall FROM PUBLIC, {}").format(everybody),
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA wall FROM PUBLIC, {}").format(everybody),
        sql.SQL("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA wall FROM PUBLIC, {}").format(everybody),
        sql.SQL("GRANT USAGE ON SCHEMA wall TO {}").format(scopes),
        sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA wall TO {}").format(scopes),
    ]


def know_keys(cursor) -> None:
    """Have the database believe what is signed with ``SECRET_KEY`` and ``SECRET_KEY_FALLBACKS``, and nothing else."""
    cursor.execute("SELECT to_regclass('wall.key') IS NOT NULL")
    if not cursor.fetchone()[0]:
        return
    halves = [halves_of(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    inner, outer = map(list, zip(*halves, strict=True))
    cursor.execute("DELETE FROM wall.key WHERE inner_pad <> ALL(%s)", [inner])
    cursor.execute(
        "INSERT INTO wall.key SELECT DISTINCT * FROM unnest(%s::bytea[], %s::bytea[]) ON CONFLICT DO NOTHING",
        [inner, outer],
    )


def close_functions(cursor, owner: str) -> None:
    """Close to everybody the functions that no page needs (``portal.database.functions``), as a superuser alone can."""
    cursor.execute(f"SELECT rolsuper, ({IS_OPEN}) FROM pg_roles WHERE rolname = current_user")  # noqa: S608
    if cursor.fetchone() == (True, True):
        cursor.execute(sql.SQL(CLOSE).format(owner=sql.Identifier(owner)))
    cursor.execute("SELECT has_function_privilege(%s, 'EXECUTE WITH GRANT OPTION')", [OF_THE_QUEUE])
    if cursor.fetchone()[0]:
        cursor.execute(
            sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(OF_THE_QUEUE), sql.Identifier(portal_role()))
        )


def wanted_policies(wall: Wall, owner: str) -> dict[str, tuple]:
    """The policies of a table by name, as ``pg_policies`` shows them: command, role, which rows, which new rows."""

    def written(rows: str, kind: str) -> str:
        return rows.replace("{account}", ACCOUNT.format(kind=kind)).replace("{above}", ABOVE.format(kind=kind))

    # FORCE holds the owner to policies as well: migrations that move data go by this one.
    policies = {"owner": ("ALL", owner, "true", "true")}
    if wall.portal:
        policies["portal"] = ("ALL", portal_role(), "true", "true")
    system = role_called("system")
    policies["system"] = ("SELECT", system, "wall.holds('system'::text)", None)
    if wall.system_rows:
        own = written(wall.system_rows, "system")
        policies["system_adds"] = ("INSERT", system, None, own)
        if "UPDATE" in wall.system:
            policies["system_changes"] = ("UPDATE", system, own, own)
        if "DELETE" in wall.system:
            policies["system_removes"] = ("DELETE", system, own, None)
    for kind, rows in (("var", wall.var_rows), ("customer", wall.customer_rows)):
        own = written(rows, kind)
        policies[kind] = ("ALL", role_called(kind), own, own)
        if kind in wall.shown:
            policies[f"{kind}_shown"] = ("SELECT", role_called(kind), written(wall.shown[kind], kind), None)
    if wall.buyer:
        seen, left = wall.buyer_rows or (wall.customer_rows, "")
        policies["buyer"] = ("SELECT", role_called(BUYER), written(seen, BUYER), None)
        if left:
            policies["buyer_moves"] = ("UPDATE", role_called(BUYER), written(seen, BUYER), written(left, BUYER))
    return policies


def fortify(cursor, table: str, wall: Wall, owner: str) -> list[sql.Composable]:
    """What it takes to have the table's policies, and no others, in force for everybody; nothing if they are."""
    name = sql.Identifier(table)
    cursor.execute("SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [table])
    statements = []
    if not cursor.fetchone()[0]:
        statements.append(sql.SQL("ALTER TABLE {0} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY").format(name))
    cursor.execute(
        "SELECT policyname, permissive, cmd, roles::text[], qual, with_check FROM pg_policies"
        " WHERE schemaname = current_schema() AND tablename = %s",
        [table],
    )
    present = {policy: tuple(facts) for policy, *facts in cursor.fetchall()}
    wanted = wanted_policies(wall, owner)
    for policy, facts in present.items():
        if policy in wanted:
            command, role, using, check = wanted[policy]
            if facts == ("PERMISSIVE", command, [role], using, check):
                del wanted[policy]
                continue
        statements.append(sql.SQL("DROP POLICY {} ON {}").format(sql.Identifier(policy), name))
    for policy, (command, role, using, check) in wanted.items():
        parts = [f" {keyword} ({rows})" for keyword, rows in (("USING", using), ("WITH CHECK", check)) if rows]
        statements.append(
            sql.SQL("CREATE POLICY {} ON {} FOR {} TO {}{}").format(
                sql.Identifier(policy), name, sql.SQL(command), sql.Identifier(role), sql.SQL("".join(parts))
            )
        )
    return statements
