"""Real processes under roles that no wall holds: they say so in one sentence and end."""

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from accounts.walls import building
from accounts.walls.roles import portal_role
from portal.database.functions import IS_OPEN
from portal.embedded import free_port
from tests.walls.commands import address, run

ROLES = {
    "superuser": ("SUPERUSER", "", "is a superuser"),
    "bypassing": ("BYPASSRLS", "", "may bypass row-level security"),
    "maker of roles": ("CREATEROLE", "", "may make roles"),
    "member of the owner": ("NOINHERIT", "IN ROLE {owner}", "owns the table"),
    "member of one that bypasses": ("NOINHERIT", "IN ROLE {bypassing}", "may bypass row-level security"),
    "inheritor of a scope": ("INHERIT", "IN ROLE {scope}", "apart: run manage.py migrate"),
}


@pytest.fixture
def roles(administrator):
    """Make a role, and take it away in the end."""
    made = []
    with psycopg.connect(administrator, autocommit=True) as session:

        def make(name, attributes, membership=""):
            membership = sql.SQL(membership).format(
                owner=sql.Identifier(settings.OWNER_SIGN_IN["USER"]),
                scope=sql.Identifier(f"{portal_role()}_var"),
                bypassing=sql.Identifier(f"{name}_above"),
            )
            session.execute(
                sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD 'x' {}").format(
                    sql.Identifier(name), sql.SQL(attributes), membership
                )
            )
            made.append(name)

        yield make
        for name in reversed(made):
            session.execute(sql.SQL("DROP OWNED BY {0}").format(sql.Identifier(name)))
            session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.mark.parametrize("kind", ROLES)
def test_the_worker_refuses_a_role_that_no_wall_holds(roles, database, kind):
    attributes, membership, why = ROLES[kind]
    name = f"{database}_role"
    if "bypassing" in membership:
        roles(f"{name}_above", "BYPASSRLS")
    roles(name, attributes, membership)
    done = run("worker", DATABASE_URL=address(name, "x", database))
    assert done.returncode == 1
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [["serve"], ["demo"], ["worker"], ["check", "--database", "default"]])
def test_every_start_refuses_the_owner_of_the_tables(database, command):
    owner = settings.OWNER_SIGN_IN
    url = address(owner["USER"], owner["PASSWORD"], database)
    done = run(*command, DATABASE_URL=url, PORT=str(free_port()))
    assert done.returncode == 1
    assert f"the role {owner['USER']}, which owns the table" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_portals_own_role_passes(database):
    mine = settings.PORTAL_SIGN_IN
    done = run("check", "--database", "default", DATABASE_URL=address(mine["USER"], mine["PASSWORD"], database))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_view_that_lets_more_through_than_its_tables_is_refused(database):
    mine = settings.PORTAL_SIGN_IN
    url = address(mine["USER"], mine["PASSWORD"], database)
    with connection.cursor() as cursor:
        cursor.execute("ALTER VIEW numbers_as_of SET (security_invoker = false)")
    try:
        done = run("check", "--database", "default", DATABASE_URL=url)
    finally:
        building.build()
    assert "rows of tenants in numbers_as_of apart" in done.stderr
    assert run("check", "--database", "default", DATABASE_URL=url).returncode == 0


def test_a_portal_with_another_key_than_the_database_knows_is_refused(database):
    mine = settings.PORTAL_SIGN_IN
    url = address(mine["USER"], mine["PASSWORD"], database)
    done = run("check", "--database", "default", DATABASE_URL=url, SECRET_KEY="another" * 8)
    assert done.returncode == 1
    assert "does not believe in whose scope the portal works" in done.stderr
    assert "run manage.py secure_database with the SECRET_KEY that the portal has" in done.stderr


def test_functions_that_are_open_to_everybody_are_warned_of_and_closed_by_an_administrator(administrator, database):
    mine = settings.PORTAL_SIGN_IN
    urls = {
        "DATABASE_URL": address(mine["USER"], mine["PASSWORD"], database),
        "MIGRATION_DATABASE_URL": address(settings.OWNER_SIGN_IN["USER"], settings.OWNER_SIGN_IN["PASSWORD"], database),
    }
    with psycopg.connect(administrator, autocommit=True) as session:
        session.execute("GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC")
        done = run("check", "--database", "default", **urls)
        assert done.returncode == 0
        assert "Functions such as set_config are open to everybody in this database" in done.stderr
        assert run("secure_database", "--administrator", administrator, **urls).returncode == 0
        assert session.execute(IS_OPEN).fetchone() == (False,)
    assert run("check", "--database", "default", **urls).stderr == ""


def test_migrations_want_their_own_role(database):
    mine = settings.PORTAL_SIGN_IN
    done = run("migrate", DATABASE_URL=address(mine["USER"], mine["PASSWORD"], database))
    assert done.returncode == 2
    assert done.stderr.startswith("MIGRATION_DATABASE_URL is missing")
    assert len(done.stderr.splitlines()) == 1


def test_one_command_makes_everything_on_a_server_of_ones_own(administrator, database):
    name = f"{database}_own"
    portal, owner = address(f"{name}_portal", "x", name), address(f"{name}_owner", "y", name)
    urls = {"DATABASE_URL": portal, "MIGRATION_DATABASE_URL": owner}
    scopes = [f"{name}_portal_{scope}" for scope in ("system", "var", "customer", "buyer")]
    try:
        for _time in range(2):
            done = run("secure_database", "--administrator", administrator, **urls)
            assert (done.returncode, done.stderr) == (0, "")
        for command in (["migrate", "-v0"], ["secure_database"], ["check", "--database", "default"]):
            done = run(*command, **urls)
            assert (done.returncode, done.stderr) == (0, "")
        with psycopg.connect(portal) as session:
            assert session.execute("SELECT count(*) FROM accounts_account").fetchone() == (0,)
            for scope in reversed(scopes):
                session.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(scope)))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute("INSERT INTO numbers_destination DEFAULT VALUES RETURNING 1")
    finally:
        with psycopg.connect(administrator, autocommit=True) as session:
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            for role in (*scopes, f"{name}_portal", f"{name}_owner"):
                session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def test_migrations_without_roles_say_what_to_run(administrator, database):
    """An owner who may not make roles, and no administrator has been there yet."""
    name = f"{database}_bare"
    owner = sql.Identifier(f"{name}_owner")
    try:
        with psycopg.connect(administrator, autocommit=True) as session:
            session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'y'").format(owner))
            session.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), owner))
        portal = settings.PORTAL_SIGN_IN
        done = run(
            "migrate",
            "-v0",
            "--skip-checks",
            DATABASE_URL=address(f"{name}_portal", portal["PASSWORD"], name),
            MIGRATION_DATABASE_URL=address(f"{name}_owner", "y", name),
        )
        assert done.returncode == 2
        assert "run manage.py secure_database with an administrator's address first" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        with psycopg.connect(address(f"{name}_owner", "y", name)) as session:  # nothing is half done
            assert session.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,)
    finally:
        with psycopg.connect(administrator, autocommit=True) as session:
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(owner))
