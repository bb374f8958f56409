"""Who signs in with an identity provider, and what follows from that."""

from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.limits import Limit
from accounts.models import Account, AuditEvent, Person
from accounts.single_sign_on import links_of
from tests.accounts.browsers import at, is_in
from tests.accounts.browsers import sign_in as by_password
from tests.accounts.post import deliver
from tests.accounts.sso.conftest import EMAIL, NOBODY, PASSWORD, SUBJECT, begin, come_back, fresh, join, link
from tests.accounts.test_sign_in import without_tokens
from tests.factories import make_account, make_person

pytestmark = pytest.mark.django_db


# The first time


def test_the_first_sign_in_links_the_person(acme, person, provider, sign_in, logged):
    answer, client = sign_in(Client(headers={"User-Agent": "curl/8.5.0"}), email="Known@Example.com")
    assert answer.status_code == 302
    assert client.get(answer.url, follow=True).redirect_chain[-1][0] == f"/{acme.code}/"
    stored = SocialAccount.objects.get()
    assert (stored.user_id, stored.provider, stored.uid, stored.extra_data) == (
        person.pk, provider.issuer, SUBJECT, {},
    )  # fmt: skip
    (event,) = AuditEvent.unscoped.filter(verb="person.linked")
    assert (event.person_id, event.target_id, event.account_id, event.after) == (
        person.pk, person.pk, acme.pk, {"provider": "example"},
    )  # fmt: skip
    (line,) = logged.events("sign_in.succeeded")
    assert (line["person"], line["methods"]) == (person.pk, ["provider"])
    assert EMAIL not in logged.text.lower()
    assert SUBJECT not in logged.text
    deliver()
    (message,) = mail.outbox
    assert message.to == [EMAIL]
    assert "linked to Example Corp" in message.body
    assert "linked the sign-in of an identity provider" in client.get(f"/{acme.code}/history/").text


def test_the_session_is_like_that_of_a_password(person, provider, sign_in):
    _answer, client = sign_in(Client(headers={"User-Agent": "curl/8.5.0"}, REMOTE_ADDR="192.0.2.9"))
    (session,) = UserSession.objects.all()
    assert (session.user_id, session.ip, session.session_key) == (person.pk, "192.0.2.9", client.session.session_key)
    page = client.get("/security/").text
    assert "(this session)" in page
    assert "192.0.2.9" in page
    assert client.cookies["device"]["httponly"]
    assert not client.cookies["session" if "session" in client.cookies else "sessionid"]["max-age"]
    by_form = Client()
    by_password(by_form, EMAIL)
    assert set(client.session.keys()) - {"socialaccount_states"} == set(by_form.session.keys())
    client.post("/logout/")
    assert not is_in(client)


def test_the_key_of_the_session_changes(person, provider, idp):
    client = Client()
    brought = idp.sign_in(begin(client))
    before = client.session.session_key
    come_back(client, brought)
    assert client.session.session_key != before


def test_everything_that_earlier_proofs_opened_ends_when_a_person_is_linked(person, provider, sign_in):
    earlier = Client()
    by_password(earlier, EMAIL)
    assert is_in(earlier)
    assert is_in(sign_in()[1])
    assert not is_in(earlier)
    by_password(earlier, EMAIL)
    assert is_in(sign_in()[1])
    assert is_in(earlier)


def test_the_address_is_asked_of_userinfo_where_the_token_has_none(idp, person, provider, sign_in):
    idp.userinfo = {"sub": SUBJECT, "email": EMAIL, "email_verified": True}
    assert is_in(sign_in(email=None, email_verified=None)[1])
    idp.userinfo = None
    assert is_in(sign_in(email=None, email_verified=None)[1])
    assert idp.asked.count("/userinfo") == 1


def test_both_ways_to_send_the_secret(configure, person, sign_in):
    for method in ("client_secret_basic", "client_secret_post"):
        configure(token_auth_method=method)
        assert is_in(sign_in()[1])


