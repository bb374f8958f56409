"""A database with all migrations in it, kept between runs: databases of tests are copies of it, which takes a second
where the migrations take twelve. Another one is made when a migration changes, or comes with a library.
"""

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import psycopg
from django.apps import apps
from django.db import connection
from psycopg import sql

PREFIX = "template_portal_"
#: Names of tests' databases end with the process id of their run, and the worker's name in it.
OF_A_RUN = re.compile(r"test_portal_([0-9]+)(_gw[0-9]+)?")


def digest() -> str:
    """What changes with any migration of any app, and of the libraries'."""
    found = sha256()
    for config in apps.get_app_configs():
        for path in sorted(Path(config.path, "migrations").rglob("*")):
            if path.suffix in (".py", ".sql"):
                found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:16]


def use_template() -> None:
    """Have the tests' database made as a copy of the kept one, which is made where there is none."""
    settings, name = connection.settings_dict, PREFIX + digest()
    with nobody_else() as owner:
        there = {row[0] for row in owner.execute("SELECT datname FROM pg_database")}
        if name not in there:
            making = f"{name}_making"
            usual = {"NAME": settings["NAME"]}, {"NAME": settings["TEST"]["NAME"]}
            settings["TEST"]["NAME"] = making
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            connection.close()
            settings |= usual[0]
            settings["TEST"] |= usual[1]
            owner.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (making, name))))
        left = {one for one in there if one.startswith(PREFIX) and one != name}
        left |= {one for one in there if (run := OF_A_RUN.fullmatch(one)) and not is_alive(int(run[1]))}
        for one in left:
            drop_unless_used(owner, one)
    settings["TEST"]["TEMPLATE"] = name


@contextmanager
def nobody_else() -> Iterator[psycopg.Connection]:
    """A session of the databases' owner, while no other process of tests is at this."""
    with closing(psycopg.connect(os.environ["MIGRATION_DATABASE_URL"], autocommit=True)) as owner:
        owner.execute("SELECT pg_advisory_lock(2027)")
        yield owner


def is_alive(pid: int) -> bool:
    return Path("/proc", str(pid)).exists()


def drop_unless_used(owner: psycopg.Connection, name: str) -> None:
    """Drop what a run has left that was killed, or a kept database of other migrations."""
    try:
        owner.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
    except psycopg.errors.ObjectInUse:
        return
