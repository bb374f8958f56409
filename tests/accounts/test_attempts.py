"""Guessing passwords: how much of it there is, and that it keeps nobody else from signing in."""

import re
import time

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import attempts
from accounts.attempts import client_of
from accounts.limits import HOUR, MINUTE, Limit
from portal.cache import LastingCache
from tests.accounts.browsers import PASSWORD, at, is_in, sign_in
from tests.accounts.guessing import OWNER, REFUSED, guesses_looked_at, known_browser, let_pass
from tests.accounts.post import deliver, mailed_link
from tests.factories import make_person
from tests.queue import empty_queue

pytestmark = pytest.mark.django_db
UNKNOWN = "ghost@example.com"


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_a_client_is_an_address_or_the_network_of_one_customer(address, client):
    assert client_of(RequestFactory(REMOTE_ADDR=address).get("/")) == client


@pytest.mark.parametrize(("proxies", "client"), [(0, "127.0.0.1"), (1, "198.51.100.2"), (2, "198.51.100.1")])
def test_an_address_is_taken_from_trusted_proxies_alone(settings, proxies, client):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.1, 198.51.100.2"})
    assert client_of(request) == client


# How much is guessed


def test_one_name_from_a_hundred_places_at_once(owner):
    """A hundred clients get as far as the limit of the name, and no further the next day than the next limit."""
    assert guesses_looked_at(100) == 50
    let_pass(HOUR)
    assert guesses_looked_at(60) == 50
    let_pass(HOUR)
    assert guesses_looked_at(10) == 0


def test_one_name_from_one_place_is_slowed_down_more_and_more(owner):
    looked_at = []
    for minutes in (0, 1, 1, 1, 60, 60, 60):
        let_pass(minutes * MINUTE)
        answers = [sign_in(at("198.51.100.1"), OWNER, f"guess-{i}").text for i in range(10)]
        looked_at.append(sum(REFUSED not in answer for answer in answers))
    assert looked_at == [5, 5, 5, 0, 5, 5, 5]
    for minutes in (60, 60):
        let_pass(minutes * MINUTE)
        assert REFUSED in sign_in(at("198.51.100.1"), OWNER, "guess").text


def test_many_names_from_one_place(acme):
    names = [f"somebody{i}@example.com" for i in range(100)]
    looked_at = [REFUSED not in sign_in(at("198.51.100.1"), name, "guess").text for name in names]
    assert sum(looked_at) == 30
    # Others are not concerned, nor is a neighbour of the same provider.
    assert REFUSED not in sign_in(at("198.51.100.2"), names[-1], "guess").text


def test_a_network_of_one_customer_is_one_place(acme):
    names = [f"somebody{i}@example.com" for i in range(40)]
    looked_at = [
        REFUSED not in sign_in(at(f"2001:db8:1:2::{i + 1:x}"), name, "guess").text for i, name in enumerate(names)
    ]
    assert sum(looked_at) == 30


def test_spellings_of_a_name_are_one_name(owner):
    for spelling in ("OWNER@example.com", "Owner@EXAMPLE.com", "owner@example.com", "oWNER@example.com") * 2:
        answer = sign_in(at("198.51.100.1"), spelling, "guess")
    assert REFUSED in answer.text


def test_an_office_signs_in_behind_one_address(acme):
    """Two hundred people, one in ten mistyping once: what was right is not counted, and what was wrong is few."""
    for i in range(200):
        person = make_person(acme, password=PASSWORD)
        client = at("198.51.100.1")
        if i % 10 == 0:
            sign_in(client, person.email, "mistyped")
        assert sign_in(client, person.email).status_code == 302


# Nobody is shut out


def test_the_owner_signs_in_where_they_did_before_while_others_guess(owner):
    mine = known_browser(owner)
    assert guesses_looked_at(60) == 50
    assert sign_in(mine, OWNER).status_code == 302
    assert is_in(mine)
    # Nor are they kept from confirming themselves, or from another password.
    session = mine.session
    session["account_authentication_methods"][0]["at"] -= HOUR
    session.save()
    assert mine.post("/reauthenticate/?next=/security/", {"password": PASSWORD}).url == "/security/"
    new = {"oldpassword": PASSWORD, "password1": "another-password-2", "password2": "another-password-2"}
    assert mine.post("/password/change/", new).status_code == 302
    # And after that the browser is still theirs.
    mine.post("/logout/")
    assert sign_in(mine, OWNER, "another-password-2").status_code == 302


def test_a_known_browser_is_not_shut_out_with_the_network_it_is_in(owner):
    mine = known_browser(owner)
    for i in range(40):
        sign_in(at("192.0.2.1"), f"somebody{i}@example.com", "guess")
    assert REFUSED in sign_in(at("192.0.2.1"), OWNER).text
    assert sign_in(mine, OWNER).status_code == 302


def test_where_they_never_were_a_mailed_link_lets_the_owner_in_at_once(owner, mailoutbox):
    assert guesses_looked_at(60) == 50
    mine = at("203.0.113.1")
    answer = sign_in(mine, OWNER)
    assert re.search(
        r"Wait (1 hour|\d+ minutes), or <a href=\"/login/link/\">have a link mailed to you</a>", answer.text
    )
    answer = mine.post("/login/link/", {"email": OWNER}, follow=True)
    assert f"A link is on its way to {OWNER}, if the address belongs to somebody here." in answer.text
    deliver()
    mine.post(mailed_link("/login/link/"))
    assert sign_in(mine, OWNER).status_code == 302
    assert is_in(mine)


