"""What the setting SINGLE_SIGN_ON may say: what would weaken a sign-in is refused, with what to do instead."""

import json
import re

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.single_sign_on import Provider, read_providers
from tests.portal.test_commands import GOOD, run
from tests.processes import ask, servers

SECRET = "mark-client-secret"
USUAL = {
    "id": "example",
    "name": "Example Corp",
    "issuer": "https://login.example.com/realms/staff",
    "client_id": "portal",
    "client_secret": SECRET,
    "domains": ["Example.com"],
}


def read(*providers, is_trial=False):
    return read_providers(json.dumps(providers), is_trial=is_trial)


def without(key):
    return {name: value for name, value in USUAL.items() if name != key}


def test_nothing_is_no_provider():
    assert read_providers("", is_trial=False) == read_providers("  ", is_trial=False) == read() == ()


def test_a_provider_has_what_the_setting_says_and_careful_values_otherwise():
    (provider,) = read(USUAL)
    assert provider == Provider(
        "example", "Example Corp", "https://login.example.com/realms/staff", "portal", SECRET, ("example.com",)
    )
    assert (provider.required, provider.replaces_second_factor, provider.sends_secret_in_form) == (False, False, False)
    assert (provider.verified_claim, provider.origins) == ("email_verified", ("https://login.example.com",))
    (other,) = read(
        USUAL
        | {
            "required": True, "second_factor": "provider", "token_auth_method": "client_secret_post",
            "verified_claim": "xms_edov", "authorization_origins": ["https://sso.example.com:8443"],
        }
    )  # fmt: skip
    assert (other.required, other.replaces_second_factor, other.sends_secret_in_form) == (True, True, True)
    assert (other.verified_claim, other.origins) == ("xms_edov", ("https://sso.example.com:8443",))
    assert SECRET not in repr(other)


