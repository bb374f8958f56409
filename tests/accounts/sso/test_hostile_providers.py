"""Answers of a provider, and of whoever pretends to be one, that must not be believed."""

import json
import re
import time

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import caches
from django.test import Client
from jwt.warnings import InsecureKeyLengthWarning

from accounts import oidc
from tests.accounts.browsers import is_in
from tests.accounts.sso.conftest import begin, come_back
from tests.accounts.sso.signing import BEGINNINGS, SECRET, public_jwk, signed_with_public_key

pytestmark = pytest.mark.django_db
UNUSABLE = "The portal cannot use the answer of Example Corp."
AWAY = "Example Corp does not answer at the moment."
ENDED = "This sign-in has expired or was already used."


@pytest.fixture
def refuses(idp, provider, person, logged):
    """That an answer signs nobody in: its status, sentence, and word in the log; and that no secret is in the log."""

    def check(answer, client, status, said, why):
        assert answer.status_code == status
        assert said in answer.text
        assert not is_in(client)
        assert not UserSession.objects.exists()
        assert not SocialAccount.objects.exists()
        (line,) = logged.events("sign_in.provider_failed")
        assert (line["provider"], line["why"], line["outcome"]) == ("example", why, "failure")
        kept = [str(value) for sent in idp.sent for value in (sent["nonce"], sent["state"], sent["code_challenge"])]
        for secret in (SECRET, "mark-", "eyJ", person.email, *kept, *idp.codes):
            assert secret not in logged.text
            assert secret not in answer.text
        assert "/login/" in answer.text

    return check


NOW, WEEK = int(time.time()), 7 * 24 * 3600
#: Bits of a key that is too short today.
SHORT = 1024


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "another-portal"}, "audience"),
        ({"aud": ["portal:1", "another-portal"]}, "audience"),
        ({"aud": ["portal:1", "another-portal"], "azp": "another-portal"}, "audience"),
        ({"azp": "another-portal"}, "audience"),
        ({"aud": None}, "token"),
        ({"iss": "https://login.example.net"}, "issuer"),
        ({"iss": None}, "token"),
        ({"nonce": "of-another-sign-in"}, "nonce"),
        ({"nonce": None}, "token"),
        ({"nonce": 7}, "nonce"),
        ({"exp": NOW - 120}, "expired"),
        ({"exp": None}, "token"),
        ({"iat": NOW + WEEK}, "token"),
        ({"nbf": NOW + WEEK}, "token"),
        ({"exp": float("inf")}, "token"),
        ({"exp": [NOW + 300]}, "token"),
        ({"sub": None}, "token"),
        ({"sub": ""}, "subject"),
        ({"sub": "s" * 192}, "subject"),
        ({"sub": "two\nlines"}, "subject"),
        ({"sub": "é"}, "subject"),
        ({"key": "second"}, "signature"),
        ({"kid": "second"}, "unknown_key"),
        ({"alg": "none", "key": None}, "algorithm"),
        ({"alg": "HS256", "key": SECRET.encode() * 2}, "algorithm"),
        ({"alg": "PS256"}, "unknown_key"),
        ({"raw": "mark-nonsense"}, "token"),
        ({"raw": "a.b.c"}, "token"),
        ({"raw": 7}, "no_token"),
    ],
    ids=lambda value: re.sub("[0-9]{9,}", "T", str(value))[:40],  # the time is another one in each process
)
def test_a_token_that_is_not_right_in_everything_signs_nobody_in(sign_in, refuses, claims, why):
    answer, client = sign_in(**claims)
    refuses(answer, client, 502, UNUSABLE, why)


def test_a_public_key_is_no_secret_to_sign_with(idp, provider, person, refuses):
    """The attack on libraries that let the token choose the algorithm."""
    client = Client()
    location = begin(client)
    brought = idp.sign_in(location)
    claims = jwt.decode(idp.codes[brought["code"]]["token"], options={"verify_signature": False})
    idp.codes[brought["code"]]["token"] = signed_with_public_key("first", claims)
    refuses(come_back(client, brought), client, 502, UNUSABLE, "algorithm")


def test_a_short_key_signs_nothing(idp, sign_in, refuses):
    short = rsa.generate_private_key(public_exponent=65537, key_size=SHORT)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(short.public_key()))
    idp.keys = [public | {"kid": "short"}]
    with pytest.warns(InsecureKeyLengthWarning):
        answer, client = sign_in(key=short, kid="short")
    refuses(answer, client, 502, UNUSABLE, "token")


