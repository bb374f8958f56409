"""What people of one tree can read by walking, and what they may send, sent with the names of the other tree's rows in
place of their own, and of rows of another customer of the same VAR."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

import pytest
from django.apps import apps
from django.contrib.messages import get_messages
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Grant
from numbers.models import Release, Routing, StockLevel, TelephoneSystem
from tests.access.addresses import ALL
from tests.access.crawl import Sent, inert, is_html, sendings, text_of, walk
from tests.access.database import changed, fingerprint, snapshot, undone
from tests.access.identities import IDENTITIES, Identity
from tests.access.marks import OWNERS, Marks
from tests.access.tokens import SEAL, found_in, made_up, siblings, swapped, tokens, twins
from tests.factories import offered

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
#: Where one may ask for a number by its digits, or by its id; pages have no form for it in which one stands already.
ASKED_FOR = {
    "numbers:find": "q", "numbers:list": "number", "numbers:as_of": "number", "numbers:runs": "number",
    "numbers:order": "digits", "numbers:export_csv": "selected", "numbers:bulk_options": "selected",
    "numbers:bulk_release": "selected", "destinations:suggestions": "q", "history": "of", "webphone:phone": "number",
}  # fmt: skip
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
    others |= set() if identity.sees_the_sibling else tokens(world.sibling)
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
    number = seat.world.number_of(seat.account)
    for name, parameter in ASKED_FOR.items():
        named = number.pk if parameter == "selected" else number.digits
        sent = Sent("get", f"{seat.path(ALL[name])}?{parameter}={named}")
        found[kind_of(sent)] = sent
    for asked, _answer, page in walked.pages:
        forms = page.forms if page else ()
        sent = [asked, *(sending for form in forms for sending in sendings(form))]
        # An offer that is not ticked already.
        sent += [
            Sent("post", form.action, (("number", form.offered["number"][0]),))
            for form in forms
            if "number" in form.offered
        ]
        found = {kind_of(one): one for one in sent} | found
    return found.values()


def kind_of(sent):
    """What makes two requests the same to replay: whom they name, and in which place. Orders and sizes name nobody,
    and neither does what somebody has written."""
    fields = [(name, "…" if " " in value.strip() else SEAL.sub("#", unnamed(value))) for name, value in sent.fields]
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
        if not seat.identity.sees_the_sibling:
            self.theirs |= tokens(world.sibling)
        self.before, self.print = snapshot(), fingerprint()

    def answer(self, sent, name):
        """What may be compared of the answer, and of what the next page will say, in which what was asked for may be
        said again; the rows that changed."""
        connection.queries_log.clear()
        caches["process"].clear()
        with undone(self.seat.client):
            with CaptureQueriesContext(connection) as queries:
                answer = sent.by(self.seat.client)
            rows = []
            if sent.method == "post" and fingerprint() != self.print:
                rows = changed(self.before, snapshot())
        headers = sorted((n, v.replace(name, "*")) for n, v in answer.headers.items() if n not in OWN_HEADERS)
        body = inert(answer.body).replace(name.encode(), b"*")
        later = [str(message).replace(name, "*") for message in get_messages(answer.wsgi_request)]
        return (answer.status_code, headers, later, body), len(queries), rows

    def problems(self, sent, own, foreign):
        """What tells each foreign name from one that nobody has, or does something to the rows of others."""
        unknown = made_up(own)
        nobodys, nobody = with_name(sent, own, unknown), None
        for name in foreign:
            theirs = with_name(sent, own, name)
            answer, nobody = self.answer(theirs, name), nobody or self.answer(nobodys, unknown)
            if answer[:2] != nobody[:2]:
                # Once, a minute may end between the two, or the two minutes in which a call has to be heard of.
                answer, nobody = self.answer(theirs, name), self.answer(nobodys, unknown)
            yield from self.told(theirs, name, answer, nobodys, nobody)

    def told(self, theirs, foreign, answer, nobodys, nobody):
        """See ``problems``."""
        (said, count, rows), (said_, count_, _rows) = answer, nobody
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
        values = [one for value in row[1].values() for one in (value if isinstance(value, list) else [value])]
        numbers = [value for value in values if isinstance(value, int) and value is not True]
        return found_in(str(numbers), self.theirs)


@pytest.mark.parametrize("identity", PEOPLE, ids=lambda identity: identity.name, scope="module")
def test_rows_of_another_tenant_are_absent_from_everything_one_can_send(world, walks, identity):
    seat, twin = world.seat(identity), {own: [theirs] for own, theirs in twins(world).items()}
    sealed = offered(world.b.company, world.number_of(world.b.company))
    if not identity.sees_the_sibling:
        for own, theirs in siblings(world).items():
            # The code of an account that they may enter opens its entrance.
            if own.isdigit() or not identity.may_enter_the_sibling:
                twin[own].append(theirs)
        sealed += offered(world.sibling.company, *world.sibling.stock)
    replay, wrong, replayed, offers = Replay(world, seat), [], 0, 0
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
        for value in {value for _name, value in sent.fields if SEAL.fullmatch(value)}:
            wrong += replay.problems(sent, value, sealed)
            offers += 1
    assert not wrong, "\n".join(wrong)
    assert replayed
    assert bool(offers) == (identity.may("numbers.order") and seat.account.is_customer)


def test_the_twin_of_everything_is_known(world):
    twin = twins(world)
    assert set(twin) == tokens(world.a)
    assert set(twin.values()) == tokens(world.b)
    assert not set(twin) & set(twin.values())


def test_the_sibling_has_a_row_of_each_kind_that_is_a_customers(world):
    theirs = siblings(world)
    assert set(theirs.values()) <= tokens(world.sibling)
    assert not tokens(world.sibling) & (tokens(world.a) | tokens(world.b))
    kinds = {type(row) for row in world.sibling.rows}
    # The VAR's alone are phone systems, stock levels, what it gave up, where its calls go, and grants to its agents.
    assert {type(row) for row in world.a.rows} - kinds == {TelephoneSystem, Release, Routing, Grant, StockLevel}
    assert {number.reserved_for or number.last_holder for number in world.sibling.stock} == {world.sibling.company}