@pytest.mark.parametrize("value", [True, 1, "1", "true"])
def test_microsofts_own_claim_counts_where_the_setting_says_so(configure, person, sign_in, value):
    configure()
    assert sign_in(email_verified=None, xms_edov=value)[0].status_code == 403
    configure(verified_claim="xms_edov")
    assert sign_in(xms_edov=None)[0].status_code == 403
    assert sign_in(xms_edov=False)[0].status_code == 403
    assert is_in(sign_in(email_verified=None, xms_edov=value)[1])


def test_who_was_changed_at_the_same_moment_is_not_linked(acme, bravo, person, provider):
    """What was asked before may have changed when the row is locked."""
    Person.objects.filter(pk=person.pk).update(is_active=False)
    with pytest.raises(actions.LinkedOtherwise):
        actions.link_provider(person, provider, SUBJECT)
    Person.objects.filter(pk=person.pk).update(is_active=True)
    other = invite(make_account("company", parent=bravo))
    with pytest.raises(actions.LinkedOtherwise):
        actions.link_provider(other, provider, SUBJECT)  # the address has an owner
    actions.link_provider(person, provider, SUBJECT)
    stranger = make_person(acme, email="other@example.com", password=PASSWORD)
    for somebody, subject in ((person, "mark-subject-2"), (stranger, SUBJECT)):
        with pytest.raises(actions.LinkedOtherwise):
            actions.link_provider(somebody, provider, subject)
    assert [link.user_id for link in SocialAccount.objects.all()] == [person.pk]


# Afterwards


def test_afterwards_only_the_subject_counts(acme, person, provider, sign_in):
    sign_in()
    other = make_person(acme, email="other@example.com", password=PASSWORD)
    for claims in ({"email": other.email}, {"email": None}, {"email_verified": False}, {"email": "else@example.net"}):
        _answer, client = sign_in(**claims)
        assert client.session["_auth_user_id"] == str(person.pk)
    Person.objects.filter(pk=person.pk).update(email="new@example.com")
    assert sign_in()[1].session["_auth_user_id"] == str(person.pk)
    assert SocialAccount.objects.count() == 1


def test_another_subject_with_the_same_address_is_somebody_else(person, provider, sign_in, logged):
    """An address that a company gives to somebody new does not open what belongs to the one before."""
    sign_in()
    answer, client = sign_in(sub="mark-subject-2")
    assert (answer.status_code, is_in(client)) == (403, False)
    assert NOBODY in answer.text
    assert [line["why"] for line in logged.events("sign_in.provider_refused")] == ["other_subject"]
    assert SocialAccount.objects.get().uid == SUBJECT


def test_the_same_subject_of_another_provider_is_somebody_else(configure, person, sign_in):
    link(person, configure(issuer="https://login.example.net"))
    configure(domains=())
    assert sign_in()[0].status_code == 403


def test_without_domains_nobody_new_is_linked(configure, person, sign_in):
    provider = configure(domains=())
    assert sign_in()[0].status_code == 403
    link(person, provider)
    assert is_in(sign_in()[1])


# Who is refused


def every_refusal(acme, bravo, person):
    """What the provider says, why nobody signs in with it, and what is done before."""

    def shut(status):
        return lambda: Account.unscoped.filter(pk=acme.pk).update(status=status)

    def deactivate():
        Person.objects.filter(pk=person.pk).update(is_active=False)

    def withdraw():
        make_person(acme, email="withdrawn@example.com", is_active=False)

    return {
        "unknown": ({"email": "nobody@example.com"}, None),
        "not_verified": ({"email_verified": False}, None),
        "not_verified, but a text": ({"email_verified": "true"}, None),
        "not_verified, left out": ({"email_verified": None}, None),
        "domain": ({"email": "known@example.net"}, None),
        "domain, below ours": ({"email": "known@mail.example.com"}, None),
        "no_address": ({"email": ["known@example.com"]}, None),
        "no_address, of two": ({"email": "known@example.net@example.com"}, None),
        "no_address, broken": ({"email": "known\0@example.com"}, None),
        # A Kelvin sign, whose small letter is k.
        "no_address, looks alike": ({"email": "\u212anown@example.com"}, None),
        "inactive": ({}, deactivate),
        "out_of_service": ({}, shut("suspended")),
        "out_of_service, closed": ({}, shut("closed")),
        "unknown, withdrawn": ({"email": "withdrawn@example.com"}, withdraw),
    }