def test_a_key_for_encryption_signs_nothing(idp, sign_in, refuses):
    idp.keys = [public_jwk("first", use="enc")]
    answer, client = sign_in()
    refuses(answer, client, 502, UNUSABLE, "unknown_key")


@pytest.mark.parametrize("claims", [{"kid": None}, {"aud": ["portal:1"]}], ids=str)
def test_what_the_protocol_leaves_open_signs_in(provider, person, sign_in, claims):
    """A token that names no key, of a provider with one; and one for a single audience, as a list."""
    assert is_in(sign_in(**claims)[1])


def test_the_secret_goes_into_the_form_where_the_provider_wants_it_there(idp, configure, person, sign_in):
    configure(token_auth_method="client_secret_post")
    assert is_in(sign_in()[1])
    ((form, authorization),) = idp.redeemed
    assert (form["client_id"], form["client_secret"], authorization) == ("portal:1", SECRET, "")


def test_the_secret_goes_into_a_header_otherwise(idp, provider, person, sign_in):
    assert is_in(sign_in()[1])
    ((form, authorization),) = idp.redeemed
    assert authorization.startswith("Basic ")
    assert "client_secret" not in form


def test_a_new_key_of_the_provider_is_asked_for(idp, provider, person, sign_in):
    assert is_in(sign_in()[1])
    idp.keys = [public_jwk("first"), public_jwk("second")]
    assert is_in(sign_in(key="second", kid="second")[1])
    assert idp.asked.count("/keys") == 2
    for _turn in range(3):
        assert sign_in(kid="unheard-of")[0].status_code == 502
    assert idp.asked.count("/keys") == 2


@pytest.mark.parametrize("change", [{"state": "unheard-of"}, {"state": ""}], ids=str)
def test_a_callback_that_nobody_expects_is_refused(idp, provider, person, refuses, change):
    client = Client()
    brought = idp.sign_in(begin(client))
    refuses(come_back(client, brought | change), client, 400, ENDED, "state")
    assert "/token" not in idp.asked


def test_a_callback_in_a_browser_without_a_session_is_refused(idp, provider, person, refuses):
    """Somebody who is sent the address of a callback is not signed in as somebody else (login CSRF)."""
    brought, victim = idp.sign_in(begin(Client())), Client()
    refuses(come_back(victim, brought), victim, 400, ENDED, "state")
    assert "/token" not in idp.asked


def test_a_callback_in_the_session_of_another_sign_in_is_refused(idp, provider, person, refuses):
    attacker, victim = Client(), Client()
    begin(victim)
    refuses(come_back(victim, idp.sign_in(begin(attacker))), victim, 400, ENDED, "state")


def test_a_callback_that_is_sent_again_is_refused(idp, provider, person, logged):
    client = Client()
    brought = idp.sign_in(begin(client))
    assert come_back(client, brought).status_code == 302
    client.post("/logout/")
    answer = come_back(client, brought)
    assert (answer.status_code, ENDED in answer.text) == (400, True)
    assert not is_in(client)
    assert [line["why"] for line in logged.events("sign_in.provider_failed")] == ["state"]


def test_a_code_of_another_sign_in_does_not_fit_the_verifier(idp, provider, person, refuses):
    """A stolen code is worth nothing without what the session keeps (PKCE)."""
    owner, thief = Client(), Client()
    stolen, mine = idp.sign_in(begin(owner)), idp.sign_in(begin(thief))
    refuses(come_back(thief, mine | {"code": stolen["code"]}), thief, 502, UNUSABLE, "token_endpoint")


def test_a_code_that_was_redeemed_before_is_refused(idp, provider, person, refuses):
    client = Client()
    brought = idp.sign_in(begin(client))
    idp.codes.clear()
    refuses(come_back(client, brought), client, 502, UNUSABLE, "code")


def test_the_answer_of_another_provider_is_refused(idp, provider, person, refuses):
    client = Client()
    brought = idp.sign_in(begin(client))
    refuses(come_back(client, brought | {"iss": "https://login.example.net"}), client, 502, UNUSABLE, "issuer")
    assert "/token" not in idp.asked