def test_a_new_password_by_mail_lets_the_owner_in_at_once(owner):
    assert guesses_looked_at(60) == 50
    mine = at("203.0.113.1")
    mine.post("/password/reset/", {"email": OWNER})
    deliver()
    form = mine.get(mailed_link("/password/reset/key/")).url
    mine.post(form, {"password1": "another-password-2", "password2": "another-password-2"})
    assert sign_in(mine, OWNER, "another-password-2").status_code == 302


def test_without_known_browser_or_link_the_wait_ends_by_itself(owner):
    for i in range(5):
        sign_in(at("203.0.113.1"), OWNER, f"guess-{i}")
    refused = sign_in(at("203.0.113.1"), OWNER)
    assert "Wait 1 minute, or" in refused.text
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= MINUTE
    let_pass(MINUTE)
    assert sign_in(at("203.0.113.1"), OWNER).status_code == 302


def test_the_owner_is_told_once_a_day_and_nobody_else(owner, mailoutbox):
    guesses_looked_at(60)
    guesses_looked_at(60, UNKNOWN)
    deliver()
    assert [(message.to, message.subject) for message in mailoutbox] == [
        ([OWNER], "[testserver] Somebody is trying to guess your password")
    ]
    let_pass(HOUR)
    guesses_looked_at(60)
    deliver()
    assert len(mailoutbox) == 1


# Nobody learns who has a sign-in


def without_tokens(answer):
    return re.sub(r'csrfmiddlewaretoken" value="\w+"', "", answer.text)


def test_known_and_unknown_names_are_answered_alike_however_often(owner, acme, monkeypatch):
    """Wrong, refused for the place, refused for the name; from a browser that is known as somebody's, too."""
    # Once a minute somebody sweeps the cache, whoever it is.
    monkeypatch.setattr(LastingCache, "swept_at", time.monotonic() + 3600)
    browser = known_browser(make_person(acme, password=PASSWORD, email="other@example.com"))
    browser.get("/login/")  # where it says that they are signed out
    seen = []
    for email in (OWNER, UNKNOWN):
        cache.clear()
        spent = []
        for i in range(70):
            client = browser if i % 10 == 0 else at(f"198.51.100.{i % 19}")
            with CaptureQueriesContext(connection) as statements:
                answer = sign_in(client, email, "guess")
            text = re.sub(r"Wait \d+ \w+", "Wait", without_tokens(answer).replace(email, "@"))
            spent.append((answer.status_code, text, len(statements)))
        seen.append((spent, ProcrastinateJob.objects.count()))
        empty_queue()
    assert seen[0] == seen[1]
    assert any(REFUSED in text for _status, text, _count in seen[0][0])


@pytest.mark.parametrize("path", ["/password/reset/", "/login/link/"])
def test_links_are_mailed_three_times_an_hour_and_it_tells_nobody_who_has_a_sign_in(owner, path, mailoutbox):
    seen = []
    for email in (OWNER, UNKNOWN):
        answers = []
        for _turn in range(5):
            with CaptureQueriesContext(connection) as statements:
                answer = at(f"198.51.100.{len(answers)}").post(path, {"email": email})
            # What has expired is deleted once a minute, whoever asks then.
            asked = [row["sql"] for row in statements if not row["sql"].startswith("DELETE FROM portal_cache")]
            text = re.sub(r"in \d+ \w+", "in a while", without_tokens(answer).replace(email, "@"))
            answers.append((answer.status_code, answer.get("Location"), len(asked), text))
        seen.append(answers)
        assert ["Three links were asked for" in text for *_rest, text in answers] == [False] * 3 + [True] * 2
    assert seen[0] == seen[1]
    deliver()
    assert [message.to for message in mailoutbox] == [[OWNER]] * 3
    let_pass(HOUR)
    assert at("198.51.100.1").post(path, {"email": OWNER}).status_code == 302


def test_one_client_has_thirty_links_mailed_an_hour(owner):
    answers = [
        Client().post(("/password/reset/", "/login/link/")[i % 2], {"email": f"n{i}@example.com"}) for i in range(40)
    ]
    assert sum(answer.status_code == 302 for answer in answers) == 30
    assert "Many links were asked for from where you are." in answers[-1].text


# Passkeys


def test_a_stranger_begins_few_sign_ins_by_passkey(monkeypatch):
    monkeypatch.setattr(attempts, "PASSKEYS_BEGUN", (Limit(3, MINUTE),))
    monkeypatch.setattr("accounts.sign_in.PASSKEYS_BEGUN", (Limit(3, MINUTE),))
    ask = {"headers": {"Accept": "application/json"}}
    assert [Client().get("/login/passkey/", **ask).status_code for _turn in range(4)] == [200, 200, 200, 429]
    assert Client().head("/login/passkey/", **ask).status_code == 429
    assert at("198.51.100.1").get("/login/passkey/", **ask).status_code == 200


def test_passkeys_that_do_not_fit_are_counted_and_shut_nobody_out(owner):
    sent = ['{"id": "x"}', '{"id": "eA", "rawId": "eA", "response": {}}', "[1]", '"x"', "7"]
    wrong = [
        Client().post("/login/passkey/", {"credential": sent[turn % len(sent)]}, follow=True).text for turn in range(31)
    ]
    assert [REFUSED in text for text in wrong] == [False] * 30 + [True]
    assert REFUSED not in sign_in(Client(), OWNER).get("Location", "")


def test_an_attempt_that_is_refused_says_so_by_code(owner):
    request = RequestFactory().get("/")
    request.session = {}
    for _turn in range(5):
        attempts.Attempt("password", request, OWNER)
    with pytest.raises(ValidationError) as refused:
        attempts.Attempt("password", request, OWNER)
    assert refused.value.code == "too_many"
