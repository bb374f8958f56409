"""The security log: a walk through the real pages that makes every event happen, and no secret that is met on the way
in any line of any logger."""

import io
import logging
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.actions import people
from accounts.models import Access, Account, Grant, Person
from numbers.models import Job, TelephoneSystem
from numbers.tasks import run_job
from portal import security
from portal.single_sign_on import Provider
from tests.accounts.post import deliver
from tests.accounts.sso.conftest import begin, come_back
from tests.accounts.sso.signing import SECRET, signing_provider
from tests.accounts.test_accounts import sent
from tests.accounts.totp import code_for
from tests.factories import make_account, make_destination, make_number, make_person
from tests.logged import logging_to_memory
from webphone.models import Call
from webphone.telephony import key_for

pytestmark = pytest.mark.django_db(transaction=True)
VISITOR = "198.51.100.7"
FIRST, SECOND = "mark-first-password", "mark-second-password"
FORM = {"methods", "factor"}


class Walk:
    """People with browsers, the events that each step made, and every secret that was typed or shown."""

    def __init__(self, logged):
        self.logged = logged
        self.secrets = {FIRST, SECOND, "mark-wrong"}
        self.events = []

    def browser(self, person=None, **options) -> Client:
        client = Client(headers={"X-Forwarded-For": f"203.0.113.1, {VISITOR}"}, **options)
        client.raise_request_exception = False
        if person is not None:
            client.force_login(person)
            self.logged.clear()
        return client

    def person(self, account, role="administrator", **facts):
        mark = f"mark-{len(self.secrets)}"
        self.secrets.add(mark)
        return make_person(account, role, FIRST, email=f"{mark}@example.com", name=f"{mark} Name", **facts)

    def made(self, name: str, **wanted) -> dict:
        """The one event called ``name`` since the last step, with these facts, and what the table says of it."""
        found = self.logged.events(name)
        assert len(found) == 1, (name, self.logged.text)
        (line,) = found
        of = security.EVENTS[name]
        assert {key: line.get(key) for key in wanted} == wanted, line
        assert (line["outcome"], line["level"], line["message"]) == (
            of.outcome, logging.getLevelName(of.level).lower(), of.message,
        )  # fmt: skip
        assert set(of.fields) <= set(line), line
        self.events.append(name)
        return line

    def made_by(self, name: str, person: Person, **wanted) -> dict:
        """The same, of somebody who is signed in, with everything that says when, where from, who and where."""
        line = self.made(name, person=person.pk, address=VISITOR, **{"account": person.account.code} | wanted)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])
        assert len(line["request"]) == 32
        assert line["page"]
        assert line["route"] is not None
        return line

    def next(self, client=None, path="", fields=None, *, method="post", **options):
        """Do something, with what was logged before forgotten."""
        self.logged.clear()
        return getattr(client, method)(path, fields or {}, **options) if client else None

    def link(self) -> str:
        """The link in the last mail; its key is a secret."""
        link = re.search(r"http://testserver(/(?:password/reset/key/|login/link/)\S+)", mail.outbox[-1].body)[1]
        self.secrets.add(re.search(r"key(?:=|/\w+?-)([^/]+)", link)[1])
        return link


@pytest.fixture
def walk(settings, system):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    settings.STAFF_SECOND_FACTOR = False
    settings.TELEPHONY = "sip"
    settings.TELEPHONY_SECRET = "mark-telephony"
    cache.clear()
    with logging_to_memory(logging.DEBUG) as logged:
        yield Walk(logged)


