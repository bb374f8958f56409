"""Looks whether the database keeps tenants apart, as ``accounts.walls`` has it."""

from django.db import DatabaseError, connection, transaction

from accounts.scope import signed
from accounts.walls import VIEWS, WALLS
from portal.database.functions import IS_OPEN

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
    may_have = {table for table, wall in WALLS.items() if wall.portal}
    with connection.cursor() as cursor:
        cursor.execute(OPENINGS, {"tables": [*WALLS, *VIEWS]})
        for table, is_open, has_rights in cursor.fetchall():
            if is_open or (has_rights and table not in may_have):
                return f"Nothing keeps the rows of tenants in {table} apart: run manage.py migrate."
    try:
        with transaction.atomic(), connection.within(signed("system", 0)), connection.cursor() as cursor:
            cursor.execute("SELECT wall.account('system')")
    except DatabaseError as error:
        said = str(error).strip().partition("\n")[0]
        return (
            f"The database does not believe in whose scope the portal works ({said}): run manage.py secure_database"
            " with the SECRET_KEY that the portal has, and see that both clocks are right."
        )
    return ""


def warning() -> str:
    """What an injected statement could do that it could not in a database of our making; nothing when that is so."""
    with connection.cursor() as cursor:
        cursor.execute(IS_OPEN)
        if not cursor.fetchone()[0]:
            return ""
    return (
        "Functions such as set_config are open to everybody in this database: run manage.py secure_database with a"
        " superuser's address. Where the server's provider lets nobody do that, see docs/operations.md."
    )


def bypass() -> str:
    """Why the role that the portal signs in as passes every wall, in one sentence; nothing when it passes none."""
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
