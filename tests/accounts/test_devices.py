"""Known browsers: what makes a browser known, to whom, and what ends it."""

from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import devices
from accounts.actions import credentials_changed, sign_out_person
from accounts.actor import Actor
from accounts.models import Person
from tests.accounts.browsers import PASSWORD, at, set_up_app, sign_in
from tests.accounts.guessing import OWNER, REFUSED, guesses_looked_at, known_browser
from tests.factories import make_person

pytestmark = pytest.mark.django_db


# Known browsers


def test_a_known_browser_has_limits_of_its_own(owner):
    mine = known_browser(owner)
    answers = [sign_in(mine, OWNER, f"guess-{i}").text for i in range(8)]
    assert [REFUSED in answer for answer in answers] == [False] * 5 + [True] * 3
    assert sign_in(at("203.0.113.1"), OWNER).status_code == 302


def test_a_browser_is_known_as_its_own_persons_alone(owner, zenith):
    rival = make_person(zenith, email="rival@example.com", password=PASSWORD)
    theirs = known_browser(rival)
    assert guesses_looked_at(60) == 50
    assert REFUSED in sign_in(theirs, OWNER).text
    assert sign_in(theirs, rival.email).status_code == 302


def test_people_who_share_a_browser_are_all_remembered_in_it(owner, acme):
    shared = known_browser(owner)
    colleague = make_person(acme, password=PASSWORD)
    sign_in(shared, colleague.email)
    shared.post("/logout/")
    assert guesses_looked_at(60) == 50
    assert guesses_looked_at(60, colleague.email, "203.0.{}.{}") == 50
    for email in (OWNER, colleague.email):
        assert sign_in(shared, email).status_code == 302
        shared.post("/logout/")


def app_switched_on(person):
    elsewhere = at("192.0.2.9")
    sign_in(elsewhere, OWNER)
    set_up_app(elsewhere)
    # Told of it once it is committed.
    credentials_changed(person)


def password_changed(person):
    elsewhere = at("192.0.2.9")
    sign_in(elsewhere, OWNER)
    new = {"oldpassword": PASSWORD, "password1": "another-password-2", "password2": "another-password-2"}
    elsewhere.post("/password/change/", new)


def signed_out_by_an_administrator(person):
    chief = make_person(person.account, role="administrator", password=PASSWORD)
    sign_out_person(Actor.at_home(chief), person.pk)


@pytest.mark.parametrize("change", [app_switched_on, password_changed, signed_out_by_an_administrator])
def test_browsers_are_known_until_password_or_factor_change(owner, change):
    mine, request = known_browser(owner), RequestFactory().get("/")
    request.COOKIES, request.session = {"device": mine.cookies["device"].value}, {}
    assert devices.known(request, OWNER)
    change(owner)
    assert devices.known(request, OWNER) is None


@pytest.mark.parametrize("salt", ["another", devices.LINK, "", None])
def test_a_cookie_that_is_not_ours_makes_no_browser_known(owner, salt):
    written = [devices.Device.new(owner).written]
    forged = "W10:x:y" if salt is None else signing.dumps(written, salt=salt)
    for cookie, is_known in ((signing.dumps(written, salt=devices.COOKIE), True), (forged, False)):
        request = RequestFactory().get("/")
        request.session, request.COOKIES = {}, {"device": cookie}
        assert (devices.known(request, OWNER) is not None) is is_known


def test_the_cookie_is_for_the_portal_alone(owner, settings):
    settings.SECURE_COOKIES, settings.DEVICE_COOKIE_NAME = True, "__Host-device"
    client = Client()
    sign_in(client, OWNER)
    cookie = client.cookies["__Host-device"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert OWNER not in cookie.value


def test_a_password_alone_makes_no_browser_known_where_there_is_a_factor(owner):
    owner.authenticator_set.create(type="totp", data={"secret": "A" * 32})
    client = Client()
    assert sign_in(client, OWNER).url == "/login/code/"
    assert "device" not in client.cookies


def test_a_person_whose_browsers_were_forgotten_is_known_again_after_signing_in(owner):
    mine = known_browser(owner)
    Person.objects.filter(pk=owner.pk).update(devices_since=timezone.now() - timedelta(seconds=1))
    sign_in(mine, OWNER)
    mine.post("/logout/")
    assert guesses_looked_at(60) == 50
    assert sign_in(mine, OWNER).status_code == 302