def test_two_providers():
    other = USUAL | {"id": "other", "issuer": "https://sso.example.net", "domains": ["example.net"]}
    assert [provider.id for provider in read(USUAL, other)] == ["example", "other"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        *((without(key), f"{key} is missing") for key in ("name", "issuer", "client_id", "client_secret")),
        (without("id"), "provider 1: id is missing"),
        (USUAL | {"client_secret": " "}, "client_secret is missing"),
        (USUAL | {"client_secret": None}, "client_secret is missing"),
        (USUAL | {"scope": "admin"}, "the key 'scope' is unknown: remove it"),
        (USUAL | {"Domains": []}, "the key 'Domains' is unknown"),
        (USUAL | {"id": "Example Corp"}, "use small letters, digits and hyphens"),
        (USUAL | {"id": "e" * 41}, "40 at most"),
        (USUAL | {"name": "Two\nlines"}, "40 visible characters"),
        (USUAL | {"issuer": "http://login.example.com"}, "issuer is reached without TLS"),
        (USUAL | {"issuer": "http://127.0.0.1:9400"}, "issuer is reached without TLS"),
        (USUAL | {"issuer": "ftp://login.example.com"}, "issuer is an address such as"),
        (USUAL | {"issuer": "https://user:password@login.example.com"}, "issuer is an address such as"),
        (USUAL | {"issuer": "https://login.example.com/?x=1"}, "issuer is an address such as"),
        (USUAL | {"issuer": "https://login.example.com;script-src *"}, "issuer is an address such as"),
        (USUAL | {"issuer": "https://login.example.com:port"}, "issuer is an address such as"),
        (USUAL | {"issuer": "https://login.example.com/" + "x" * 200}, "200 characters at most"),
        (USUAL | {"domains": "example.com"}, 'domains is a list such as ["example.com"]'),
        (USUAL | {"domains": ["*"]}, 'domains is a list such as ["example.com"]'),
        (USUAL | {"domains": ["@example.com"]}, 'domains is a list such as ["example.com"]'),
        (USUAL | {"domains": ["example.com", "EXAMPLE.com"]}, "the domain example.com is named twice"),
        (USUAL | {"required": "yes"}, "required is true or false"),
        (without("domains") | {"required": True}, "required needs domains"),
        (USUAL | {"second_factor": True}, "second_factor is portal or provider"),
        (USUAL | {"token_auth_method": "none"}, "token_auth_method is client_secret_basic or client_secret_post"),
        (USUAL | {"verified_claim": "email"}, "verified_claim is email_verified or xms_edov"),
        (USUAL | {"authorization_origins": ["https://*.example.com"]}, "authorization_origins is a list"),
        (USUAL | {"authorization_origins": ["https://login.example.com/x"]}, "authorization_origins is a list"),
        (USUAL | {"authorization_origins": ["http://login.example.com"]}, "authorization_origins is a list"),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_what_would_weaken_a_sign_in_is_refused_with_what_to_do(given, said):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(given)
    assert said in str(refusal.value)
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("key", ["id", "issuer", "domains"])
def test_what_two_providers_share_is_refused(key):
    other = {"id": "other", "issuer": "https://sso.example.net", "domains": ["example.net"]}
    with pytest.raises(ImproperlyConfigured, match=r"two providers|named twice"):
        read(USUAL, USUAL | other | {key: USUAL[key]})


@pytest.mark.parametrize("text", ["{", "{}", '"example"', "[1]", "null", "[" * 100_000])
def test_what_is_no_list_of_providers_is_refused(text):
    with pytest.raises(ImproperlyConfigured, match="is no list of providers in JSON"):
        read_providers(text, is_trial=True)


@pytest.mark.parametrize("host", ["127.0.0.1:9400", "localhost", "[::1]:9400"])
def test_a_provider_on_this_computer_may_do_without_tls_in_a_trial(host):
    (provider,) = read(USUAL | {"issuer": f"http://{host}"}, is_trial=True)
    assert provider.origins == (f"http://{host}",)
    with pytest.raises(ImproperlyConfigured, match="without TLS"):
        read(USUAL | {"issuer": "http://login.example.com"}, is_trial=True)


WEAK = {"issuer": "http://login.example.com", "client_secret": "", "scope": "x", "domains": ["a.example", "a.example"]}


@pytest.mark.parametrize("command", [("serve",), ("check", "--deploy")])
def test_commands_say_everything_that_is_wrong_at_once(command):
    status, said = run(*command, **GOOD, SINGLE_SIGN_ON=json.dumps([USUAL | WEAK]))
    assert status != 0
    assert "Traceback" not in said
    for sentence in ("issuer is reached without TLS", "client_secret is missing", "'scope' is unknown", "named twice"):
        assert sentence in said


def test_good_providers_are_served_and_pass_the_checks():
    setting = json.dumps([USUAL])
    assert "The database cannot be reached" in run("serve", **GOOD, SINGLE_SIGN_ON=setting)[1]
    assert run("check", "--deploy", "--fail-level", "WARNING", **GOOD, SINGLE_SIGN_ON=setting)[0] == 0


def test_no_page_waits_for_a_provider_for_long():
    for seconds in ("0", "60"):
        status, said = run("serve", **GOOD, SINGLE_SIGN_ON_SECONDS=seconds)
        assert (status, "SINGLE_SIGN_ON_SECONDS is from 1 to 15" in said) == (2, True)


@pytest.mark.django_db(transaction=True)
def test_a_served_portal_has_the_button_and_goes_on_when_the_provider_is_away():
    setting = json.dumps([USUAL | {"issuer": "http://127.0.0.1:1"}])
    with servers(1, SINGLE_SIGN_ON=setting) as (port,):
        status, headers, page = ask(port, "GET", "/login/")
        assert (status, b"Sign in with Example Corp" in page) == (200, True)
        assert "form-action 'self' http://127.0.0.1:1;" in headers["Content-Security-Policy"]
        assert SECRET.encode() not in page
        token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page)[1].decode()
        cookie = headers["Set-Cookie"].partition(";")[0]
        status, headers, page = ask(port, "POST", "/login/with/example/", {"csrfmiddlewaretoken": token}, Cookie=cookie)
        assert (status, headers["Retry-After"]) == (503, "60")
        assert b"Example Corp does not answer at the moment." in page
