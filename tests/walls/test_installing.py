"""A portal is installed on a server of PostgreSQL, wrongly in every way that somebody is likely to try."""

import gzip
import json
from types import SimpleNamespace

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError
from django.db import connection
from psycopg import sql

from accounts.management.commands import secure_database
from portal.embedded import free_port
from tests.bench.data import sibling
from tests.walls.commands import address, run
from tests.walls.conftest import administrator_of

PASSWORD = "a-long-password-1"


@pytest.fixture
def place(administrator, database):
    """Names and addresses for an installation of its own, which is removed in the end."""
    found = place_called(f"{database}_new", administrator)
    remove(administrator, found.name)  # what an interrupted run left
    yield found
    remove(administrator, found.name)


def place_called(name, administrator):
    portal, owner = f"{name}_portal", f"{name}_owner"
    urls = {"DATABASE_URL": address(portal, "x", name), "MIGRATION_DATABASE_URL": address(owner, "y", name)}

    def do(statement):
        with psycopg.connect(administrator, autocommit=True) as session:
            answer = session.execute(sql.SQL(statement).format(name=sql.Identifier(name), **names))
            return answer.fetchall() if answer.description else None

    names = {"portal": sql.Identifier(portal), "owner": sql.Identifier(owner)}
    names |= {"other": sql.Identifier(f"{name}_other"), "kept": sql.Identifier(f"{name}_kept")}
    return SimpleNamespace(name=name, urls=urls, administrator=administrator, do=do, portal=portal, owner=owner)


def remove(administrator, name):
    """Drop the installation called ``name``, if it is there, and its roles."""
    scopes = [f"{name}_portal_{scope}" for scope in ("system", "var", "customer", "buyer")]
    with psycopg.connect(administrator, autocommit=True) as session:
        for one in (name, f"{name}_kept"):
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(one)))
        for role in (*scopes, f"{name}_portal", f"{name}_owner", f"{name}_other"):
            session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


@pytest.fixture
def secured(place):
    """The same, with its roles and its database."""
    secure(place)
    return place


@pytest.fixture(scope="module")
def kept(django_db_setup, django_db_blocker):
    """An installation with its tables, under another name: making one takes twenty seconds, and a copy of it two."""
    with django_db_blocker.unblock():
        name = connection.settings_dict["NAME"]
    found = place_called(f"{name}_made", administrator_of(name))
    remove(found.administrator, found.name)
    secure(found)
    assert run("migrate", "-v0", **found.urls).returncode == 0
    found.do("ALTER DATABASE {name} RENAME TO {kept}")
    yield found
    remove(found.administrator, found.name)


@pytest.fixture
def installed(kept):
    """An installation with its tables, and nothing in them."""
    kept.do("CREATE DATABASE {name} TEMPLATE {kept} OWNER {owner}")
    secure(kept)  # the rights on a database itself are not copied
    yield kept
    kept.do("DROP DATABASE {name} WITH (FORCE)")


def secure(place, *options, **changed):
    done = run("secure_database", "--administrator", place.administrator, *options, **place.urls | changed)
    assert done.stderr == ""
    assert f"signs in as {place.portal}, and the tables' owner as {place.owner}: both were tried" in done.stdout


def refused(place, *arguments, **changed):
    """What a command says that must refuse, in one sentence."""
    done = run(*arguments, **place.urls | changed)
    assert done.returncode in (1, 2), done.stdout
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def roles_of(place):
    statement = (
        "SELECT rolname, rolcanlogin, rolinherit, rolbypassrls, rolcreatedb, rolcreaterole, rolconnlimit"
        " FROM pg_roles WHERE pg_roles.oid IN ({}::regrole, {}::regrole) ORDER BY rolname"
    )
    with psycopg.connect(place.administrator) as session:
        query = sql.SQL(statement).format(sql.Literal(place.owner), sql.Literal(place.portal))
        return session.execute(query).fetchall()


