"""Second factors: set up, asked at sign-in, good once, taken away; and what a person must confirm first."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts.actions import credentials_changed
from tests.accounts.browsers import PASSWORD, is_in, let_proofs_age, recovery_codes, set_up_app, sign_in
from tests.accounts.post import confirm_by_mail, deliver, mailed_link
from tests.accounts.totp import code_for
from tests.factories import make_person

pytestmark = pytest.mark.django_db


def test_with_an_app_the_password_alone_opens_nothing(client, protected):
    person, secret, _codes = protected
    assert sign_in(client, person.email).url == "/login/code/"
    assert not is_in(client)
    assert client.post("/login/code/", {"code": "000000"}).status_code == 200
    assert not is_in(client)
    client.post("/login/code/", {"code": code_for(secret, steps=1)})
    assert is_in(client)


def test_a_code_opens_once_for_as_long_as_it_is_good(protected):
    person, secret, _codes = protected
    code = code_for(secret, steps=1)
    first, second = Client(), Client()
    sign_in(first, person.email)
    first.post("/login/code/", {"code": code})
    assert is_in(first)
    sign_in(second, person.email)
    with connection.cursor() as cursor:  # half a minute passes for what was noted, and the code is still good
        cursor.execute("UPDATE portal_cache SET expires = expires - interval '31 seconds'")
    second.post("/login/code/", {"code": f"{code[:3]} {code[3:]}"})
    assert not is_in(second)


def test_a_recovery_code_opens_once(protected):
    person, _secret, codes = protected
    assert len(codes) == 10
    first, second = Client(), Client()
    sign_in(first, person.email)
    first.post("/login/code/", {"code": codes[3]})
    assert is_in(first)
    assert recovery_codes(first) == codes[:3] + codes[4:]
    sign_in(second, person.email)
    cache.clear()  # what refuses it is the database's own note
    second.post("/login/code/", {"code": codes[3]})
    assert not is_in(second)


def test_a_new_password_by_mail_does_not_open_without_the_factor(client, protected):
    person, secret, _codes = protected
    client.post("/password/reset/", {"email": person.email})
    deliver()
    link = re.search(r"http://testserver(/\S+)", mail.outbox[-1].body)[1]
    form = client.get(link).url
    assert client.post(form, {"password1": "another-password-2", "password2": "another-password-2"}).status_code == 302
    assert not is_in(client)
    assert sign_in(client, person.email, "another-password-2").url == "/login/code/"
    assert not is_in(client)
    client.post("/login/code/", {"code": code_for(secret, steps=1)})
    assert is_in(client)


def test_nothing_is_carried_over_to_the_next_person_in_the_browser(client, protected, alpha):
    person, secret, _codes = protected
    other = make_person(alpha, email="other@example.com", password=PASSWORD)
    sign_in(client, person.email)  # and leaves before the second step
    client.post("/logout/")
    sign_in(client, other.email)
    assert is_in(client)
    assert other.email in client.get("/profile/").text
    client.post("/logout/")
    assert sign_in(client, person.email).url == "/login/code/"
    client.post("/login/code/", {"code": code_for(secret, steps=1)})
    client.post("/logout/")
    sign_in(client, other.email)
    assert client.get("/security/codes/").status_code == 404
    assert "on since" not in client.get("/security/").text
    assert client.post("/login/code/", {"code": code_for(secret, steps=-1)}).status_code == 302
    assert other.email in client.get("/profile/").text


def test_what_protects_the_sign_in_asks_who_signed_in_long_ago_to_confirm(client, protected):
    person, _secret, codes = protected
    sign_in(client, person.email)
    client.post("/login/code/", {"code": codes[0]})
    let_proofs_age(client, 16 * 60)
    for path in ("/security/codes/", "/security/codes/new/", "/security/app/remove/", "/security/passkeys/add/"):
        assert client.get(path).url == f"/reauthenticate/code/?next={path.replace('/', '%2F')}"
    assert client.post("/security/sessions/end/").url.startswith("/reauthenticate/code/")
    assert client.post("/reauthenticate/code/?next=/security/codes/", {"code": codes[1]}).url == "/security/codes/"
    assert client.get("/security/codes/").status_code == 200


def test_the_password_alone_does_not_confirm_who_has_a_factor(client, protected):
    person, _secret, codes = protected
    sign_in(client, person.email)
    client.post("/login/code/", {"code": codes[0]})
    let_proofs_age(client, 16 * 60)
    assert client.post("/reauthenticate/?next=/security/", {"password": PASSWORD}).url.startswith(
        "/reauthenticate/code/"
    )
    assert client.get("/security/app/remove/").status_code == 302


def test_what_was_sent_before_confirming_is_done_afterwards(client, person):
    sign_in(client, person.email)
    other = Client()
    sign_in(other, person.email)
    let_proofs_age(client, 16 * 60)
    asked = client.post("/security/sessions/end/").url
    assert is_in(other)
    assert client.post(asked, {"password": "wrong-password-1"}).status_code == 200
    assert is_in(other)
    assert client.post(asked, {"password": PASSWORD}).url == "/security/"
    assert not is_in(other)


# allauth tells of some changes once they are committed.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["app on", "app off", "codes", "password", "end"])
def test_a_change_of_what_protects_the_sign_in_ends_all_other_sessions(client, person, change):
    sign_in(client, person.email)
    secret = set_up_app(client) if change in ("app off", "codes") else ""
    other = Client()
    sign_in(other, person.email)
    if secret:
        other.post("/login/code/", {"code": code_for(secret, steps=1)})
    assert is_in(other)
    if change == "app on":
        set_up_app(client)
    elif change == "app off":
        client.post("/security/app/remove/")
    elif change == "codes":
        client.post("/security/codes/new/")
    elif change == "end":
        client.post("/security/sessions/end/")
    else:
        new = "another-password-2"
        client.post("/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert is_in(client)
    assert not is_in(other)
    assert Session.objects.count() == 1


def test_credentials_changed_elsewhere_end_every_session(client, person):
    sign_in(client, person.email)
    credentials_changed(person)
    assert not is_in(client)


def test_without_its_last_factor_a_sign_in_has_no_recovery_codes(client, person):
    sign_in(client, person.email)
    set_up_app(client)
    client.post("/security/app/remove/")
    assert client.get("/security/codes/").status_code == 404
    assert not person.authenticator_set.exists()


def test_somebody_elses_factors_and_sessions_are_not_there(client, protected, zenith):
    person, _secret, _codes = protected
    rival = make_person(zenith, email="rival@example.com", password=PASSWORD)
    sign_in(client, rival.email)
    passkey = person.authenticator_set.create(type="webauthn", data={"name": "key", "credential": {}})
    session = person.usersession_set.get()
    for path in (f"/security/passkeys/{passkey.pk}/remove/", f"/security/passkeys/{passkey.pk}/name/"):
        assert client.post(path, {"name": "mine"}).status_code == 404
    assert client.post(f"/security/sessions/{session.pk}/end/").status_code == 404
    assert person.usersession_set.filter(pk=session.pk).exists()


def guess_codes(client, count):
    """Answers to so many wrong codes."""
    return [client.post("/login/code/", {"code": f"{guess:06}"}) for guess in range(count)]


def test_guessing_codes_pauses_after_five(client, protected):
    person, secret, _codes = protected
    sign_in(client, person.email)
    assert not any("Too many attempts" in answer.text for answer in guess_codes(client, 5))
    answer = client.post("/login/code/", {"code": code_for(secret, steps=1)})
    assert "Too many attempts. Wait 1 minute, or" in answer.text
    assert not is_in(client)
    with connection.cursor() as cursor:
        # Within the test's transaction now() is its beginning, which may be minutes ago.
        cursor.execute("UPDATE portal_cache SET expires = expires - interval '10 minutes'")
    client.post("/login/code/", {"code": code_for(secret, steps=1)})
    assert is_in(client)


def codes_looked_at(person):
    """How many codes are looked at when people who have the password guess, each somewhere else."""
    answers = []
    for place in range(50):
        thief = Client(REMOTE_ADDR=f"192.0.2.{place}")
        sign_in(thief, person.email)
        answers += guess_codes(thief, 1)
    return sum("Too many attempts" not in answer.text for answer in answers)


def test_whoever_has_the_password_does_not_keep_the_owner_from_the_second_step(protected, mailoutbox):
    person, secret, codes = protected
    at_home, new = Client(), Client(REMOTE_ADDR="198.51.100.1")
    sign_in(at_home, person.email)
    at_home.post("/login/code/", {"code": codes[0]})
    at_home.post("/logout/")

    assert codes_looked_at(person) == 20
    deliver()
    assert [(message.to, message.subject) for message in mailoutbox][-1] == (
        [person.email],
        "[testserver] Somebody knows your password and is trying codes",
    )
    # Where they signed in before nothing is different.
    sign_in(at_home, person.email)
    at_home.post("/login/code/", {"code": code_for(secret, steps=1)})
    assert is_in(at_home)
    # Where they did not, there is a way around.
    sign_in(new, person.email)
    assert "Too many attempts" in new.post("/login/code/", {"code": codes[1]}).text
    new.post("/login/link/", {"email": person.email})
    deliver()
    assert new.post(mailed_link("/login/link/")).url == "/login/"
    assert new.get("/login/").url == "/login/code/"
    new.post("/login/code/", {"code": codes[1]})
    assert is_in(new)


def test_the_secret_is_drawn_inside_the_page(client, person):
    sign_in(client, person.email)
    confirm_by_mail(client)
    page = client.get("/security/app/").text
    assert '<svg class="qr"' in page
    assert "data:" not in page
    assert "style=" not in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ("app on", "An authenticator app was set up"),
        ("app off", "Your authenticator app was removed"),
        ("codes", "New recovery codes were made"),
        ("password", "Your password was changed"),
    ],
)
def test_the_person_is_told_of_a_change_by_mail(client, person, change, subject, mailoutbox):
    client.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    sign_in(client, person.email)
    if change in ("app off", "codes"):
        set_up_app(client)
    deliver()
    mailoutbox.clear()
    if change == "app on":
        set_up_app(client)
    elif change == "app off":
        client.post("/security/app/remove/")
    elif change == "codes":
        client.post("/security/codes/new/")
    else:
        new = "another-password-2"
        client.post("/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert mailoutbox == []
    deliver()
    assert [(message.to, message.subject) for message in mailoutbox] == [([person.email], f"[testserver] {subject}")]
    for said in ("Hello,", "from 127.0.0.1 (Firefox on Linux)", "http://testserver/password/reset/"):
        assert said in mailoutbox[0].body
