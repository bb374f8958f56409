"""A pooler in transaction mode, such as PgBouncer, between the web servers and the database.

It gives each transaction any of its sessions. So nothing may stay in a session: no prepared statement, no cursor, no
setting. What a session begins with are defaults of the portal's role, because poolers pass no options on.
"""

import psycopg
from django.conf import settings
from django.db import connection, connections
from psycopg import sql

from portal.database import limits
from portal.database.base import DatabaseWrapper

#: The server and the database on it, however they are reached.
PLACE = "SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()"
#: What every session of the pooler has to begin with; what is for the network is the pooler's own business.
NEEDED = ("jit", "TimeZone", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


def use() -> None:
    """Have this process reach the database through the pooler, if there is one. Before the first connection."""
    if settings.POOLER_SIGN_IN:
        connections.settings["default"].update(address())
        DatabaseWrapper.is_pooled = True


def address() -> dict:
    """Who signs in, and where, at the pooler; with what its address asks for, such as sslmode, and ours."""
    of = settings.POOLER_SIGN_IN
    return {part: of[part] for part in ("USER", "PASSWORD", "HOST", "PORT", "NAME")} | {
        "OPTIONS": of.get("OPTIONS", {}) | settings.OPTIONS
    }


def set_defaults() -> None:
    """Have the sessions of the role that is signed in begin with the limits of pages, in this database. Sessions that
    say what they begin with, as those of workers and commands do, are not changed by that."""
    with connection.cursor() as cursor:
        for name, value in limits.PAGE.session.items():
            cursor.execute(
                sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET {} = {}").format(
                    sql.Identifier(connection.settings_dict["NAME"]), sql.Identifier(name), sql.Literal(value)
                )
            )


def problem() -> str:
    """Why pages cannot go through the pooler, in a sentence; nothing when they can, or there is none."""
    if settings.POOLER_SIGN_IN is None:
        return ""
    if settings.POOLER_SIGN_IN["USER"] != settings.PORTAL_SIGN_IN["USER"]:
        return "POOLER_URL and DATABASE_URL name two roles: both have to name the portal's own."
    with connection.cursor() as cursor:
        cursor.execute(PLACE)
        there = cursor.fetchone()
    of = settings.POOLER_SIGN_IN
    try:
        # Not by Django, which sets what a session lacks before it can be looked at.
        with psycopg.connect(
            host=of["HOST"], port=of["PORT"], user=of["USER"], password=of["PASSWORD"], dbname=of["NAME"],
            **of.get("OPTIONS", {}) | settings.OPTIONS | {"prepare_threshold": None},
        ) as session:  # fmt: skip
            found_place = session.execute(PLACE).fetchone()
            found = dict(
                session.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(NEEDED)]).fetchall()
            )
    except psycopg.Error as error:
        said = str(error).strip().splitlines()[0]
        return f"The pooler of POOLER_URL cannot be used: {said}"
    if found_place != there:
        return "POOLER_URL leads to another server or database than DATABASE_URL. Have both lead to the same."
    # Milliseconds have no unit there.
    if missing := [name for name in NEEDED if found.get(name) != limits.PAGE.session[name].removesuffix("ms")]:
        return (
            f"Sessions of the pooler do not begin with {', '.join(missing)}: run manage.py secure_database with"
            " POOLER_URL set, then have the pooler connect anew (RECONNECT in PgBouncer)."
        )
    return ""