def signing_in(walk, acme):
    boss, gone = walk.person(acme), walk.person(acme, "user", is_active=False)
    client = walk.browser()
    walk.next(client, "/login/", {"login": boss.email.upper(), "password": "mark-wrong"})
    failed = walk.made("sign_in.failed", person=boss.pk, account=acme.code, address=VISITOR, page="account_login")
    assert failed["name_hash"] == security.hash_of(boss.email)
    # A password typed in place of the name.
    walk.next(client, "/login/", {"login": f"{SECOND}@x.example", "password": "mark-wrong"})
    failed = walk.made("sign_in.failed", person=None, account=None, address=VISITOR)
    assert failed["name_hash"] == security.hash_of(f"{SECOND}@x.example")
    walk.next(client, "/login/", {"login": gone.email, "password": FIRST})
    walk.made("sign_in.inactive", person=gone.pk, address=VISITOR)
    walk.next(client, "/login/", {"login": boss.email, "password": FIRST})
    walk.made_by("sign_in.succeeded", boss, methods=["password"])
    walk.secrets.add(client.session.session_key)
    walk.next(client, "/logout/")
    walk.made_by("sign_out", boss)
    client = walk.browser()
    cache.clear()
    for _attempt in range(6):
        walk.next(client, "/login/", {"login": boss.email, "password": "mark-wrong"})
    walk.made("sign_in.locked", person=boss.pk, account=acme.code, address=VISITOR)
    assert walk.logged.events("sign_in.failed") == []
    cache.clear()
    client.cookies["device"] = "mark-forged:x:y"
    walk.next(client, "/login/", {"login": boss.email, "password": FIRST})
    walk.made("link.refused", kind="device cookie", address=VISITOR)
    walk.next(client, "/profile/", {"name": ""})
    walk.made_by("input.refused", boss, page="profile")
    moved = {"X-Forwarded-For": "203.0.113.1, 192.0.2.7"}
    for _again in range(2):
        UserSession.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))
        walk.next(client, "/profile/", method="get", headers=moved)
        walk.made("session.moved", person=boss.pk, account=acme.code, address="192.0.2.7")
    walk.next(client, "/profile/", method="get", headers=moved)
    assert walk.logged.events() == []
    cache.clear()


def factors(walk, acme):
    person = walk.person(acme)
    client = walk.browser()
    client.post("/login/", {"login": person.email, "password": FIRST})
    walk.next(client, "/login/link/")
    walk.made_by("link.asked", person, name_hash=security.hash_of(person.email))
    walk.next()
    deliver()
    walk.made("link.sent", person=person.pk)
    link = walk.link()
    walk.next(client, link)
    walk.made_by("link.opened", person)
    walk.next(walk.browser(), link)
    walk.made("link.refused", kind="device", address=VISITOR)
    secret = re.search(r'id="secret">(\w+)<', client.get("/security/app/").text)[1]
    code = code_for(secret)
    other = walk.browser()
    other.post("/login/", {"login": person.email, "password": FIRST})
    walk.next(client, "/security/app/", {"code": code})
    added = [line["factor"] for line in walk.logged.events("factor.added")]
    assert sorted(added) == ["recovery_codes", "totp"]
    walk.made_by("session.ended", person, target=f"person {person.pk}", count=1, why="credentials")
    codes = re.findall(r"<li><code>(\d{8})</code>", client.get("/security/codes/").text)
    walk.secrets |= {secret, code, *codes}
    walk.next(client, "/security/codes/new/")
    walk.made_by("factor.renewed", person, factor="recovery_codes")
    codes = re.findall(r"<li><code>(\d{8})</code>", client.get("/security/codes/").text)
    walk.secrets |= set(codes)

    other = walk.browser()
    other.post("/login/", {"login": person.email, "password": FIRST})
    walk.next(other, "/login/code/", {"code": "971253"})
    walk.made("factor.failed", person=person.pk, address=VISITOR, factor="code")
    walk.next(other, "/login/code/", {"code": codes[0]})
    walk.made_by("factor.used", person, factor="recovery_codes")
    walk.made_by("sign_in.succeeded", person, methods=["password", "recovery_codes"])
    walk.next(other, "/reauthenticate/code/?next=/security/", {"code": codes[1]})
    walk.made_by("sign_in.confirmed", person, methods=["recovery_codes"])
    walk.next(walk.browser(), "/login/passkey/", {"credential": '{"id": "mark-wrong"}'})
    walk.made("factor.failed", person=None, address=VISITOR, factor="webauthn")
    stranger = walk.browser()
    stranger.post("/login/", {"login": person.email, "password": FIRST})
    for _attempt in range(6):
        walk.next(stranger, "/login/code/", {"code": "000000"})
    walk.made("sign_in.locked", person=person.pk, address=VISITOR)
    cache.clear()
    walk.next(other, "/security/app/remove/")
    assert {line["factor"] for line in walk.logged.events("factor.removed")} == {"totp", "recovery_codes"}
    walk.events += ["factor.added", "factor.removed"]
    Authenticator.objects.create(user=person, type="totp", data={"secret": "x"})
    walk.next()
    call_command("reset_second_factor", person.email, stdout=io.StringIO())
    walk.made("person.factors_removed", target=f"person {person.pk}")
    walk.next()
    options = {"email": "mark-operator@example.com", "name": "mark Operator", "again": True}
    call_command("create_operator", **options, stdout=io.StringIO())
    operator = Person.objects.get(email=options["email"])
    walk.made("person.made_administrator", person=None, account="SYS", target=f"person {operator.pk}")


