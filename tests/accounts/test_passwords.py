"""Passwords that would be guessed early are refused, in every form that sets one."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from tests.accounts.browsers import PASSWORD, signed_in_as
from tests.accounts.post import deliver, last_link
from tests.factories import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(acme):
    return make_person(acme, "administrator", PASSWORD, name="Ann Tremblay", email="a.example@tremblay.example")


@pytest.mark.parametrize(
    "password",
    [
        " " * 12, "aaaaaaaaaaaa", "qwertyuiop12", "Password123!", "1234567890123", "abcdefghijkl",  # patterns
        "Ann Tremblay 1", "tremblay-2026", "Ánn.Trémblay.26", "acmecorp2026!", "a.example@tremblay",  # of the person
        "phone-numbers-2026", "PhoneNumbers!1", "testserver-12345", "portal-webphone-26",  # of the portal
        "p4ssw0rd!p4ssw0rd!", "monkeydragon1", "drowssap123",  # variations
    ],
)  # fmt: skip
def test_a_password_that_would_be_guessed_early_is_refused(ann, password, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    with pytest.raises(ValidationError) as refusal:
        validate_password(password, ann)
    assert any("easy to guess" in sentence for sentence in refusal.value.messages)


@pytest.mark.parametrize(
    "password", ["seven green kettles", "9fK!x-0vQz2m", "ακόμη ένα σύννεφο", "雨の日は静かな図書館", "z" + "ab1-" * 500]
)
def test_a_password_of_somebodys_own_is_taken(ann, password):
    validate_password(password, ann)


def test_every_form_that_sets_a_password_refuses_it_and_says_what_to_do(ann, client):
    said, weak = "Use several words that have nothing to do with you", "tremblay-2026"
    mine = signed_in_as(ann)
    answer = mine.post("/password/change/", {"oldpassword": PASSWORD, "password1": weak, "password2": weak})
    assert said in answer.text
    client.post("/password/reset/", {"email": ann.email})
    deliver()
    form = client.get(last_link()).url
    assert said in client.post(form, {"password1": weak, "password2": weak}).text
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
