"""Databases that one measurement, or one run of tests, needs."""

import time

import psycopg
from psycopg import sql

#: Seconds in which the server has tidied up in a database.
TIDIED_WITHIN = 60


def drop_database(owner: str, name: str) -> None:
    """Drop a database if it is there, whoever is in it; ``owner`` is the address of another one for its owner.

    The server itself, tidying up, cannot be told to leave: it is waited for. Raises ``RuntimeError`` when it stays.
    """
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(owner, autocommit=True) as session:
        for _attempt in range(TIDIED_WITHIN):
            try:
                session.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                time.sleep(1)
            else:
                return
    raise RuntimeError(f"The server does not leave the database {name}.")


def fresh_database(owner: str, name: str, template: str = "template1") -> None:
    """Make a database anew, as a copy of another one. Raises ``RuntimeError`` when the one before stays."""
    drop_database(owner, name)
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(owner, autocommit=True) as session:
        session.execute(statement)