@pytest.mark.parametrize(
    ("error", "status", "said", "why"),
    [
        ("access_denied", 403, "You did not sign in at Example Corp.", "access_denied"),
        ("server_error", 503, AWAY, "server_error"),
        ("temporarily_unavailable", 503, AWAY, "temporarily_unavailable"),
        ("invalid_scope", 502, UNUSABLE, "invalid_scope"),
        ("mark-<script>", 502, UNUSABLE, "other"),
        ("", 502, UNUSABLE, "other"),
    ],
)
def test_what_the_provider_says_instead_of_a_code(idp, provider, person, refuses, error, status, said, why):
    client = Client()
    brought = idp.sign_in(begin(client))
    told = {"state": brought["state"], "error": error, "error_description": "mark-description"}
    refuses(come_back(client, told), client, status, said, why)


@pytest.mark.parametrize(("more", "why"), [({"error": "access_denied"}, "access_denied"), ({"code": ""}, "other")])
def test_a_code_beside_an_error_and_no_code_at_all_redeem_nothing(idp, provider, person, logged, more, why):
    client = Client()
    answer = come_back(client, idp.sign_in(begin(client)) | more)
    assert answer.status_code == (403 if why == "access_denied" else 502)
    assert not is_in(client)
    assert "/token" not in idp.asked
    assert [line["why"] for line in logged.events("sign_in.provider_failed")] == [why]


PATHS = ["/.well-known/openid-configuration", "/token", "/keys", "/userinfo"]


@pytest.mark.parametrize("how", BEGINNINGS)
@pytest.mark.parametrize("path", PATHS)
def test_a_provider_that_does_not_come_to_an_end_is_left(idp, provider, person, settings, refuses, path, how):
    """It would go on for ever: that there is an answer shows that nobody waits for its end."""
    client = Client()
    settings.SINGLE_SIGN_ON_SECONDS = 1
    if path == PATHS[0]:
        idp.instead[path] = how
        answer = client.post("/login/with/example/")
    else:
        brought = idp.sign_in(begin(client), email=None)
        idp.instead[path] = how
        answer = come_back(client, brought)
    refuses(answer, client, 503, AWAY, "slow")
    assert answer["Retry-After"] == "60"
    # Its place is free again.
    del idp.instead[path]
    assert begin(Client()).startswith(idp.issuer)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{}", "unreadable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "unreadable"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000, "unreadable"),
        (b"HTTP/1.1 200 OK\r\n\r\n{" + b" " * 600_000 + b"}", "unreadable"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "unreadable"),
        (b"mark-nonsense\r\n\r\n", "unreadable"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}", "token_endpoint"),
        (b"HTTP/1.1 302 Found\r\nLocation: /keys\r\nContent-Length: 2\r\n\r\n{}", "token_endpoint"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no_token"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_answer_that_cannot_be_read_signs_nobody_in(idp, provider, person, refuses, content, why):
    client = Client()
    brought = idp.sign_in(begin(client))
    idp.instead["/token"] = content
    refuses(come_back(client, brought), client, 502, UNUSABLE, why)


@pytest.mark.parametrize(
    ("path", "why"),
    [(PATHS[0], "discovery"), ("/token", "token_endpoint"), ("/keys", "keys"), ("/userinfo", "userinfo")],
)
def test_the_right_content_with_the_status_of_an_error_signs_nobody_in(idp, provider, person, refuses, path, why):
    idp.userinfo = {"sub": "mark-subject-1", "email": person.email, "email_verified": True}
    client = Client()
    if path == PATHS[0]:
        idp.status[path] = 500
        answer = client.post("/login/with/example/")
    else:
        brought = idp.sign_in(begin(client), email=None)
        idp.status[path] = 500
        answer = come_back(client, brought)
    refuses(answer, client, 502, UNUSABLE, why)


@pytest.mark.parametrize("keys", [{"first": public_jwk("first")}, None, "first"], ids=["dict", "None", "text"])
def test_keys_that_are_no_list_sign_nobody_in(idp, sign_in, provider, person, refuses, keys):
    idp.keys = keys
    answer, client = sign_in()
    refuses(answer, client, 502, UNUSABLE, "keys")


def test_a_key_of_another_type_is_not_tried(idp, sign_in, provider, person, refuses):
    idp.keys = [{"kty": "EC", "kid": "first", "crv": "P-256", "x": "AA", "y": "AA"}]
    answer, client = sign_in()
    refuses(answer, client, 502, UNUSABLE, "unknown_key")


@pytest.mark.parametrize("token", [None, 7, "é", "mark\r\nX-Forwarded-For: 1"], ids=ascii)
def test_an_access_token_that_no_header_can_carry_asks_for_nothing(idp, provider, person, sign_in, logged, token):
    idp.access_token = token
    answer, client = sign_in(email=None)
    assert answer.status_code == 403
    assert not is_in(client)
    assert "/userinfo" not in idp.asked
    assert not logged.events("sign_in.provider_failed")
    (line,) = logged.events("sign_in.provider_refused")
    assert line["provider"] == "example"


def test_a_provider_without_userinfo_is_not_asked_for_it(idp, provider, person, sign_in):
    document = idp.document()
    del document["userinfo_endpoint"]
    idp.document = lambda: document
    answer, client = sign_in(email=None)
    assert answer.status_code == 403
    assert not is_in(client)


def test_a_provider_that_is_away_is_said_to_be(idp, provider, person, refuses):
    idp.server.shutdown()
    idp.server.server_close()
    client = Client()
    refuses(client.post("/login/with/example/"), client, 503, AWAY, "unreachable")


def test_a_provider_that_hangs_up_is_said_to_be_away(idp, provider, person, refuses):
    client = Client()
    brought = idp.sign_in(begin(client))
    idp.instead["/token"] = b""
    refuses(come_back(client, brought), client, 503, AWAY, "unreachable")


def test_few_pages_wait_for_providers_at_once(idp, provider, person, settings, refuses):
    """The other threads are for people who want a page."""
    taken = max(1, settings.THREADS // 2)
    for _turn in range(taken):
        assert oidc.slots().acquire(blocking=False)
    try:
        client = Client()
        refuses(client.post("/login/with/example/"), client, 503, AWAY, "busy")
    finally:
        for _turn in range(taken):
            oidc.slots().release()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"issuer": "https://login.example.net"}, "issuer"),
        ({"authorization_endpoint": "https://login.example.net/authorize"}, "origin"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "discovery"),
        ({"authorization_endpoint": None}, "discovery"),
        ({"token_endpoint": "file:///etc/passwd"}, "discovery"),
        ({"token_endpoint": "https://login.example.net/to\nken"}, "discovery"),
        ({"jwks_uri": "//127.0.0.1/keys"}, "discovery"),
        ({"userinfo_endpoint": 7}, "discovery"),
    ],
    ids=str,
)
def test_what_a_provider_publishes_has_to_be_its_own(idp, provider, person, refuses, change, why):
    idp.discovery = change
    client = Client()
    refuses(client.post("/login/with/example/"), client, 502, UNUSABLE, why)


