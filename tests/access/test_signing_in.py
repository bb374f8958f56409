"""Signing in with an address and a password, told apart from nothing."""

import pytest

from tests.factories import make_account, make_person


@pytest.mark.django_db
def test_a_wrong_password_is_answered_like_an_unknown_address(client):
    make_person(make_account("var"), email="known@example.com", password="right-password-1")
    answers = [
        client.post("/login/", {"login": email, "password": "wrong-password-1"})
        for email in ("known@example.com", "nobody@example.com")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    texts = [answer.content.decode().replace("known@", "@").replace("nobody@", "@") for answer in answers]
    texts = [text.split("csrfmiddlewaretoken")[0] for text in texts]
    assert texts[0] == texts[1]
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_the_right_password_leads_to_ones_own_home(client):
    person = make_person(make_account("var"), email="known@example.com", password="right-password-1")
    response = client.post("/login/", {"login": "KNOWN@example.com", "password": "right-password-1"}, follow=True)
    assert response.redirect_chain[-1][0] == f"/{person.account.code}/"
