"""Who signs in with an identity provider, and what follows from that."""

import io
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote

import pytest
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.limits import Limit
from accounts.models import Account, AuditEvent, Person
from accounts.single_sign_on import is_by_provider, links_of
from portal.single_sign_on import Provider
from tests.accounts.browsers import at, is_in, let_proofs_age, set_up_app
from tests.accounts.browsers import sign_in as by_password
from tests.accounts.post import deliver
from tests.accounts.sso.conftest import EMAIL, PASSWORD, begin, come_back, join
from tests.accounts.test_sign_in import without_tokens
from tests.accounts.totp import code_for
from tests.factories import make_account, make_person

pytestmark = pytest.mark.django_db
NOBODY = "You signed in at Example Corp, but no account here is linked to that sign-in."
SUBJECT = "mark-subject-1"


def link(person, provider, subject=SUBJECT):
    return SocialAccount.objects.create(user=person, provider=provider.issuer, uid=subject)


def fresh(person):
    return Person.objects.select_related("account").get(pk=person.pk)


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


# Only with the provider


def test_the_password_is_refused_where_the_domain_requires_the_provider(configure, person, sign_in, logged):
    configure(required=True)
    client = Client()
    answer = by_password(client, EMAIL)
    assert "sign in with the button “Sign in with Example Corp” on this page" in answer.text
    assert not is_in(client)
    assert [line["person"] for line in logged.events("sign_in.provider_required")] == [person.pk]
    assert not logged.events("sign_in.failed")
    assert is_in(sign_in()[1])


def test_the_sentence_tells_nothing_to_who_does_not_know_the_password(configure, person):
    configure(required=True)
    known, unknown = (by_password(Client(), email, "wrong-password-1") for email in (EMAIL, "wrong@example.com"))
    assert without_tokens(known).replace(EMAIL.encode(), b"@") == without_tokens(unknown).replace(
        b"wrong@example.com", b"@"
    )
    assert "Sign in with Example Corp” on this page" not in known.text


def test_people_of_other_domains_sign_in_as_before(configure, acme):
    configure(required=True)
    make_person(acme, email="else@example.net", password=PASSWORD)
    client = Client()
    by_password(client, "else@example.net")
    assert is_in(client)


def test_a_passkey_is_refused_there_too(configure, person, rf, logged):
    configure(required=True)
    browser = Client()
    browser.get("/login/")
    request = rf.post("/login/passkey/")
    request.session, request.actor, request._messages = browser.session, None, Messages()
    with context.request_context(request):
        assert not is_by_provider(request, person)  # nothing has been proved yet
        record_authentication(request, person, "mfa", type="webauthn", passwordless=True)
        answer = get_adapter(request).pre_login(
            request, person, email_verification="none", signal_kwargs=None, email=None, signup=False, redirect_url=None
        )
        assert answer.url == "/login/"
    assert "_auth_user_id" not in request.session
    assert "account_authentication_methods" not in request.session
    assert {line["provider"] for line in logged.events("sign_in.provider_required")} == {"example"}


class Messages(list):
    """What a page would say next."""

    def add(self, level, message, extra_tags=""):
        self.append(message)


def test_a_system_administrator_signs_in_without_the_provider_in_an_emergency(configure, system, acme, logged, sign_in):
    configure(required=True)
    make_person(system, role="administrator", email="root@example.com", password=PASSWORD)
    client = Client()
    by_password(client, "root@example.com")
    assert is_in(client)
    (line,) = logged.events("sign_in.emergency")
    assert (line["level"], line["provider"]) == ("warning", "example")
    logged.clear()
    assert is_in(sign_in(email="root@example.com")[1])
    assert not logged.events("sign_in.emergency")
    make_person(system, role="support", email="support@example.com", password=PASSWORD)
    other = Client()
    by_password(other, "support@example.com")
    assert not is_in(other)


# The second factor


@pytest.fixture
def with_app(acme):
    """Acme's administrator with an app; gives the app's secret."""
    person = make_person(acme, role="administrator", email=EMAIL, password=PASSWORD)
    client = Client()
    by_password(client, EMAIL)
    return person, set_up_app(client)