def passwords(walk, acme):
    boss = walk.person(acme)
    client = walk.browser()
    client.post("/login/", {"login": boss.email, "password": FIRST})
    new = {"password1": SECOND, "password2": SECOND}
    walk.next(client, "/password/change/", {"oldpassword": "mark-wrong"} | new)
    walk.made_by("password.refused", boss)
    walk.next(client, "/password/change/", {"oldpassword": FIRST} | new)
    walk.made_by("password.changed", boss)

    stranger = walk.browser()
    walk.next(stranger, "/password/reset/", {"email": boss.email})
    hashed = security.hash_of(boss.email)
    walk.made("password.asked", address=VISITOR, name_hash=hashed, person=None)
    walk.next()
    deliver()
    walk.made("password.sent", person=boss.pk, name_hash=hashed)
    link = walk.link()
    walk.next(stranger, link, method="get")
    form = stranger.get(link).url
    walk.next(stranger, form, {"password1": FIRST, "password2": FIRST})
    walk.made("password.reset", person=boss.pk, address=VISITOR)
    walk.next(walk.browser(), link, method="get")
    walk.made("link.refused", kind="password", address=VISITOR)

    client = walk.browser(Person.objects.get(pk=boss.pk))
    invited = {"name": "mark-invited", "email": "mark-invited@example.com", "role": "user"}
    walk.secrets.add("mark-invited")
    walk.next(client, f"/{acme.code}/people/invite/", invited)
    newcomer = Person.objects.get(email=invited["email"])
    walk.made_by("person.invited", boss, target=f"person {newcomer.pk}", role="user")
    walk.next(client, f"/{acme.code}/people/invite/", invited)
    walk.made_by("person.not_invited", boss)
    deliver()
    limit = people.MOST_INVITED_AN_HOUR
    people.MOST_INVITED_AN_HOUR = 0
    try:
        walk.next(client, f"/{acme.code}/people/invite/", invited)
    finally:
        people.MOST_INVITED_AN_HOUR = limit
    walk.made_by("limit.reached", boss, limit="invitations")
    stranger = walk.browser()
    form = stranger.get(walk.link()).url
    walk.next(stranger, form, {"password1": FIRST, "password2": FIRST})
    walk.made("invitation.accepted", person=newcomer.pk, address=VISITOR)

    for _attempt in range(6):
        walk.next(stranger, "/password/reset/", {"email": "mark-nobody@example.com"})
    walk.made("limit.reached", address=VISITOR, page="account_reset_password", limit="links")
    cache.clear()


