"""People do things at random; triggers of the test's own count what changes, and the history has to say the same."""

import csv
import io
import random
from collections import Counter
from urllib.parse import urljoin, urlsplit

import pytest
from django.apps import apps
from django.db import connection

from accounts.audit import TYPES
from accounts.models import Access, Account, AuditEvent, Person
from tests.access.crawl import Page, Sent, is_html, sendings
from tests.access.identities import IDENTITIES
from tests.rights import run_script

TABLES = {
    model._meta.db_table: TYPES[model._meta.model_name]
    for model in apps.get_models()
    if model._meta.app_label in ("accounts", "numbers", "webphone") and model._meta.model_name in TYPES
}
#: What is written without anybody changing anything: signs of life, secrets, which history must not hold, that browsers
#: are forgotten together with the sessions that an event ends, and how somebody is told, which is their own.
QUIET = "{seen_at,last_login,password,devices_since,channels}"
COUNTING = """
CREATE TABLE counted (turn serial, kind text, row_id bigint);
CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    -- Of a basket, history has the numbers that are kept for it; it becomes an order when it is confirmed.
    IF TG_ARGV[0] = 'order' AND to_jsonb(COALESCE(NEW, OLD)) ->> 'state' = 'basket' THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'UPDATE' OR to_jsonb(NEW) - TG_ARGV[1]::text[] <> to_jsonb(OLD) - TG_ARGV[1]::text[] THEN
        INSERT INTO counted (kind, row_id) VALUES (TG_ARGV[0], CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END);
    END IF;
    RETURN NULL;
END $$;
"""
EACH = """
CREATE TRIGGER test_counts AFTER INSERT OR UPDATE OR DELETE ON {0}
FOR EACH ROW EXECUTE FUNCTION count_change('{1}', '{2}')
"""
WHO = ["system administrator", "var administrator", "company administrator", "professional administrator",
       "user of a company", "system support to manage", "system support to view", "var support to manage"]  # fmt: skip
#: What would end the run: sign-ins are tested by themselves.
LEFT_OUT = ("/logout/", "/security/", "/password/", "/reauthenticate/", "/static/", "/login/")
STEPS = 400


@pytest.fixture
def counted(world):
    """What has changed since it was last asked, as (what events call it, id)."""
    run_script(COUNTING)
    with connection.cursor() as cursor:
        for table, kind in TABLES.items():
            cursor.execute(EACH.format(table, kind, QUIET))

    def since():
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM counted RETURNING kind, row_id")
            return Counter(cursor.fetchall())

    return since


class Wanderer:
    """Somebody who follows links and sends forms without a plan."""

    def __init__(self, seat, dice):
        self.seat, self.dice, self.page = seat, dice, None

    def turn(self):
        """The next request: along a link, or a form of this page filled in somehow."""
        forms = [f for f in self.page.forms if f.method == "post"] if self.page else []
        sent = [s for form in forms for s in sendings(form) if not s.url.startswith(LEFT_OUT)]
        if sent and self.dice.random() < 0.5:
            return self.filled(self.dice.choice(sent))
        links = [link for link in (self.page.links if self.page else []) if not urlsplit(link).netloc]
        links = [link for link in links if not link.startswith(LEFT_OUT) and "export." not in link]
        # Of a list in every order, one: else they would spend their time sorting.
        links = list({link.partition("?")[0]: link for link in links}.values())
        return Sent("get", self.dice.choice(links) if links and self.dice.random() < 0.9 else "/")

    def filled(self, sent):
        more = {
            "name": f"Name {self.dice.randrange(1000)}",
            "contact": f"Contact {self.dice.randrange(1000)}",
            "reason": f"Ticket {self.dice.randrange(1000)}",
            "cooling_days": str(self.dice.randrange(100)),
        }
        fields = ((n, more[n] if n in more and self.dice.random() < 0.7 else v) for n, v in sent.fields)
        return Sent("post", sent.url, tuple(fields))

    def take(self, sent):
        answer = sent.by(self.seat.client)
        url = sent.url
        if answer.status_code == 302:
            url = urljoin(url, answer.url)
            if url.startswith(LEFT_OUT):
                url = "/"
            answer = Sent("get", url).by(self.seat.client)
        self.page = Page(url, answer.body.decode()) if is_html(answer) and answer.status_code == 200 else None
        return answer


@pytest.mark.parametrize("seed", [1, 2])
def test_one_event_for_each_changed_row_by_whom_it_was_and_where(world, counted, seed):
    dice = random.Random(seed)
    people = [Wanderer(world.seat(IDENTITIES[name]), dice) for name in WHO]
    verbs, last = Counter(), AuditEvent.unscoped.latest("pk").pk
    counted()
    for _step in range(STEPS):
        somebody = dice.choice(people)
        sent = somebody.turn()
        answer = somebody.take(sent)
        assert answer.status_code < 500, sent
        events = list(AuditEvent.unscoped.filter(pk__gt=last).order_by("pk"))
        last = events[-1].pk if events else last
        assert Counter((e.target_type, e.target_id) for e in events) == counted(), sent
        for event in events:
            verbs[event.verb] += 1
            # An access is ended of who was inside, whoever took the right away.
            person = event.access.person if event.verb == "access.ended" else somebody.seat.person
            assert event.person_id == person.pk, sent
            assert event.chain[0] == person.account_id, sent
            assert event.chain[-1] == event.account_id, sent
            assert (event.access_id is not None) == (event.account_id != person.account_id), sent
            where = sent.url.split("/")[1]
            if Account.unscoped.filter(code=where).exists() and event.verb != "access.ended":
                assert event.account_id == Account.called(where).pk, sent
            assert event.request_id, sent
    assert len(verbs) >= 5, verbs
    assert_history_is_complete(world)


def assert_history_is_complete(world):
    """Each account reads of every access that began there, who it was and why, and as many changes as there are."""
    for kind in ("var", "company", "professional"):
        account = world.a.account(kind)
        Account.unscoped.exclude(pk=0).update(status="production")
        who = IDENTITIES[f"{kind} administrator"]
        # Whatever became of them meanwhile.
        Person.objects.filter(pk=world.person_of(who, "A").pk).update(role="administrator", is_active=True)
        seat = world.seat(who)
        answer = seat.client.get(f"/{account.code}/access/export.csv")
        assert answer.status_code == 200, answer.text
        text = answer.getvalue().decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        begun = Access.unscoped.filter(account=account, started_at__isnull=False).order_by("-started_at", "-pk")
        assert [(row["Who"], row["Reason"]) for row in rows] == [(a.person.name, a.reason) for a in begun]
        changes = [AuditEvent.unscoped.filter(access=a).exclude(verb__startswith="access.").count() for a in begun]
        assert [int(row["Changes"]) for row in rows] == changes
