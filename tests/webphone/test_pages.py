"""The WebPhone's pages, as each way to reach telephones has them."""

import pytest
from django.utils import timezone

from accounts.actor import Actor
from portal import phones
from tests.factories import make_person
from webphone.actions import calls
from webphone.models import Call, Location

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def named(number, content):
    """Whether a number stands in what was answered, in any way that the portal writes it."""
    return any(written.encode() in content for written in (number.lstrip("+"), phones.international(number)))


@pytest.fixture
def at_home(client, uma):
    """Uma's browser, and where her WebPhone is."""
    client.force_login(uma.person)
    return client, f"/{uma.account.code}/webphone/"


def test_without_telephony_a_number_is_handed_to_the_device(at_home, settings):
    settings.TELEPHONY = "none"
    client, url = at_home
    page = client.get(url, {"number": "+1 (514) 555-0123"}).content.decode()
    assert 'href="tel:+15145550123"' in page
    assert "Telephony is not set up on this portal" in page
    assert "webphone.js" not in page
    assert client.post(f"{url}dial/", {"number": "+15145550123"}, headers=JSON).status_code == 422
    assert client.post(f"{url}credentials/").status_code == 404
    assert not Call.unscoped.exists()


def test_the_window_alone_may_connect_to_the_sip_server_and_only_where_there_is_one(at_home, settings):
    client, url = at_home

    def connects(page):
        policy = client.get(page).headers["Content-Security-Policy"]
        return next(part for part in policy.split("; ") if part.startswith("connect-src"))

    assert connects(url) == "connect-src 'self'"
    settings.TELEPHONY, settings.TELEPHONY_SECRET = "sip", "s" * 40
    settings.TELEPHONY_SIP_URL = "wss://portal.example.net/sip?x=1"
    assert connects(url) == "connect-src 'self' wss://portal.example.net"
    assert connects(f"{url}calls/") == connects(f"{url}telephones/") == "connect-src 'self'"
    assert client.get(url).headers["Cache-Control"] == "no-store"
    known = client.post(f"{url}credentials/")
    assert known.json()["user"].endswith(f":{known.json()['name']}")
    assert known.headers["Cache-Control"] == "no-store"
    assert known.json()["ice_servers"] == []
    settings.TELEPHONY_TURN_URLS = ["turns:turn.example.net:5349?transport=tcp"]
    [turn] = client.post(f"{url}credentials/").json()["ice_servers"]
    assert turn["urls"] == ["turns:turn.example.net:5349?transport=tcp"]
    assert turn["username"].endswith(f":{known.json()['name']}")


def test_a_call_is_answered_with_json_or_with_its_page(at_home, telephone):
    client, url = at_home
    asked = {"number": "+1 514 555 0123", "talk_with": str(telephone.pk)}
    answer = client.post(f"{url}dial/", asked, headers=JSON)
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["words"]) == ("placed", "Calling Extension 301 …")
    again = client.post(f"{url}dial/", asked)
    assert again.url == answer.json()["url"]
    assert "Calling Extension 301 …" in client.get(again.url).content.decode()
    ended = client.post(answer.json()["hang_up_url"], headers=JSON).json()
    assert (ended["is_over"], ended["words"]) == (True, "The call was cancelled.")


def test_a_telephone_is_called_as_its_own_person_calls_it(at_home, uma, acme):
    client, url = at_home
    facts = {"account": acme, "number": "+15145550170", "verified_at": timezone.now()}
    Location.unscoped.create(kind="home", person=make_person(acme, role="administrator"), **facts)
    own = Location.unscoped.create(kind="mobile", person=uma.person, **facts)
    answer = client.post(f"{url}dial/", {"number": "+15145550123", "talk_with": own.pk}, headers=JSON)
    assert answer.json()["words"] == "Calling Mobile +1 514-555-0170 …"


@pytest.mark.parametrize(
    "asked",
    [
        {"number": "911"}, {"number": ""}, {}, {"number": "+15145550123", "talk_with": "9" * 30},
        {"number": "+15145550123", "talk_with": "x\x00"}, {"number": "+15145550123", "caller_id": "+1\r\n"},
        {"number": "9" * 10_000},
    ],
)  # fmt: skip
def test_a_refusal_is_a_sentence_with_and_without_scripts(at_home, asked):
    client, url = at_home
    answer = client.post(f"{url}dial/", asked, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["problem"].endswith(".")
    page = client.post(f"{url}dial/", asked)
    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.content.decode()


def test_calls_and_telephones_of_a_colleague_are_as_good_as_none(at_home, telephone, acme):
    client, url = at_home
    colleague = Actor.at_home(make_person(acme, role="user"))
    theirs = calls.place(colleague, "+15145550199", location_id=None, caller_id="")
    assert client.get(f"{url}calls/{theirs.ref}/").status_code == 404
    assert client.post(f"{url}calls/{theirs.ref}/hang-up/").status_code == 404
    assert not named("+15145550199", client.get(f"{url}calls/").content)
    assert not named("+15145550199", client.get(f"{url}calls/export.csv").getvalue())
    theirs.refresh_from_db()
    assert not theirs.is_over


def test_what_a_colleague_has_and_does_is_not_seen_in_the_window(at_home, uma, acme):
    """Even where both have the same telephone, as at home with somebody."""
    client, url = at_home
    colleague = Actor.at_home(make_person(acme, role="user"))
    verified = {"account": acme, "verified_at": timezone.now()}
    theirs = Location.unscoped.create(person=colleague.person, kind="mobile", number="+15145550170", **verified)
    Location.unscoped.create(person=colleague.person, kind="home", number="+15145550171", **verified)
    mine = Location.unscoped.create(person=uma.person, kind="home", number="+15145550170", **verified)
    calls.place(colleague, "+15145550199", location_id=theirs.pk, caller_id="")
    window, telephones = client.get(url), client.get(f"{url}telephones/")
    assert named("+15145550170", window.content)
    assert named("+15145550170", telephones.content)
    for hidden in ("+15145550199", "+15145550171"):
        assert not named(hidden, window.content)
        assert not named(hidden, telephones.content)
    assert [(one["label"], one["selected"]) for one in window.context["telephones"]] == [("Home +1 514-555-0170", None)]
    own = calls.place(uma, "+15145550198", location_id=mine.pk, caller_id="")
    assert "Home +1 514-555-0170" in client.get(f"{url}calls/{own.ref}/", headers=JSON).json()["words"]


def test_what_the_window_asks_of_the_database_does_not_grow(at_home, telephone, own, uma, django_assert_num_queries):
    client, url = at_home
    client.get(url)
    for number in ("+15145550120", "+15145550121"):
        calls.place(uma, number, location_id=None, caller_id="")
    with django_assert_num_queries(10):
        client.get(url)