def identity_providers(walk, acme, settings):
    system, boss = walk.person(acme.parent.parent), walk.person(acme)
    walk.secrets |= {SECRET, "mark-subject-1", "mark-access-token", "eyJ"}
    client = walk.browser()
    with signing_provider() as idp:
        provider = Provider("example", "Example Corp", idp.issuer, "portal", SECRET, ("example.com",))
        settings.SINGLE_SIGN_ON = (provider,)
        brought = idp.sign_in(begin(client), email=boss.email)
        walk.secrets |= {brought["code"], brought["state"], idp.sent[0]["nonce"]}
        walk.next()
        come_back(walk.browser(), brought)
        walk.made("sign_in.provider_failed", address=VISITOR, provider="example", why="state", person=None)
        come_back(client, brought)
        walk.made_by("person.linked", boss, provider="example", target=f"person {boss.pk}")
        assert walk.logged.events("sign_in.succeeded")[0]["methods"] == ["provider"]
        stranger = walk.browser()
        brought = idp.sign_in(begin(stranger), email="mark-nobody@example.com", sub="mark-subject-2")
        walk.next()
        come_back(stranger, brought)
        hashed = security.hash_of("mark-nobody@example.com")
        walk.made("sign_in.provider_refused", person=None, name_hash=hashed, provider="example", why="unknown")
        walk.next(client, "/security/with/example/remove/")
        walk.made_by("person.unlinked", boss, provider="example", target=f"person {boss.pk}")
        settings.SINGLE_SIGN_ON = (replace(provider, required=True),)
        walk.next(walk.browser(), "/login/", {"login": boss.email, "password": FIRST})
        walk.made("sign_in.provider_required", person=boss.pk, account=acme.code, provider="example")
        walk.next(walk.browser(), "/login/", {"login": system.email, "password": FIRST})
        walk.made_by("sign_in.emergency", system, provider="example")
    settings.SINGLE_SIGN_ON = ()
    cache.clear()


def walls(walk, acme, settings):
    boss, user = walk.person(acme), walk.person(acme, "user")
    client, number = walk.browser(boss), make_number(customer=acme, e164="+15145557391")
    make_number(customer=acme, e164="+15145557392")
    walk.secrets |= {"5557391", "5557392", "555-7391", "5557393"}
    for code in ("C99999", make_account("company").code):
        walk.next(client, f"/{code}/numbers/15145557391/", method="get")
        walk.made_by("account.denied", boss, asked=code)
    walk.next(client, f"/{acme.code}/numbers/{number.e164[1:]}/", method="get")
    walk.next(client, f"/{acme.code}/numbers/15145557393/", method="get")
    walk.made_by("object.denied", boss, page="numbers:detail")
    walk.next(client, f"/{acme.code}/numbers/find/", {"q": "5557391"}, method="get")
    walk.next(walk.browser(user), f"/{acme.code}/people/", method="get")
    walk.made_by("permission.refused", user, page="people")
    walk.next(
        walk.browser(boss, enforce_csrf_checks=True),
        "/profile/",
        {"name": "mark-wrong"},
        headers={"Referer": "https://mark-wrong/"},
    )
    assert walk.made("csrf.failed", address=VISITOR)["reason"] == "CSRF cookie not set."
    assert walk.logged.events("permission.refused") == []
    foreign = {"Origin": "https://mark-wrong.example"}
    walk.next(walk.browser(boss, enforce_csrf_checks=True), "/profile/", headers=foreign)
    assert walk.made("csrf.failed")["reason"] == "Origin checking failed"
    walk.next(client, "/login/", method="get", headers={"Host": "mark-wrong.example"})
    walk.made("host.refused", address=VISITOR)
    walk.next(client, "/profile/", {f"mark-wrong{number}": "x" for number in range(10_101)})
    walk.made("request.suspicious", address=VISITOR, kind="TooManyFieldsSent")
    walk.next(client, f"/{acme.code}/numbers/", {"cursor": "mark-wrong"}, method="get")
    walk.made_by("link.refused", boss, kind="cursor", page="numbers:list")
    walk.next(client, f"/{acme.code}/numbers/order/basket/", {"offer": "mark-wrong"})
    walk.made_by("link.refused", boss, kind="offer")
    colleague = walk.person(acme)
    walk.next(walk.browser(colleague), f"/{acme.code}/numbers/bulk/options/", {"selected": [number.pk, 2**40]})
    walk.made_by("rows.left_out", colleague, count=1)
    Job.unscoped.update(state="running", started_at=timezone.now())
    Person.objects.filter(pk=colleague.pk).update(role="user")
    walk.next()
    job = Job.unscoped.get()
    run_job(job_id=job.pk, account=acme.code)
    walk.made("work.stopped", person=colleague.pk, account=acme.code, work=f"job {job.pk}")
    for name, value in (("CALLS_AT_ONCE", (0, 0)), ("CALLS_AN_HOUR", (0, 0))):
        settings.TELEPHONY, settings.CALLS_AT_ONCE, settings.CALLS_AN_HOUR = "demo", (9, 9), (9, 9)
        setattr(settings, name, value)
        walk.next(client, f"/{acme.code}/webphone/dial/", {"number": "+1 514 555 7393"})
        walk.made_by("limit.reached", boss, limit=name.replace("_", " ").lower())
    settings.CALLS_AN_HOUR, settings.CALL_MINUTES_A_DAY = (9, 9), (2, 9999)
    for turn, event in enumerate((None, "limit.half", "limit.reached")):
        walk.next(client, f"/{acme.code}/webphone/dial/", {"number": f"+1 514 555 739{turn}"})
        if event:
            walk.made_by(event, boss, limit="minutes a day")
    settings.TELEPHONY = "sip"
    settings.LARGE_EXPORT_ROWS = 1
    for form in ("csv", "pdf"):
        walk.next()
        answer = client.get(f"/{acme.code}/numbers/export.{form}", {"filename": "mark-wrong"})
        assert b"".join(answer.streaming_content)
        walk.made_by("export.large", boss, list="numbers:list", rows=2, format=form)


