"""The roles of the database that the portal works as: its own, and one for each kind of scope."""

from collections.abc import Iterable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from accounts.scope import BUYER, SCOPES, role_called

MISSING = (
    "The database's roles are not complete, and {user} may not make or change any: run manage.py secure_database with"
    " an administrator's address first."
)


def portal_role() -> str:
    return settings.PORTAL_SIGN_IN["USER"]


def scope_roles() -> list[str]:
    """The roles of the scopes of accounts; a buyer's is apart, because it may so little."""
    return [role_called(scope) for scope in dict.fromkeys(SCOPES.values())]


def all_roles() -> list[str]:
    """The portal's own role and those that it may go on as."""
    return [portal_role(), *scope_roles(), role_called(BUYER)]


def names_of(roles: Iterable[str]) -> sql.Composable:
    """The names of roles, as they stand in GRANT."""
    return sql.SQL(", ").join(map(sql.Identifier, roles))


def make_roles() -> None:
    """Make the roles that are missing, and let the portal's go on as those of the scopes, but not inherit from them.

    Raises ``ImproperlyConfigured`` where the role that runs this may not.
    """
    portal = portal_role()
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [all_roles()])
        present = {name for (name,) in cursor.fetchall()}
    login = sql.SQL(" LOGIN NOINHERIT") + password_of(settings.PORTAL_SIGN_IN)
    for role in all_roles():
        if role not in present:
            attempt(sql.SQL("CREATE ROLE {}{}").format(sql.Identifier(role), login if role == portal else sql.SQL("")))
    # Since version 16 each membership says for itself whether it is inherited.
    inherits = connection.pg_version >= 160000
    for role in all_roles()[1:]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM pg_auth_members WHERE roleid = %s::regrole AND member = %s::regrole"
                + (" AND NOT inherit_option AND set_option" if inherits else ""),
                [quoted(role), quoted(portal)],
            )
            if cursor.fetchone() is None:
                options = sql.SQL(" WITH INHERIT FALSE, SET TRUE" if inherits else "")
                attempt(sql.SQL("GRANT {} TO {}{}").format(sql.Identifier(role), sql.Identifier(portal), options))


def password_of(sign_in: dict) -> sql.Composable:
    """What gives a role the password of an address, as CREATE ROLE and ALTER ROLE take it; nothing where there is none.

    PostgreSQL gets no more of it than it keeps (SCRAM), so that it is in no log of statements.
    """
    if not sign_in["PASSWORD"]:
        return sql.SQL("")
    connection.ensure_connection()
    encrypt = connection.connection.pgconn.encrypt_password
    secret = encrypt(sign_in["PASSWORD"].encode(), sign_in["USER"].encode(), b"scram-sha-256")
    return sql.SQL(" PASSWORD {}").format(sql.Literal(secret.decode()))


def make_sign_in(sign_in: dict, *, is_owner: bool = False) -> None:
    """Have the role of an address sign in with its password: make it, or put right what differs.

    The portal's role may nothing else; the owner of the tables keeps what else it may, unless that is everything.
    Raises ``ImproperlyConfigured`` for a superuser, and where the role that runs this may not.
    """
    role = sql.Identifier(sign_in["USER"])
    attributes = sql.SQL(" LOGIN INHERIT" if is_owner else " LOGIN NOINHERIT") + password_of(sign_in)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolname = current_user, coalesce(rolvaliduntil <> 'infinity', false), rolconnlimit <> -1,"
            " rolbypassrls, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles WHERE rolname = %s",
            [sign_in["USER"]],
        )
        present = cursor.fetchone()
    if present is None:
        attempt(sql.SQL("CREATE ROLE {}{}").format(role, attributes))
        return
    is_superuser, is_myself, *differs = present
    if is_superuser:
        raise ImproperlyConfigured(
            f"The role {sign_in['USER']} is a superuser: DATABASE_URL and MIGRATION_DATABASE_URL have to name ordinary"
            " roles, which this command makes."
        )
    if is_myself:
        return
    words = ["VALID UNTIL 'infinity'", "CONNECTION LIMIT -1"]
    if not is_owner:
        words += ["NOBYPASSRLS", "NOCREATEDB", "NOCREATEROLE", "NOREPLICATION"]
    # Only what differs: some of these words are a superuser's alone.
    right = "".join(f" {word}" for word, wrong in zip(words, differs, strict=False) if wrong)
    attempt(sql.SQL("ALTER ROLE {}{}{}").format(role, attributes, sql.SQL(right)))


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
            raise ImproperlyConfigured(MISSING.format(user=connection.settings_dict["USER"])) from error
        if state not in ("42710", "23505"):
            raise