def test_the_second_factor_follows_unless_it_is_left_to_the_provider(configure, with_app, sign_in, logged):
    configure()
    _person, secret = with_app
    answer, client = sign_in(after="/profile/")
    assert answer.url == "/login/code/"
    assert not is_in(client)
    assert client.post("/login/code/", {"code": code_for(secret, steps=1)}).url == "/profile/"
    assert [line["methods"] for line in logged.events("sign_in.succeeded")][-1] == ["provider", "totp"]
    configure(second_factor="provider")
    answer, client = sign_in(after="/profile/")
    assert answer.url == "/profile/"
    assert is_in(client)
    # The password goes on to need the factor, in a session that the provider had opened too.
    client.post("/logout/")
    assert by_password(client, EMAIL).url == "/login/code/"


@pytest.mark.parametrize(("whose", "leads_to"), [("portal", "/security/"), ("provider", "/{code}/")])
def test_the_factor_that_staff_must_have_may_be_the_providers(configure, alpha, settings, sign_in, whose, leads_to):
    settings.STAFF_SECOND_FACTOR = True
    configure(second_factor=whose)
    make_person(alpha, role="administrator", email=EMAIL, password=PASSWORD)
    _answer, client = sign_in()
    chain = client.get("/", follow=True).redirect_chain
    assert chain[-1][0] == leads_to.format(code=alpha.code)
    if whose == "provider":
        assert "Your work here needs a second factor" not in client.get("/security/").text
    # A password does not stand for it.
    browser = Client()
    by_password(browser, EMAIL)
    assert browser.get("/", follow=True).redirect_chain[-1][0] == "/security/"
    # Nor does a sign-in after the setting has changed.
    configure()
    assert client.get("/", follow=True).redirect_chain[-1][0] == "/security/"


# Confirming who one is


@pytest.fixture
def without_password(acme, provider, sign_in):
    """A browser of somebody who has no password, and signed in an hour ago."""
    make_person(acme, role="administrator", email=EMAIL, invited_at=timezone.now())
    _answer, client = sign_in()
    join(client, acme.code)
    let_proofs_age(client, 3600)
    return client


def confirm(client, idp, after, **claims):
    """Sign in at the provider again, to confirm it; gives the answer."""
    page = client.get(f"/reauthenticate/provider/?next={after}").text
    assert "Sign in with Example Corp" in page
    assert f'name="next" value="{after}"' in page
    sent = client.post("/reauthenticate/provider/", {"provider": "example", "next": after})
    return come_back(client, idp.sign_in(sent.url, **claims))


def test_nobody_confirms_at_a_provider_that_they_are_not_linked_to(without_password, settings, provider):
    settings.SINGLE_SIGN_ON = (
        provider,
        replace(provider, id="other", name="Other Corp", issuer="https://login.other.example"),
    )
    assert "Other Corp" not in without_password.get("/reauthenticate/provider/").text
    for name, status in (("other", 404), ("unheard-of", 404), ("", 404), ("example", 302)):
        assert without_password.post("/reauthenticate/provider/", {"provider": name}).status_code == status


@pytest.mark.parametrize("who", ["nobody", "somebody else"])
def test_a_confirmation_counts_for_the_person_who_began_it(without_password, acme, idp, logged, who):
    """Whoever has the session by then confirms nothing with it."""
    sent = without_password.post("/reauthenticate/provider/", {"provider": "example", "next": "/security/codes/"})
    brought = idp.sign_in(sent.url)
    if who == "nobody":
        Person.objects.filter(email=EMAIL).update(is_active=False)
    else:
        other = make_person(acme, role="administrator", email="other@example.net")
        session = without_password.session
        session.update({SESSION_KEY: str(other.pk), HASH_SESSION_KEY: other.get_session_auth_hash()})
        session.save()
        UserSession.objects.update(user=other)
    answer = come_back(without_password, brought)
    assert answer.status_code == 400
    assert [line["why"] for line in logged.events("sign_in.provider_failed")] == ["session"]
    assert "/token" not in idp.asked[-1:]


PERSONAL = [
    "/security/passkeys/add/", "/security/app/remove/", "/security/codes/", "/security/codes/new/",
    "/security/codes/download/", "/security/app/", "/password/set/", "/security/passkeys/1/name/",
    "/security/passkeys/1/remove/",
]  # fmt: skip