def machines(walk, acme, settings):
    stranger, wrong = walk.browser(), {"Authorization": "Bearer mark-wrong"}
    doors = {"telephony/events": "telephony", "telephony/route": "telephony", "carriers/1": "carrier 1"}
    for path, door in {"calls": "calls", **doors}.items():
        walk.next(stranger, f"/{path}/", headers=wrong)
        walk.made("token.refused", door=door, address=VISITOR)
    settings.METRICS_TOKEN = "mark-metrics"
    walk.next(stranger, "/metrics", method="get", headers=wrong)
    walk.made("token.refused", door="metrics", address=VISITOR)
    assert walk.logged.events("permission.refused") == []
    var = walk.person(acme.parent)
    client = walk.browser(var)
    answer = walk.next(client, f"/{var.account.code}/phone-systems/add/", {"name": "mark-invited"})
    system = TelephoneSystem.unscoped.get()
    walk.made_by("system.added", var, target=f"system {system.pk}")
    token = re.search(r'id="token">([\w-]+)<', answer.text)[1]
    walk.secrets.add(token)
    walk.secrets |= {system.key.partition("-")[2], "mark-auth-token"}
    changed = {"name": "mark-invited", "auth_token": "mark-auth-token"}
    walk.next(client, f"/{var.account.code}/phone-systems/{system.pk}/change/", changed)
    walk.made_by("system.changed", var, target=f"system {system.pk}")
    walk.next(client, f"/{var.account.code}/phone-systems/{system.pk}/address/")
    walk.next(stranger, f"/calls/{system.key}/", [], content_type="application/json")
    settings.TELEPHONY = "demo"
    client.post(f"/{var.account.code}/webphone/dial/", {"number": "+1 514 555 7391"})
    placed = Call.unscoped.latest("pk")
    client.post(f"/{var.account.code}/webphone/calls/{placed.ref}/hang-up/")
    settings.TELEPHONY = "sip"
    key = {"Authorization": f"Bearer {key_for('events')}"}
    told = {"ref": placed.ref, "event": "talking"}
    walk.next(stranger, "/telephony/events/", told, content_type="application/json", headers=key)
    walk.made("call.not_recorded", ref=placed.ref)
    calls = [{"id": "mark-wrong", "number": "+15145557391", "time": "2026-11-29T10:00:00Z"}]
    walk.next(stranger, "/calls/", calls, content_type="application/json", headers={"Authorization": f"Bearer {token}"})
    (line,) = [line for line in walk.logged.lines if line["logger"] == "portal.requests"]
    assert (line["account"], line["system"], line["status"]) == (var.account.code, system.pk, 200)
    walk.next(client, f"/{var.account.code}/phone-systems/{system.pk}/revoke/")
    walk.made_by("system.revoked", var)


