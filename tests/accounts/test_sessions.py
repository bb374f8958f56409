"""Where a person is signed in: listed, noted at most once a minute, ended."""

import time
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from portal.browsers import in_words
from tests.factories import make_person

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password-1"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


@pytest.fixture
def person(acme):
    cache.clear()
    return make_person(acme, role="administrator", email="someone@example.com", password=PASSWORD)


def signed_in(person, user_agent=FIREFOX, address="192.0.2.1"):
    client = Client(headers={"User-Agent": user_agent}, REMOTE_ADDR=address)
    client.post("/login/", {"login": person.email, "password": PASSWORD})
    return client


def is_in(client):
    return client.get("/profile/").status_code == 200


def test_the_page_lists_every_session_of_the_person(person, acme):
    here, _there = signed_in(person), signed_in(person, CHROME, "192.0.2.2")
    other = make_person(acme, email="other@example.com", password=PASSWORD)
    signed_in(other, address="192.0.2.99")
    page = here.get("/security/").text
    assert page.count("End this session") == 1
    for said in ("Firefox on Linux", "(this session)", "192.0.2.1", "Chrome on Windows", "192.0.2.2"):
        assert said in page
    assert "192.0.2.99" not in page


def test_ending_one_session_leaves_the_others(person):
    here, there, elsewhere = signed_in(person), signed_in(person), signed_in(person)
    row = UserSession.objects.get(session_key=there.session.session_key)
    assert here.post(f"/security/sessions/{row.pk}/end/").url == "/security/"
    assert (is_in(here), is_in(there), is_in(elsewhere)) == (True, False, True)


def test_signing_out_takes_the_session_off_the_list(person):
    here, there = signed_in(person), signed_in(person)
    there.post("/logout/")
    assert "End this session" not in here.get("/security/").text


def test_another_key_keeps_the_place_in_the_list(person):
    client = signed_in(person)
    new = "another-password-2"
    before = client.session.session_key
    client.post("/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert client.session.session_key != before
    assert [row.session_key for row in UserSession.objects.all()] == [client.session.session_key]


def test_use_is_noted_at_most_once_a_minute(person, django_assert_num_queries):
    client = signed_in(person)
    row = UserSession.objects.get()
    with django_assert_num_queries(3):  # session with person and account; a savepoint in the test's transaction
        client.get("/profile/")
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(seconds=61))
    with django_assert_num_queries(4):
        client.get("/profile/", REMOTE_ADDR="192.0.2.7", headers={"User-Agent": CHROME})
    with django_assert_num_queries(3):
        client.get("/profile/")
    noted = UserSession.objects.get()
    assert noted.pk == row.pk
    assert (noted.ip, noted.user_agent) == ("192.0.2.7", CHROME)
    assert timezone.now() - noted.last_seen_at < timedelta(seconds=10)


def test_a_session_that_ran_out_is_on_no_list(person):
    here, there = signed_in(person), signed_in(person)
    Session.objects.filter(pk=there.session.session_key).update(expire_date=timezone.now())
    assert "End this session" not in here.get("/security/").text


@pytest.mark.parametrize(
    ("user_agent", "said"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (CHROME + " Edg/140.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
        ("<script>", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_words(user_agent, said):
    assert in_words(user_agent) == said


def test_a_session_ends_two_hours_after_its_last_request(person):
    client = signed_in(person)
    seen = UserSession.objects.filter(user=person)
    seen.update(last_seen_at=timezone.now() - timedelta(minutes=119))
    assert client.get("/profile/").status_code == 200
    seen.update(last_seen_at=timezone.now() - timedelta(minutes=121))
    assert client.get("/profile/").status_code == 302
    assert client.get("/profile/").url.startswith("/login/")


def test_what_is_written_into_a_session_does_not_make_it_last(person):
    client = signed_in(person)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 11 * 3600}]
    session.save()
    session["anything"] = "else"
    session.save()
    left = Session.objects.get(pk=session.session_key).expire_date - timezone.now()
    assert timedelta(minutes=59) < left < timedelta(minutes=61)