@pytest.mark.parametrize("path", PERSONAL)
def test_what_needs_confirmation_needs_it_of_people_without_a_password_too(without_password, path):
    """allauth lets those through who have neither a password nor a factor."""
    session = without_password.session
    person = Person.objects.get(email=EMAIL)
    session["mailed_link"] = [person.pk, "0" * 16, timezone.now().timestamp()]
    session.save()
    answer = without_password.get(path)
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/reauthenticate/provider/")


def test_a_fresh_sign_in_at_the_provider_confirms_it(without_password, acme, idp, logged):
    path = f"/{acme.code}/people/invite/"
    asked = without_password.get(path)
    assert unquote(asked.url) == f"/reauthenticate/provider/?next={path}"
    before = without_password.session.session_key
    assert confirm(without_password, idp, path).url == path
    assert (idp.sent[-1]["prompt"], idp.sent[-1]["max_age"]) == ("login", "0")
    assert "prompt" not in idp.sent[0]
    assert without_password.session.session_key != before
    assert without_password.get(path).status_code == 200
    assert [line["methods"] for line in logged.events("sign_in.confirmed")] == [["provider"]]


def test_a_form_that_waited_is_sent_once_it_is_confirmed(without_password, acme, provider, sign_in, idp):
    _answer, other = sign_in()
    assert is_in(other)
    assert without_password.post("/security/sessions/end/").url.startswith("/reauthenticate/provider/")
    assert confirm(without_password, idp, "/security/sessions/end/").url == "/security/"
    assert not is_in(other)
    assert is_in(without_password)


HOUR_AGO = (timezone.now() - timedelta(hours=1)).timestamp()


@pytest.mark.parametrize(
    "at",
    [None, HOUR_AGO, HOUR_AGO * 2, "1", True, float("inf")],
    ids=["none", "old", "to come", "text", "true", "endless"],
)
def test_an_old_sign_in_at_the_provider_confirms_nothing(without_password, acme, idp, logged, at):
    answer = confirm(without_password, idp, "/security/codes/", auth_time=at)
    assert (answer.status_code, "does not say that you signed in there just now" in answer.text) == (403, True)
    assert [line["why"] for line in logged.events("sign_in.provider_failed")] == ["auth_time"]
    assert without_password.get("/security/codes/").status_code == 302


def test_somebody_else_at_the_provider_confirms_nothing(without_password, acme, provider, idp, logged):
    other = make_person(acme, email="other@example.com", password=PASSWORD)
    link(other, provider, "mark-subject-2")
    for subject in ("mark-subject-2", "mark-subject-3"):
        answer = confirm(without_password, idp, "/security/codes/", sub=subject)
        assert (answer.status_code, NOBODY in answer.text) == (403, True)
    assert {line["why"] for line in logged.events("sign_in.provider_refused")} == {"other_person"}
    assert without_password.get("/security/codes/").status_code == 302
    assert is_in(without_password)


def test_a_confirmation_is_the_persons_who_began_it(without_password, idp):
    """What was begun to confirm signs nobody in."""
    sent = without_password.post("/reauthenticate/provider/", {"provider": "example", "next": "/profile/"})
    brought = idp.sign_in(sent.url)
    session = without_password.session
    states = session["socialaccount_states"]
    without_password.post("/logout/")
    without_password.get("/login/")
    session = without_password.session
    session["socialaccount_states"] = states
    session.save()
    assert come_back(without_password, brought).status_code == 400
    assert not is_in(without_password)


def test_who_has_a_second_factor_does_not_confirm_with_a_provider_that_does_not_stand_for_it(
    configure, with_app, sign_in, idp
):
    provider = configure(second_factor="provider")
    _answer, client = sign_in()
    let_proofs_age(client, 3600)
    assert client.get("/security/codes/").url.startswith("/reauthenticate/code/")
    assert "Sign in with Example Corp again" in client.get("/reauthenticate/code/?next=/security/codes/").text
    assert confirm(client, idp, "/security/codes/").url == "/security/codes/"
    configure(second_factor="portal")
    assert provider.issuer == idp.issuer
    assert client.get("/reauthenticate/provider/").url == "/"
    assert client.post("/reauthenticate/provider/", {"provider": "example"}).url == "/"


def test_the_password_confirms_nothing_where_the_provider_is_required(configure, person, sign_in):
    configure()
    _answer, client = sign_in()
    let_proofs_age(client, 3600)
    assert client.get("/security/codes/").url.startswith("/reauthenticate/?")
    configure(required=True)
    assert client.get("/security/codes/").url.startswith("/reauthenticate/provider/")
    assert client.post("/reauthenticate/", {"password": PASSWORD}).url.startswith("/reauthenticate/provider/")