def other_accounts(walk, acme, settings):
    var, boss = walk.person(acme.parent), walk.person(acme)
    client = walk.browser(var)
    walk.next(client, f"/{acme.code}/access/", {"next": f"/{acme.code}/", "reason": "mark-wrong"})
    walk.made_by("access.started", var, account=acme.code, may_change=True)
    walk.next(client, f"/{acme.code}/access/leave/")
    walk.made_by("access.ended", var, account=acme.code, why="left")
    theirs = walk.browser(boss)
    walk.next(theirs, f"/{acme.code}/access/consent/", {"asks_consent": "on"})
    walk.made_by("account.consent_changed", boss, asks_consent=True, target=acme.code)
    for answer, event in (("allow", "access.allowed"), ("refuse", "access.refused")):
        walk.next(client, f"/{acme.code}/access/")
        walk.made_by("access.asked", var, account=acme.code)
        asked = Access.unscoped.get(ended_at=None)
        walk.next(theirs, f"/{acme.code}/access/decide/", {"access": asked.pk, answer: "1"})
        walk.made_by(event, boss, target=f"access {asked.pk}")
        if answer == "allow":
            client.post(f"/{acme.code}/access/")
            client.post(f"/{acme.code}/access/leave/")


def people_and_accounts(walk, acme, settings):
    var, boss, user = walk.person(acme.parent), walk.person(acme), walk.person(acme, "user")
    agent, code = walk.person(acme.parent, "support"), acme.parent.code
    client, theirs = walk.browser(boss), walk.browser(var)
    person, of_user = f"/{acme.code}/people/{user.pk}/", f"person {user.pk}"
    walk.next(client, person, {"name": "mark-invited", "role": "administrator"})
    walk.made_by("person.role_changed", boss, target=of_user, role="administrator")
    walk.next(client, person, {"name": "mark-invited again", "role": "administrator"})
    assert walk.logged.events() == []
    for act, event in (("sign-out", "signed_out"), ("deactivate", "deactivated"), ("reactivate", "reactivated")):
        walk.next(client, f"{person}{act}/")
        walk.made_by(f"person.{event}", boss, target=of_user)

    grant = {"agent": agent.pk, "account": acme.code, "manages": "manage", "until": ""}
    walk.next(theirs, f"/{code}/grants/give/", grant)
    facts = {"agent": agent.pk, "granted": acme.code, "may_change": True}
    walk.made_by("grant.given", var, **facts)
    walk.next(theirs, f"/{code}/grants/{Grant.objects.get().pk}/withdraw/")
    walk.made_by("grant.withdrawn", var, **facts)

    walk.next(theirs, f"/{code}/accounts/add/?kind=company", sent(name="mark-invited Ltd", phone="+1 514 555 7393"))
    added = Account.unscoped.get(name="mark-invited Ltd")
    walk.made_by("account.added", var, target=added.code)
    shut = walk.browser(walk.person(added))
    for event in ("suspended", "reactivated", "closed", "reopened"):
        act = {"suspended": "suspend", "closed": "close"}.get(event, "reactivate")
        walk.next(theirs, f"/{code}/accounts/{added.code}/{act}/")
        walk.made_by(f"account.{event}", var, target=added.code)
        if act == "suspend":
            walk.next(shut, "/", method="get")
            walk.made("sign_in.out_of_service", account=added.code, address=VISITOR)
            assert walk.logged.events("permission.refused") == []


def starting(walk, acme, settings):
    settings.DEMO, settings.ALLOWED_HOSTS = False, ["*"]
    walk.next()
    security.tell_weak_settings()
    assert "ALLOWED_HOSTS" in [line["setting"] for line in walk.logged.events("settings.weak")]
    walk.events.append("settings.weak")


def test_every_event_is_logged_where_it_happens_and_no_secret_with_it(walk, acme, settings):
    everything = []
    clear = walk.logged.clear
    walk.logged.clear = lambda: (everything.append(walk.logged.text), clear())
    make_destination(acme)
    signing_in(walk, acme)
    factors(walk, acme)
    passwords(walk, acme)
    identity_providers(walk, acme, settings)
    walls(walk, acme, settings)
    machines(walk, acme, settings)
    other_accounts(walk, acme, settings)
    people_and_accounts(walk, acme, settings)
    starting(walk, acme, settings)
    walk.logged.clear()
    assert set(security.EVENTS) - set(walk.events) == set()
    text = "".join(everything)
    assert [secret for secret in walk.secrets if secret.lower() in text.lower()] == []
    assert len(walk.secrets) > 40