@pytest.mark.parametrize("setting", ["DATABASE_URL", "MIGRATION_DATABASE_URL"])
def test_a_new_password_is_set_and_tried(secured, setting):
    role = {"DATABASE_URL": secured.portal, "MIGRATION_DATABASE_URL": secured.owner}[setting]
    new = {setting: address(role, "another", secured.name)}
    # Nobody but an administrator can, and it says so.
    said = refused(secured, "secure_database", **new)
    assert "password authentication failed" in said or "may not make or change any" in said
    assert "--administrator" in said or "administrator's address" in said
    secure(secured, **new)
    with psycopg.connect(new[setting]) as session:
        assert session.execute("SELECT current_user").fetchone() == (role,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(secured.urls[setting])


def test_whatever_was_changed_about_the_roles_is_put_right(secured):
    right = roles_of(secured)
    secured.do("ALTER ROLE {portal} NOLOGIN INHERIT BYPASSRLS CREATEDB CREATEROLE CONNECTION LIMIT 0")
    secured.do("ALTER ROLE {owner} NOLOGIN CONNECTION LIMIT 0 VALID UNTIL '2020-01-01'")
    assert roles_of(secured) != right
    secure(secured)
    assert roles_of(secured) == right


def test_a_superuser_is_left_alone(place):
    place.do("CREATE ROLE {portal} LOGIN SUPERUSER PASSWORD 'mine'")
    said = refused(place, "secure_database", "--administrator", place.administrator)
    assert f"The role {place.portal} is a superuser" in said
    with psycopg.connect(address(place.portal, "mine", "postgres")):
        pass


def test_a_database_that_somebody_made_before_is_taken_over(place):
    place.do("CREATE DATABASE {name}")
    secure(place)
    assert run("migrate", "-v0", **place.urls).returncode == 0


def test_a_database_with_tables_of_others_is_left_alone(place):
    place.do("CREATE DATABASE {name}")
    with psycopg.connect(place.administrator.rpartition("/")[0] + f"/{place.name}") as session:
        session.execute("CREATE TABLE theirs ()")
    assert "has tables of others" in refused(place, "secure_database", "--administrator", place.administrator)


def test_a_database_of_another_encoding_is_refused(place):
    place.do("CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    assert "SQL_ASCII" in refused(place, "secure_database", "--administrator", place.administrator)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"MIGRATION_DATABASE_URL": ""}, "MIGRATION_DATABASE_URL is missing"),
        ({"MIGRATION_DATABASE_URL": "postgresql://owner:y@127.0.0.1:1/elsewhere"}, "both have to name the same"),
        ({"MIGRATION_DATABASE_URL": None}, "name the same role"),
    ],
)
def test_addresses_that_do_not_fit_together_are_refused(place, changed, said):
    changed = {name: place.urls["DATABASE_URL"] if url is None else url for name, url in changed.items()}
    assert said in refused(place, "secure_database", "--administrator", place.administrator, **changed)


def test_an_address_that_leads_elsewhere_is_refused(database):
    """Host and port may differ, because one may be a pooler's; the place may not."""
    prove = secure_database.Command().prove
    here = prove(settings.OWNER_SIGN_IN, "MIGRATION_DATABASE_URL", None, "--administrator")
    assert here[2] == database
    assert prove(settings.PORTAL_SIGN_IN, "DATABASE_URL", here, "MIGRATION_DATABASE_URL") == here
    with pytest.raises(CommandError, match="another server or database than MIGRATION_DATABASE_URL"):
        prove(settings.PORTAL_SIGN_IN, "DATABASE_URL", (here[0], here[1] + 1, "x"), "MIGRATION_DATABASE_URL")


def test_a_wrong_administrator_is_said_in_a_sentence(place):
    assert "password authentication failed" in refused(
        place, "secure_database", "--administrator", address("nobody", "wrong", "postgres")
    )


def test_an_administrator_who_is_no_superuser_is_enough(place):
    """As on managed servers. What such a one may not close is warned of."""
    place.do("CREATE ROLE {other} LOGIN CREATEROLE CREATEDB PASSWORD 'z'")
    lesser = address(f"{place.name}_other", "z", "postgres")
    for _time in range(2):
        done = run("secure_database", "--administrator", lesser, **place.urls)
        assert (done.returncode, done.stderr) == (0, "")
    assert run("migrate", "-v0", **place.urls).returncode == 0
    assert "set_config are open to everybody" in run("check", "--database", "default", **place.urls).stderr
    changed = {"DATABASE_URL": address(place.portal, "another", place.name)}
    done = run("secure_database", "--administrator", lesser, **place.urls | changed)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["migrate", "secure_database", "create_operator", "providers", "record_calls"])