def test_a_provider_with_tls_does_not_lead_away_from_it(settings, configure, person, refuses):
    """Its secret and its codes would be sent in plain text."""
    provider = configure(issuer="https://login.example.com")
    document = {"token_endpoint": "http://login.example.com/token"}
    with pytest.raises(oidc.Failed, match="discovery"):
        oidc.checked(provider, document, "token_endpoint")


@pytest.mark.parametrize("said", [{"sub": "another"}, {}])
def test_what_userinfo_says_of_somebody_else_does_not_count(idp, provider, person, sign_in, refuses, said):
    idp.userinfo = {"email": person.email, "email_verified": True} | said
    answer, client = sign_in(email=None, email_verified=None)
    refuses(answer, client, 502, UNUSABLE, "userinfo")


def test_what_a_page_asks_adds_nothing_to_what_is_asked_of_the_provider(idp, provider):
    """allauth's own provider takes a scope and parameters from the address."""
    answer = Client().post(
        "/login/with/example/?scope=admin&auth_params=prompt%3Dnone&process=connect", {"scope": "admin"}
    )
    idp.sign_in(answer.url)
    asked = idp.sent[0]
    assert asked["scope"] == "openid email"
    assert set(asked) == {
        "response_type", "client_id", "redirect_uri", "scope", "nonce", "state", "code_challenge",
        "code_challenge_method",
    }  # fmt: skip
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://testserver/login/with/example/callback/"


def test_only_the_button_begins_a_sign_in(provider):
    """A link on another page would otherwise sign people in."""
    assert Client().get("/login/with/example/").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/login/with/example/").status_code == 403
    assert Client().post("/login/with/unheard-of/").status_code == 404
    assert Client().get("/login/with/unheard-of/callback/").status_code == 404


def test_what_is_known_of_a_provider_is_kept_for_a_while(idp, provider, person, sign_in):
    for _turn in range(2):
        assert is_in(sign_in()[1])
    assert idp.asked.count(PATHS[0]) == idp.asked.count("/keys") == 1
    caches["process"].clear()
    assert is_in(sign_in()[1])
    assert idp.asked.count(PATHS[0]) == 2