@pytest.mark.parametrize("is_linked", [False, True])
def test_everybody_is_refused_in_the_same_words(acme, bravo, person, provider, sign_in, logged, is_linked):
    answers, stranger = [], sign_in(email="stranger@example.com", sub="mark-stranger")[0]
    for case, (claims, prepare) in every_refusal(acme, bravo, person).items():
        if is_linked and not prepare:
            continue
        Person.objects.filter(pk=person.pk).update(is_active=True)
        Account.unscoped.filter(pk=acme.pk).update(status="production")
        SocialAccount.objects.all().delete()
        if is_linked:
            link(person, provider)
            claims = {}
        if prepare:
            prepare()
        if is_linked and case == "unknown, withdrawn":
            continue
        logged.clear()
        answer, client = sign_in(**claims)
        (line,) = logged.events("sign_in.provider_refused")
        assert (line["why"], line["outcome"], line["provider"]) == (case.partition(",")[0], "failure", "example")
        assert not logged.events("permission.refused")
        assert not is_in(client)
        answers.append((answer.status_code, without_tokens(answer), answer.headers.get("Set-Cookie")))
    assert set(answers) == {(403, without_tokens(stranger), None)}
    assert NOBODY in stranger.text
    assert not AuditEvent.unscoped.filter(verb="person.linked").exists()


def test_somebody_who_is_deactivated_later_is_refused(person, provider, sign_in):
    _answer, client = sign_in()
    Person.objects.filter(pk=person.pk).update(is_active=False)
    assert not is_in(client)
    assert NOBODY in sign_in()[0].text


def test_nobody_is_created(provider, sign_in, acme):
    before = Person.objects.count()
    assert sign_in(email="new@example.com")[0].status_code == 403
    assert Person.objects.count() == before


# Invited people


def invite(account):
    return make_person(account, email=EMAIL, invited_at=timezone.now())


def test_an_invited_person_joins_without_a_password(acme, provider, sign_in, logged):
    invited = invite(acme)
    answer, client = sign_in()
    assert (answer.status_code, "Which account do you want to join?" in answer.text) == (200, True)
    assert f"Acme Corp ({acme.code})" in answer.text
    assert not fresh(invited).has_joined
    assert not is_in(client)
    join(client, acme.code)
    assert is_in(client)
    assert [line["person"] for line in logged.events("invitation.accepted")] == [invited.pk]
    joined = fresh(invited)
    assert joined.has_joined
    assert joined.state == "active"
    assert not joined.has_usable_password()
    assert not joined.check_password(joined.password)
    assert "have no password here" in client.get("/security/").text
    # The address is theirs now; no password fits.
    for password in ("", "provider$", joined.password, PASSWORD):
        stranger = Client()
        by_password(stranger, EMAIL, password)
        assert not is_in(stranger)


def test_an_address_that_several_accounts_have_invited_joins_the_one_that_is_chosen(acme, bravo, provider, sign_in):
    other = invite(make_account("company", parent=bravo, name="Mallory Ltd"))
    invited = invite(acme)
    answer, client = sign_in()
    assert answer.text.count('name="account"') == 2
    join(client, acme.code)
    assert (fresh(invited).has_joined, fresh(other).has_joined) == (True, False)
    assert client.session["_auth_user_id"] == str(invited.pk)


def test_an_invitation_that_has_ended_joins_nobody(acme, provider, sign_in):
    invited = invite(acme)
    _answer, client = sign_in()
    Person.objects.filter(pk=invited.pk).update(invited_at=timezone.now() - timedelta(days=3, minutes=1))
    assert NOBODY in join(client, acme.code).text
    assert NOBODY in sign_in()[0].text
    assert not fresh(invited).has_joined


def test_nobody_joins_an_account_that_has_not_invited_them_or_without_having_signed_in(acme, bravo, provider, sign_in):
    invited = invite(acme)
    assert join(Client(), acme.code).status_code == 400
    _answer, client = sign_in()
    assert NOBODY in join(client, bravo.code).text
    assert join(client, acme.code).status_code == 400  # once
    assert not fresh(invited).has_joined


