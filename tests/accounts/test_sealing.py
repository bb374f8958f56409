"""Secrets of second factors lie sealed in the database, and go on working when the key is replaced."""

import json
import logging
import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import connection
from django.test import Client
from procrastinate.contrib.django import app

from accounts import sealing
from accounts.tasks import seal_factors
from tests.accounts.post import confirm_by_mail
from tests.accounts.totp import code_for

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password-1"
SEED = "5eed" * 20


@pytest.fixture
def app_secret(person):
    """The secret of an app that was set up by the pages."""
    client = Client()
    client.post("/login/", {"login": person.email, "password": PASSWORD})
    confirm_by_mail(client)
    secret = re.search(r'id="secret">(\w+)<', client.get("/security/app/").text)[1]
    client.post("/security/app/", {"code": code_for(secret)})
    return secret


def stored():
    """Everything that the database has of factors, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(a::text, ' ') FROM mfa_authenticator a")
        return cursor.fetchone()[0]


def data(kind):
    return Authenticator.objects.get(type=kind).data


def store(kind, **changed):
    Authenticator.objects.filter(type=kind).update(data=data(kind) | changed)


def opens(person, code):
    """Whether somebody signs in with the password and this code."""
    client = Client()
    client.post("/login/", {"login": person.email, "password": PASSWORD})
    answer = client.post("/login/code/", {"code": code})
    return client.get("/profile/").status_code == 200, answer


def codes_of(person):
    """The recovery codes, as they are shown to whoever has proved who they are."""
    return Authenticator.objects.get(type="recovery_codes").wrap().generate_codes()


def test_the_database_holds_no_secret_and_codes_open(person, app_secret):
    kept = json.dumps([data("totp"), data("recovery_codes")])
    assert app_secret not in stored()
    assert kept.count(sealing.mark()) == 2
    assert sealing.unseal(data("totp")["secret"]) == app_secret
    assert sealing.unseal(data("recovery_codes")["seed"]) not in stored()
    assert opens(person, code_for(app_secret, steps=1))[0]
    assert opens(person, codes_of(person)[3])[0]


def test_what_is_sealed_twice_never_looks_the_same():
    assert sealing.seal("secret") != sealing.seal("secret")
    assert sealing.unseal(sealing.seal("secret")) == "secret"


def test_the_key_is_not_the_one_of_signatures(settings):
    assert settings.SECRET_KEY.encode() not in sealing.key_of(settings.SECRET_KEY)
    assert sealing.key_of("one") != sealing.key_of("two")


def test_secrets_from_before_there_were_seals_open_and_are_sealed(person, app_secret):
    store("totp", secret=app_secret)
    store("recovery_codes", seed=SEED)
    before = codes_of(person)
    assert opens(person, code_for(app_secret, steps=1))[0]
    seal_factors(0)
    assert app_secret not in stored()
    assert SEED not in stored()
    assert codes_of(person) == before
    assert opens(person, before[0])[0]
    assert data("recovery_codes")["used_mask"] == 1


def test_another_key_with_the_old_one_behind_it_goes_on_and_soon_needs_it_no_more(person, app_secret, settings):
    codes, old = codes_of(person), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-secret-key-of-many-letters", ["unrelated", old]
    assert opens(person, code_for(app_secret, steps=1))[0]
    assert opens(person, codes[0])[0]
    seal_factors(0)
    settings.SECRET_KEY_FALLBACKS = []
    cache.clear()
    assert opens(person, code_for(app_secret, steps=-1))[0]
    assert opens(person, codes[1])[0]
    assert not opens(person, codes[0])[0]


def test_without_the_key_nothing_opens_and_the_person_and_the_log_are_told(person, app_secret, settings, caplog):
    settings.SECRET_KEY = "another-secret-key-of-many-letters"
    inside, answer = opens(person, code_for(app_secret, steps=1))
    assert not inside
    assert "The portal cannot check this any more" in answer.text
    before = stored()
    caplog.clear()
    with caplog.at_level(logging.INFO, "accounts"):
        seal_factors(0)
    assert [record.message for record in caplog.records] == [
        "Second factors sealed with a key that is not in SECRET_KEY_FALLBACKS: 2"
    ]
    assert stored() == before


@pytest.mark.parametrize("spoilt", ["sealed:", "sealed:00000000:x", "sealed:00000000:", "sealed::"])
def test_what_was_not_sealed_here_does_not_open(spoilt):
    with pytest.raises(sealing.CannotOpen):
        sealing.unseal(spoilt)
    with pytest.raises(sealing.CannotOpen):
        sealing.unseal(sealing.mark() + "gAAAAAno-token")


def test_sealing_again_changes_nothing_and_leaves_passkeys_alone(person, app_secret):
    person.authenticator_set.create(type="webauthn", data={"name": "key", "credential": {}})
    before = stored()
    assert sealing.seal_all() == (0, 0)
    assert stored() == before


def test_the_worker_seals_every_hour():
    assert [task.cron for task in app.periodic_registry.periodic_tasks.values() if task.task is seal_factors] == [
        "7 * * * *"
    ]