def test_no_command_of_production_falls_back_on_the_embedded_database(place, command):
    more = {"create_operator": ["--email", "a@example.com"], "record_calls": ["-", "--system", "x"]}.get(command, [])
    done = run(command, *more, MIGRATION_DATABASE_URL=place.urls["MIGRATION_DATABASE_URL"])
    assert done.returncode == 2
    assert "DATABASE_URL: a PostgreSQL" in done.stderr
    assert "docs/install.md" in done.stderr


def test_a_server_that_is_away_is_said_in_a_sentence(place):
    away = {name: f"{url.partition('@')[0]}@127.0.0.1:1/{place.name}" for name, url in place.urls.items()}
    for command in (["migrate"], ["providers"], ["create_operator", "--email", "a@example.com"]):
        done = run(*command, **away)
        assert done.returncode == 1
        assert "cannot be reached" in done.stderr
        assert len(done.stderr.splitlines()) <= 3


def test_from_an_empty_server_to_the_first_administrator(installed):
    options = ("--name", "Northern Telephone", "--email", "admin@northern.example")
    done = run("create_operator", *options, **installed.urls)
    assert done.returncode == 0
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == [
        "account.added", "person.made_administrator",
    ]  # fmt: skip
    assert "https://portal.example/password/reset/key/" in done.stdout
    with psycopg.connect(installed.urls["MIGRATION_DATABASE_URL"]) as session:
        people = session.execute("SELECT a.code, p.role FROM accounts_person p JOIN accounts_account a ON a.id = 1")
        assert people.fetchall() == [("SYS", "administrator")]
        verbs = session.execute("SELECT verb FROM accounts_auditevent ORDER BY id").fetchall()
    assert verbs == [("account.added",), ("person.made_administrator",)]


def test_old_history_is_archived_by_an_owner_who_is_no_superuser(installed, tmp_path):
    assert run("create_operator", "--name", "North", "--email", "a@north.example", **installed.urls).returncode == 0
    insert = """
        INSERT INTO accounts_auditevent (at, account_id, chain, verb, target_type, target, before, after, request_id)
        SELECT now() - interval '800 days', 1, '{1}', 'account.changed', 'account', 'North', '{}', '{}', ''
        FROM generate_series(1, 7)
    """
    with psycopg.connect(sibling(installed.administrator, installed.name)) as session:
        session.execute(insert)
    done = run("archive_history", "--days", "730", "--to", str(tmp_path), **installed.urls)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "7 rows were archived.")
    (path,) = tmp_path.iterdir()
    assert len(gzip.decompress(path.read_bytes()).splitlines()) == 7
    with psycopg.connect(installed.urls["MIGRATION_DATABASE_URL"]) as session:
        verbs = session.execute("SELECT verb FROM accounts_auditevent ORDER BY id").fetchall()
        assert verbs == [("account.added",), ("person.made_administrator",), ("history.archived",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="history cannot be changed"):
            session.execute("DELETE FROM accounts_auditevent")


def test_providers_are_added_as_the_owner(installed):
    done = run("providers", "Harbour Voice", "--sms", **installed.urls)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Harbour Voice  sms\n", "")


@pytest.mark.parametrize("told", [{}, {"DEMO": "1"}])
def test_demo_data_never_goes_into_production(installed, told):
    assert "password is published" in refused(installed, "demo_data", "--numbers", "100", **told)
    said = refused(installed, "demo", PORT=str(free_port()), **told)
    assert "is in production" in said
    with psycopg.connect(installed.urls["MIGRATION_DATABASE_URL"]) as session:
        assert session.execute("SELECT count(*) FROM accounts_account").fetchone() == (0,)


def test_the_demo_is_not_served_to_strangers(secured):
    assert run("demo_data", "--numbers", "100", DEMO="1", **secured.urls).returncode == 0
    said = refused(secured, "serve", BEHIND_PROXY="1", TRUSTED_PROXIES="1", PORT=str(free_port()))
    assert "system@demo.example" in said
    assert "published password" in said


def test_a_demo_refuses_accounts_of_others(secured):
    assert run("migrate", "-v0", DEMO="1", **secured.urls).returncode == 0
    options = ("--name", "Northern Telephone", "--email", "admin@northern.example")
    assert run("create_operator", *options, DEMO="1", **secured.urls).returncode == 0
    assert "not the demonstration's" in refused(secured, "demo", PORT=str(free_port()))