def test_who_is_linked_to_nothing_confirms_with_nothing_there(person, provider):
    client = Client()
    by_password(client, EMAIL)
    assert client.get("/reauthenticate/provider/").url == "/"
    assert client.post("/reauthenticate/provider/", {"provider": "example"}).url == "/"


# Removing the link


def test_a_person_sees_the_link_and_removes_it(acme, person, provider, sign_in):
    _answer, client = sign_in()
    _answer, other = sign_in()
    deliver()
    mail.outbox.clear()
    page = client.get("/security/").text
    assert "linked since" in page
    assert "Remove the link" in page
    assert client.post("/security/with/example/remove/", follow=True).redirect_chain == [("/security/", 302)]
    assert not SocialAccount.objects.exists()
    assert (is_in(client), is_in(other)) == (True, False)
    (event,) = AuditEvent.unscoped.filter(verb="person.unlinked")
    assert (event.person_id, event.before, event.account_id) == (person.pk, {"provider": "example"}, acme.pk)
    deliver()
    assert "was removed" in mail.outbox[0].body
    assert "linked since" not in client.get("/security/").text
    assert client.post("/security/with/example/remove/").status_code == 404


def test_removing_the_link_needs_confirmation_and_a_password(acme, provider, sign_in, idp):
    make_person(acme, role="administrator", email=EMAIL, invited_at=timezone.now())
    _answer, client = sign_in()
    join(client, acme.code)
    assert "Remove the link" not in client.get("/security/").text
    assert "Choose a password first" in client.post("/security/with/example/remove/", follow=True).text
    assert SocialAccount.objects.exists()
    let_proofs_age(client, 3600)
    assert client.post("/security/with/example/remove/").url.startswith("/reauthenticate/provider/")
    assert client.get("/security/with/example/remove/").status_code == 405
    assert SocialAccount.objects.exists()


def test_nobody_removes_the_link_of_another(acme, person, provider, sign_in):
    sign_in()
    client = Client()
    make_person(acme, email="other@example.com", password=PASSWORD)
    by_password(client, "other@example.com")
    assert client.post("/security/with/example/remove/").status_code == 404
    assert SocialAccount.objects.get().user_id == person.pk


def test_the_operator_removes_the_links_of_somebody_who_is_somebody_else_at_the_provider_now(
    acme, person, provider, sign_in
):
    _answer, client = sign_in()
    assert sign_in(sub="mark-subject-2")[0].status_code == 403
    call_command("remove_provider_links", EMAIL.upper(), stdout=io.StringIO())
    assert not is_in(client)
    (event,) = AuditEvent.unscoped.filter(verb="person.unlinked")
    assert (event.person, event.target_id, event.before) == (None, person.pk, {"provider": "example"})
    mail.outbox.clear()
    deliver()
    assert "removed the link" in mail.outbox[-1].body
    assert is_in(sign_in(sub="mark-subject-2")[1])
    for address, said in (("nobody@example.com", "Nobody signs in"), (EMAIL, "is linked to no identity provider")):
        SocialAccount.objects.all().delete()
        with pytest.raises(CommandError, match=said):
            call_command("remove_provider_links", address)


def test_a_link_to_a_provider_that_is_not_in_the_settings_any_more_is_of_no_use(person, provider, sign_in, settings):
    _answer, client = sign_in()
    settings.SINGLE_SIGN_ON = ()
    cache.clear()
    assert "linked since" not in client.get("/security/").text
    assert client.post("/security/with/example/remove/").status_code == 404
    assert Client().get("/login/with/example/callback/").status_code == 404


def test_a_provider_that_is_required_is_not_replaced_by_another(configure, settings, person, provider, sign_in, logged):
    link(person, provider)
    other = Provider(**vars(provider) | {"id": "new", "name": "New Corp", "issuer": "https://login.example.org"})
    old = Provider(**vars(provider) | {"domains": ()})
    settings.SINGLE_SIGN_ON = (old, Provider(**vars(other) | {"required": True}))
    _answer, client = sign_in()
    assert not is_in(client)
    assert [line["provider"] for line in logged.events("sign_in.provider_required")] == ["new"]
