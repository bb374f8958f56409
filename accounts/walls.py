"""The walls between tenants, in the database: who may do what with which table, and with which rows.

The portal signs in as an ordinary role that has no rights on tables with rows of tenants, but may go on, for one
transaction, as the role of a scope (``accounts.scope``): the system's, a VAR's or a customer's. Row-level security
shows a VAR's and a customer's role the rows of one account, and takes no other from them.

``WALLS``, ``VIEWS`` and ``OPEN`` name every table: one that is in none of them is closed to the portal. ``build`` makes
the database agree with them after each migration, and changes nothing where it agrees.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from accounts.scope import SCOPES, role_called

ALL = "SELECT, INSERT, UPDATE, DELETE"


@dataclass(frozen=True)
class Wall:
    """What each scope may do with a table, as in GRANT, and the columns that say whose a row is.

    The system's scope sees every row; what it may add, change or remove is its own by ``system_column``.
    ``shown_column`` says who else may read a row.
    """

    system: str
    var: str
    customer: str
    var_column: str = "var_id"
    customer_column: str = "customer_id"
    system_column: str = ""
    shown_column: str = ""


#: Tables with rows of tenants.
WALLS = {
    # What holds a number back and whom it was with before is the VAR's to write; a customer could name others there.
    "numbers_phonenumber": Wall(
        system="SELECT",
        var=ALL,
        customer="SELECT, UPDATE (destination_id, label, caller_name, voice, sms, fax)",
    ),
    "numbers_destination": Wall(system="SELECT", var="SELECT", customer=ALL),
    # Written once. Whoever changes something in another account writes its event in that account's scope.
    "accounts_auditevent": Wall(
        system="SELECT, INSERT",
        var="SELECT, INSERT",
        customer="SELECT, INSERT",
        var_column="account_id",
        customer_column="account_id",
        system_column="account_id",
        shown_column="concerns_id",
    ),
    "numbers_import": Wall("SELECT", ALL, ALL, var_column="account_id", customer_column="account_id"),
    "numbers_importrow": Wall("SELECT", ALL, ALL, var_column="account_id", customer_column="account_id"),
    "numbers_job": Wall("SELECT", ALL, ALL, var_column="account_id", customer_column="account_id"),
    "numbers_jobitem": Wall("SELECT", ALL, ALL, var_column="account_id", customer_column="account_id"),
    # A customer's orders, which its VAR approves.
    "numbers_order": Wall(system="SELECT", var="SELECT, UPDATE", customer=ALL),
    "numbers_orderline": Wall(system="SELECT", var="SELECT, INSERT, UPDATE", customer=ALL),
    # What carriers have to do with them is the worker's to write, in the VAR's scope.
    "numbers_carrierorder": Wall(system="SELECT", var="SELECT, INSERT, UPDATE", customer="SELECT, INSERT"),
    # A VAR's; the same shape of wall as of what else belongs to one account.
    "numbers_release": Wall(
        system="SELECT",
        var="SELECT, INSERT, UPDATE",
        customer="SELECT",
        var_column="account_id",
        customer_column="account_id",
    ),
    # Written by a function alone, when a phone system tells of calls.
    "numbers_callevent": Wall(system="SELECT", var="SELECT", customer="SELECT"),
    # Each person's own, whatever kind of account they are at home in.
    "webphone_call": Wall(
        *["SELECT, INSERT, UPDATE"] * 3,
        var_column="account_id",
        customer_column="account_id",
        system_column="account_id",
    ),
    "webphone_location": Wall(
        ALL, ALL, ALL, var_column="account_id", customer_column="account_id", system_column="account_id"
    ),
    # Written by a trigger alone, whatever changes a number.
    "numbers_pastnumber": Wall(system="SELECT", var="SELECT", customer="SELECT"),
}
#: Views of walled tables, which scopes may read. Each lets through what whoever asks may see in the tables.
VIEWS = {"numbers_as_of"}
#: Functions that write with the rights of the tables' owner, and the scopes that may call them.
FUNCTIONS = {"numbers_record_calls": ("system", "var")}
#: Tables without walls: what the portal may do with them, in a scope and outside, and why none is needed.
OPEN = {
    "accounts_account": ("SELECT, INSERT, UPDATE", "the tree of accounts decides which scope there is"),
    "accounts_person": ("SELECT, INSERT, UPDATE", "who acts is known before there is a scope"),
    "accounts_access": ("SELECT, INSERT, UPDATE", "opens and ends scopes of other accounts, in every sign-in"),
    "accounts_grant": (ALL, "decides which accounts a support agent may enter"),
    "account_emailaddress": (ALL, "signing in"),
    "account_emailconfirmation": (ALL, "signing in"),
    "django_session": (ALL, "signing in"),
    "mfa_authenticator": (ALL, "signing in"),
    "usersessions_usersession": (ALL, "signing in"),
    "portal_cache": (ALL, "counts of guesses, before anybody has signed in"),
    "numbers_telephonesystem": (
        "SELECT, INSERT, UPDATE (revoked_at)",
        "its token decides in which scope calls are taken down",
    ),
    "numbers_provider": ("SELECT", "the same for every account"),
    "procrastinate_jobs": (ALL, "the queue: what a job does, it does in a scope of its own"),
    "procrastinate_events": (ALL, "the queue"),
    "procrastinate_periodic_defers": (ALL, "the queue"),
    "procrastinate_workers": (ALL, "the queue"),
    "django_content_type": ("SELECT", "names of models"),
    "auth_permission": ("SELECT", "names of permissions"),
    "django_migrations": ("SELECT", "the age of the tables"),
    "auth_group": ("", "a library's, not used"),
    "auth_group_permissions": ("", "a library's, not used"),
    "guardian_groupobjectpermission": ("", "a library's, not used"),
    "guardian_userobjectpermission": ("", "a library's, not used"),
}


# Making

# As PostgreSQL writes it back, so that what is there can be compared with what is wanted.
OWN = "({} = (current_setting('portal.account'::text))::bigint)"


def portal_role() -> str:
    return settings.PORTAL_SIGN_IN["USER"]


def scope_roles() -> list[str]:
    return [role_called(scope) for scope in dict.fromkeys(SCOPES.values())]


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
        portal, scopes = portal_role(), scope_roles()
        everybody = sql.SQL(", ").join(map(sql.Identifier, dict.fromkeys([portal, *scopes])))
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND relkind IN ('r', 'p', 'v', 'm') AND pg_has_role(relowner, 'USAGE')"
        )
        tables = {name for (name,) in cursor.fetchall()}
        statements = [
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), sql.Identifier(portal)),
            sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), everybody),
        ]
        if others := sorted(tables):
            names = sql.SQL(", ").join(map(sql.Identifier, others))
            statements.append(sql.SQL("REVOKE ALL ON {} FROM PUBLIC").format(names))
            if owner != portal:
                statements.append(sql.SQL("REVOKE ALL ON {} FROM {}").format(names, everybody))
        for table, (rights, _reason) in OPEN.items():
            if rights and table in tables:
                statements.append(grant(rights, table, everybody))
        for table, wall in WALLS.items():
            if table in tables:
                for scope, rights in (("system", wall.system), ("var", wall.var), ("customer", wall.customer)):
                    statements.append(grant(rights, table, sql.Identifier(role_called(scope))))
                statements += fortify(cursor, table, wall, owner)
        statements += [
            statement for view in sorted(VIEWS & tables) for statement in (
                sql.SQL("ALTER VIEW {} SET (security_invoker = true)").format(sql.Identifier(view)),
                *(grant("SELECT", view, sql.Identifier(role)) for role in scope_roles()),
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
            roles = sql.SQL(", ").join(sql.Identifier(role_called(scope)) for scope in FUNCTIONS[name])
            statements.append(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, roles))
        cursor.execute(
            "SELECT s.relname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a'"
            " JOIN pg_class t ON t.oid = d.refobjid WHERE s.relkind = 'S' AND t.relname = ANY(%s)"
            " AND t.relnamespace = current_schema()::regnamespace",
            [[table for table, (rights, _reason) in OPEN.items() if "INSERT" in rights]],
        )
        for (sequence,) in cursor.fetchall():
            statements.append(sql.SQL("GRANT USAGE ON SEQUENCE {} TO {}").format(sql.Identifier(sequence), everybody))
        for statement in statements:
            cursor.execute(statement)


def grant(rights: str, table: str, roles: sql.Composable) -> sql.Composable:
    return sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), sql.Identifier(table), roles)


def wanted_policies(wall: Wall, owner: str) -> dict[str, tuple]:
    """The policies of a table by name, as ``pg_policies`` shows them: command, role, which rows, which new rows."""
    own = {scope: OWN.format(column) for scope, column in (
        ("var", wall.var_column), ("customer", wall.customer_column), ("system", wall.system_column))}  # fmt: skip
    policies = {
        # FORCE holds the owner to policies as well: migrations that move data go by this one.
        "owner": ("ALL", owner, "true", "true"),
        "system": ("SELECT", role_called("system"), "true", None),
        "var": ("ALL", role_called("var"), own["var"], own["var"]),
        "customer": ("ALL", role_called("customer"), own["customer"], own["customer"]),
    }
    if wall.system_column:
        policies["system_adds"] = ("INSERT", role_called("system"), None, own["system"])
        if "UPDATE" in wall.system:
            policies["system_changes"] = ("UPDATE", role_called("system"), own["system"], own["system"])
        if "DELETE" in wall.system:
            policies["system_removes"] = ("DELETE", role_called("system"), own["system"], None)
    if wall.shown_column:
        shown = OWN.format(wall.shown_column)
        policies |= {f"{scope}_shown": ("SELECT", role_called(scope), shown, None) for scope in ("var", "customer")}
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


def make_roles() -> None:
    """Make the roles that are missing, and let the portal's go on as those of the scopes, but not inherit from them.

    Raises ``ImproperlyConfigured`` where whoever runs this may not.
    """
    portal, password = portal_role(), settings.PORTAL_SIGN_IN["PASSWORD"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [[portal, *scope_roles()]])
        present = {name for (name,) in cursor.fetchall()}
    login = sql.SQL(" LOGIN NOINHERIT PASSWORD {}").format(sql.Literal(password))
    for role in (portal, *scope_roles()):
        if role not in present:
            attempt(sql.SQL("CREATE ROLE {}{}").format(sql.Identifier(role), login if role == portal else sql.SQL("")))
    # Since version 16 each membership says for itself whether it is inherited.
    inherits = connection.pg_version >= 160000
    for role in scope_roles():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM pg_auth_members WHERE roleid = %s::regrole AND member = %s::regrole"
                + (" AND NOT inherit_option AND set_option" if inherits else ""),
                [quoted(role), quoted(portal)],
            )
            if cursor.fetchone() is None:
                options = sql.SQL(" WITH INHERIT FALSE, SET TRUE" if inherits else "")
                attempt(sql.SQL("GRANT {} TO {}{}").format(sql.Identifier(role), sql.Identifier(portal), options))


def quoted(role: str) -> str:
    """The name of a role as ``regrole`` reads it."""
    return '"' + role.replace('"', '""') + '"'


def attempt(statement: sql.Composable) -> None:
    """Run a statement about roles. They belong to the whole server: somebody else may have been first, with the same.

    Raises ``ImproperlyConfigured`` where we may not.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        state = getattr(error.__cause__, "sqlstate", "")
        if state == "42501":
            raise ImproperlyConfigured(
                "The database's roles are not complete, and the role of MIGRATION_DATABASE_URL may not make any:"
                " run manage.py secure_database with an administrator's address first."
            ) from error
        if state not in ("42710", "23505"):
            raise


