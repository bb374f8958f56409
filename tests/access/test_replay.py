"""What people of one tree can read by walking, and what they may send, sent with the names of the other tree's rows in
place of their own."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

import pytest
from django.apps import apps
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from tests.access.addresses import ALL
from tests.access.crawl import Sent, inert, is_html, sendings, text_of, walk
from tests.access.database import changed, fingerprint, snapshot, undone
from tests.access.identities import IDENTITIES, Identity
from tests.access.marks import OWNERS, Marks
from tests.access.tokens import found_in, made_up, swapped, tokens, twins

#: Everybody who is at home in the tree, or was granted it, or works in it; who only looks sees and sends no more.
PEOPLE = [
    i
    for i in IDENTITIES.values()
    if not (i.is_nobody or i.is_viewing) and (i.home != "system" or i.granted or i.inside)
]
#: The others who can see anything come after them: tests of the same place in both lists are run one after the other.
SOMEBODY = [*PEOPLE, *(i for i in IDENTITIES.values() if not i.is_nobody and i not in PEOPLE)]
#: Codes, ids and numbers as they stand in addresses and fields.
NAMES = re.compile(r"\b([VCP])?[0-9]{4,}\b")
#: What every answer has of its own.
OWN_HEADERS = {"X-Request-Id", "Content-Length"}
REFUSED = (403, 404, 405)


@dataclass(frozen=True)
class Walked:
    """What somebody has come across, as ``walk`` gives it, and whether the database is as it was before."""

    pages: list
    left_as_it_was: bool


class Walks:
    """Everything that somebody can reach in a world whose texts are marked: walked once for the tests about them."""

    def __init__(self, world):
        self.world, self.marks = world, Marks(world)
        self._last = None, None

    def of(self, identity: Identity) -> Walked:
        if self._last[0] != identity:
            with undone():
                seat, before = self.world.seat(identity), snapshot()
                pages = list(walk(seat, everywhere=identity.name == "system administrator in var"))
                self._last = identity, Walked(pages, snapshot() == before)
        return self._last[1]


@pytest.fixture(scope="module")
def walks(world, django_db_blocker):
    with django_db_blocker.unblock():
        return Walks(world)


def test_every_model_with_texts_of_accounts_is_marked():
    ours = {model for model in apps.get_models() if model._meta.app_label in ("accounts", "numbers", "webphone")}
    ours = {model for model in ours if any(f.related_model is Account for f in model._meta.concrete_fields)}
    assert ours | {Account} == set(OWNERS)


@pytest.mark.parametrize("identity", SOMEBODY, ids=lambda identity: identity.name, scope="module")
def test_nobody_can_walk_to_a_text_of_another_tenant(world, walks, identity):
    forbidden = walks.marks.forbidden_to(world, identity)
    others = tokens(world.b) if forbidden else set()
    entered = {world.a.account(kind).code for kind in identity.inside}
    wrong, walked = [], walks.of(identity)
    for sent, answer, _page in walked.pages:
        assert answer.status_code < 500, sent
        text = text_of(answer)
        read = {mark for mark in forbidden if mark in text} | found_in(text, others)
        if read:
            wrong.append(f"{sent} shows {sorted(read)}")
        # The frame is what pages of people who are signed in have; the entrance stands before the account.
        if is_html(answer) and '<body class="frame">' in text:
            inside = sent.url.split("/")[1] in entered
            if text.count('<section class="inside"') != inside:
                wrong.append(f"{sent} {'does not say' if inside else 'says'} that one is inside")
    assert not wrong, "\n".join(wrong)
    assert len(walked.pages) > 3
    assert walked.left_as_it_was


def requests_of(seat, walked):
    """Each address of theirs, empty handed, and every link and form of every page that they can reach: one of a kind,
    where many differ only in which of their own rows they name."""
    found = {}
    for address in ALL.values():
        for method in ("get", "post"):
            sent = Sent(method, seat.path(address))
            found[kind_of(sent)] = sent
    for asked, _answer, page in walked.pages:
        sent = [asked, *(sending for form in (page.forms if page else ()) for sending in sendings(form))]
        found = {kind_of(one): one for one in sent} | found
    return found.values()


def kind_of(sent):
    """What makes two requests the same to replay: whom they name, and in which place. Orders and sizes name nobody."""
    fields = [(name, unnamed(value)) for name, value in sent.fields]
    return sent.method, unnamed(sent.url), str(fields)


def unnamed(url):
    """An address, or what else stands in a field, with a mark for each name in it."""
    path, _mark, query = url.partition("?")
    asked = [(name, value) for name, value in parse_qsl(query) if NAMES.search(value)]
    return NAMES.sub(r"\1#", f"{path} {asked}")


def with_name(sent, old, new):
    fields = tuple((name, swapped(value, old, new)) for name, value in sent.fields)
    return Sent(sent.method, swapped(sent.url, old, new), fields)


class Replay:
    """Sends requests, undoes what they did, and says what is wrong about the answers."""

    def __init__(self, world, seat):
        self.seat, self.theirs = seat, tokens(world.b)
        self.before, self.print = snapshot(), fingerprint()

    def answer(self, sent, name):
        """What may be compared of the answer, in which what was asked for may be said again; the rows that changed."""
        connection.queries_log.clear()
        caches["process"].clear()
        with undone(self.seat.client):
            with CaptureQueriesContext(connection) as queries:
                answer = sent.by(self.seat.client)
            rows = []
            if sent.method == "post" and fingerprint() != self.print:
                rows = changed(self.before, snapshot())
        headers = sorted((n, v.replace(name, "*")) for n, v in answer.headers.items() if n not in OWN_HEADERS)
        said = answer.status_code, headers, inert(answer.body).replace(name.encode(), b"*")
        return said, len(queries), rows

    def problems(self, sent, own, foreign):
        """What tells the foreign name from one that nobody has, or does something to the other tree."""
        unknown = made_up(own)
        theirs, nobodys = with_name(sent, own, foreign), with_name(sent, own, unknown)
        for _attempt in range(2):
            said, count, rows = self.answer(theirs, foreign)
            said_, count_, _rows = self.answer(nobodys, unknown)
            # Once, a minute may end between the two, or the two minutes in which a call has to be heard of.
            if (said, count) == (said_, count_):
                break
        if said != said_:
            yield f"{theirs}: {said[0]}, told from {nobodys}: {said_[0]}"
        elif count != count_:
            yield f"{theirs}: {count} statements, but {count_} for {nobodys}"
        if touched := [row for row in rows if self.names(row)]:
            yield f"{theirs}: changes {touched}"
        if foreign in theirs.url.partition("?")[0]:
            if said[0] not in REFUSED:
                yield f"{theirs}: is answered with {said[0]}"
            if rows:
                yield f"{theirs}: changes {rows}"

    def names(self, row):
        """What a changed row says of the other tree in numbers; texts are what somebody typed."""
        numbers = [value for value in row[1].values() if isinstance(value, int | list) and value is not True]
        return found_in(str(numbers), self.theirs)


@pytest.mark.parametrize("identity", PEOPLE, ids=lambda identity: identity.name, scope="module")
def test_rows_of_another_tenant_are_absent_from_everything_one_can_send(world, walks, identity):
    seat, twin = world.seat(identity), twins(world)
    replay, wrong, replayed = Replay(world, seat), [], 0
    sent_by = list(requests_of(seat, walks.of(identity)))
    if identity.inside:
        sent_by = [sent for sent in sent_by if sent.url.startswith(f"/{seat.account.code}/")]
    if identity.home == "system" and not identity.granted:
        # Administrators of the system may enter every account: there the code of another opens its entrance.
        del twin[seat.account.code]
    for sent in sent_by:
        for own in found_in(f"{sent.url} {dict(sent.fields)}", set(twin)):
            wrong += replay.problems(sent, own, twin[own])
            replayed += 1
    assert not wrong, "\n".join(wrong)
    assert replayed


def test_the_twin_of_everything_is_known(world):
    twin = twins(world)
    assert set(twin) == tokens(world.a)
    assert set(twin.values()) == tokens(world.b)
    assert not set(twin) & set(twin.values())
