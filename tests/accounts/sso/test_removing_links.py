"""Links to identity providers, and how they end."""

import io

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent
from portal.single_sign_on import Provider
from tests.accounts.browsers import is_in, let_proofs_age
from tests.accounts.browsers import sign_in as by_password
from tests.accounts.post import deliver
from tests.accounts.sso.conftest import EMAIL, PASSWORD, join, link
from tests.factories import make_person

pytestmark = pytest.mark.django_db


# Removing the link


def test_a_person_sees_the_link_and_removes_it(acme, person, provider, sign_in):
    _answer, client = sign_in()
    _answer, other = sign_in()
    deliver()
    mail.outbox.clear()
    page = client.get("/security/").text
    assert "linked since" in page
    assert "Remove the link" in page
    assert client.post("/security/with/example/remove/", follow=True).redirect_chain == [("/security/", 302)]
    assert not SocialAccount.objects.exists()
    assert (is_in(client), is_in(other)) == (True, False)
    (event,) = AuditEvent.unscoped.filter(verb="person.unlinked")
    assert (event.person_id, event.before, event.account_id) == (person.pk, {"provider": "example"}, acme.pk)
    deliver()
    assert "was removed" in mail.outbox[0].body
    assert "linked since" not in client.get("/security/").text
    assert client.post("/security/with/example/remove/").status_code == 404


def test_removing_the_link_needs_confirmation_and_a_password(acme, provider, sign_in, idp):
    make_person(acme, role="administrator", email=EMAIL, invited_at=timezone.now())
    _answer, client = sign_in()
    join(client, acme.code)
    assert "Remove the link" not in client.get("/security/").text
    assert "Choose a password first" in client.post("/security/with/example/remove/", follow=True).text
    assert SocialAccount.objects.exists()
    let_proofs_age(client, 3600)
    assert client.post("/security/with/example/remove/").url.startswith("/reauthenticate/provider/")
    assert client.get("/security/with/example/remove/").status_code == 405
    assert SocialAccount.objects.exists()


def test_nobody_removes_the_link_of_another(acme, person, provider, sign_in):
    sign_in()
    client = Client()
    make_person(acme, email="other@example.com", password=PASSWORD)
    by_password(client, "other@example.com")
    assert client.post("/security/with/example/remove/").status_code == 404
    assert SocialAccount.objects.get().user_id == person.pk


def test_the_operator_removes_the_links_of_somebody_who_is_somebody_else_at_the_provider_now(
    acme, person, provider, sign_in
):
    _answer, client = sign_in()
    assert sign_in(sub="mark-subject-2")[0].status_code == 403
    call_command("remove_provider_links", EMAIL.upper(), stdout=io.StringIO())
    assert not is_in(client)
    (event,) = AuditEvent.unscoped.filter(verb="person.unlinked")
    assert (event.person, event.target_id, event.before) == (None, person.pk, {"provider": "example"})
    mail.outbox.clear()
    deliver()
    assert "removed the link" in mail.outbox[-1].body
    assert is_in(sign_in(sub="mark-subject-2")[1])
    for address, said in (("nobody@example.com", "Nobody signs in"), (EMAIL, "is linked to no identity provider")):
        SocialAccount.objects.all().delete()
        with pytest.raises(CommandError, match=said):
            call_command("remove_provider_links", address)


def test_a_link_to_a_provider_that_is_not_in_the_settings_any_more_is_of_no_use(person, provider, sign_in, settings):
    _answer, client = sign_in()
    settings.SINGLE_SIGN_ON = ()
    cache.clear()
    assert "linked since" not in client.get("/security/").text
    assert client.post("/security/with/example/remove/").status_code == 404
    assert Client().get("/login/with/example/callback/").status_code == 404


def test_a_provider_that_is_required_is_not_replaced_by_another(configure, settings, person, provider, sign_in, logged):
    link(person, provider)
    other = Provider(**vars(provider) | {"id": "new", "name": "New Corp", "issuer": "https://login.example.org"})
    old = Provider(**vars(provider) | {"domains": ()})
    settings.SINGLE_SIGN_ON = (old, Provider(**vars(other) | {"required": True}))
    _answer, client = sign_in()
    assert not is_in(client)
    assert [line["provider"] for line in logged.events("sign_in.provider_required")] == ["new"]