def test_an_address_that_has_an_owner_leads_to_nobody_who_was_invited_with_it(acme, bravo, person, provider, sign_in):
    other = invite(make_account("company", parent=bravo))
    _answer, client = sign_in()
    assert client.session["_auth_user_id"] == str(person.pk)
    assert not fresh(other).has_joined


def test_who_joined_without_a_password_can_choose_one(acme, provider, sign_in, logged):
    invited = invite(acme)
    _answer, client = sign_in()
    join(client, acme.code)
    new = {"password1": PASSWORD, "password2": PASSWORD}
    assert client.get("/password/change/").url == "/password/set/"
    assert client.post("/password/set/", new).status_code == 302
    assert fresh(invited).has_usable_password()
    assert [line["person"] for line in logged.events("password.changed")] == [invited.pk]
    assert is_in(client)


# Where to


@pytest.mark.parametrize(
    ("after", "leads_to"),
    [
        ("/profile/", "/profile/"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/\t/evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("http://testserver/profile/", "/"),
        ("profile/", "/"),
        ("/pro\nfile/", "/"),
    ],
)
def test_a_sign_in_leads_to_our_own_pages_alone(person, provider, sign_in, after, leads_to):
    answer, client = sign_in(after=after)
    assert answer.url == leads_to
    assert client.post("/login/with/example/", {"next": after}).url == leads_to


def test_somebody_who_signed_in_meanwhile_stays_who_they_are(acme, person, provider, idp, sign_in):
    client, other = Client(), make_person(acme, email="other@example.com", password=PASSWORD)
    brought = idp.sign_in(begin(client, next="/profile/"))
    by_password(client, other.email)
    assert come_back(client, brought).url == "/profile/"
    assert client.post("/login/with/example/").url == "/"
    assert client.session["_auth_user_id"] == str(other.pk)
    assert "/token" not in idp.asked


# The page


def test_the_button_is_there_and_the_form_may_lead_to_the_provider(provider, idp):
    answer = Client().get("/login/?next=/profile/")
    assert "Sign in with Example Corp" in answer.text
    assert 'action="/login/with/example/"' in answer.text
    assert f"form-action 'self' {idp.issuer};" in answer["Content-Security-Policy"]
    wrong = by_password(Client(), EMAIL, "wrong")
    assert f"form-action 'self' {idp.issuer};" in wrong["Content-Security-Policy"]
    assert "form-action 'self';" in Client().get("/password/reset/")["Content-Security-Policy"]


def test_the_origin_of_the_provider_may_be_another(configure, idp):
    provider = configure(authorization_origins=("https://login.example.com", "https://sso.example.com"))
    policy = Client().get("/login/")["Content-Security-Policy"]
    assert "form-action 'self' https://login.example.com https://sso.example.com;" in policy
    assert "form-action" not in policy.replace("form-action 'self'", "")
    assert Client().post(f"/login/with/{provider.id}/").status_code == 502


def test_without_a_provider_the_page_is_as_before(settings, db, django_assert_num_queries):
    settings.SINGLE_SIGN_ON = ()
    with django_assert_num_queries(1):  # whether anybody can sign in yet
        answer = Client().get("/login/")
    assert "Sign in with" not in answer.text
    assert "form-action 'self';" in answer["Content-Security-Policy"]
    assert Client().post("/login/with/example/").status_code == 404


def test_without_a_provider_nobody_is_asked_for_links(settings, person, django_assert_num_queries):
    settings.SINGLE_SIGN_ON = ()
    with django_assert_num_queries(0):
        assert links_of(person) == {}


def test_people_who_use_no_provider_cost_no_statement_more(person, provider, django_assert_num_queries):
    client = Client()
    by_password(client, EMAIL)
    client.get("/profile/")
    with django_assert_num_queries(3):  # as in test_sessions: session with person and account; a savepoint
        client.get("/profile/")


def test_a_stranger_begins_few_sign_ins(provider, monkeypatch):
    monkeypatch.setattr("accounts.sign_in.PROVIDERS_BEGUN", (Limit(3, 300),))
    here = at("192.0.2.8")
    assert [here.post("/login/with/example/").status_code for _turn in range(4)] == [302, 302, 302, 429]
    assert at("192.0.2.9").post("/login/with/example/").status_code == 302
