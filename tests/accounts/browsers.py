"""Browsers in which people sign in, and what they do on their security pages."""

import re

from django.test import Client

from tests.accounts.post import confirm_by_mail
from tests.accounts.totp import code_for

PASSWORD = "a-long-password-1"


def at(address: str) -> Client:
    """A new browser at an address."""
    return Client(REMOTE_ADDR=address)


def sign_in(client: Client, email: str, password: str = PASSWORD):
    """The response to the form of the sign-in page."""
    return client.post("/login/", {"login": email, "password": password})


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def set_up_app(client: Client) -> str:
    """Switch the authenticator app on; return its secret."""
    confirm_by_mail(client)
    page = client.get("/security/app/").text
    secret = re.search(r'id="secret">(\w+)<', page)[1]
    assert client.post("/security/app/", {"code": code_for(secret)}).url == "/security/codes/"
    return secret


def recovery_codes(client: Client) -> list[str]:
    return re.findall(r"<li><code>(\d{8})</code>", client.get("/security/codes/").text)


def let_proofs_age(client: Client, seconds: int) -> None:
    """Make the session's proofs of identity older."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= seconds
    session.save()


def signed_in_as(person) -> Client:
    """A browser in which the person has signed in."""
    browser = Client()
    sign_in(browser, person.email)
    return browser


def open_link(path: str):
    """The page behind a link in a new browser, and that browser."""
    browser = Client()
    return browser.get(path, follow=True), browser