# Watching

STANDING = """
SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole,
       (SELECT min(c.relname) FROM pg_class c WHERE c.relowner = r.oid AND c.relname = ANY(%(tables)s)
                                              AND c.relnamespace = current_schema()::regnamespace)
FROM pg_roles r WHERE pg_has_role(session_user, r.oid, 'MEMBER') ORDER BY r.rolname <> session_user, r.rolname
"""
OPENINGS = """
SELECT c.relname,
       CASE c.relkind WHEN 'v' THEN NOT coalesce('security_invoker=true' = ANY(c.reloptions), false)
                      ELSE NOT (c.relrowsecurity AND c.relforcerowsecurity) END,
       has_any_column_privilege(session_user, c.oid, 'SELECT, INSERT, UPDATE')
       OR has_table_privilege(session_user, c.oid, 'DELETE, TRUNCATE')
FROM pg_class c WHERE c.relname = ANY(%(tables)s) AND c.relnamespace = current_schema()::regnamespace
ORDER BY c.relname
"""


def refusal() -> str:
    """Why the walls do not keep tenants apart, in one sentence; nothing when they do."""
    if who := bypass():
        return who
    with connection.cursor() as cursor:
        cursor.execute(OPENINGS, {"tables": [*WALLS, *VIEWS]})
        for table, is_open, has_rights in cursor.fetchall():
            if is_open or has_rights:
                return f"Nothing keeps the rows of tenants in {table} apart: run manage.py migrate."
    return ""


def bypass() -> str:
    """Why no wall holds whoever signed in, in one sentence; nothing when walls do."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING, {"tables": list(WALLS)})
        roles = cursor.fetchall()
    me = roles[0][0]
    for role, is_superuser, bypasses, makes_roles, owned in roles:
        what = (
            (is_superuser and "is a superuser")
            or (bypasses and "may bypass row-level security")
            or (owned and f"owns the table {owned}")
            or (makes_roles and "may make roles and give itself any")
        )
        if what:
            who = f"the role {me}, which {what}" if role == me else f"the role {me}, a member of {role}, which {what}"
            return (
                f"The portal signs in as {who}: nothing would keep tenants apart."
                " DATABASE_URL has to name an ordinary role; manage.py secure_database makes one."
            )
    return ""
