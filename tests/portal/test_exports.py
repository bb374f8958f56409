"""How many exports are on their way at once, whose they are, and what ends one."""

from types import SimpleNamespace

import pytest

from portal import exports

# At its end an answer has Django look after the connections.
pytestmark = pytest.mark.django_db


@pytest.fixture
def one_slot(room_for_exports, settings):
    settings.EXPORTS_AT_ONCE = 1


def begun(ended=None):
    def chunks():
        try:
            yield b"one"
            yield b"two"
        finally:
            if ended is not None:
                ended.append(exports.slots().taken == [])

    return exports.streamed(asked_by(), chunks(), content_type="text/csv")


def asked_by(person=1, account=1):
    """A request of a person in an account."""
    actor = SimpleNamespace(person=SimpleNamespace(pk=person), account=SimpleNamespace(pk=account))
    return SimpleNamespace(actor=actor, META={}, still_may=lambda: True)


def asked(person, account):
    """The status, and the sentence of what is refused, for one more export of a person in an account."""
    answer = exports.streamed(asked_by(person, account), (b"%d" % n for n in range(2)))
    kept.append(answer)
    return answer.status_code, "" if answer.streaming else answer.text


#: Answers that are not read, and not collected as garbage either.
kept = []


@pytest.fixture
def slots(room_for_exports, settings):
    """Set how many there are in this process."""

    def so_many(count):
        settings.EXPORTS_AT_ONCE = count

    yield so_many
    while kept:
        kept.pop().close()


@pytest.mark.parametrize("most", [3, 7])
@pytest.mark.parametrize("account_of", [lambda n: 1, lambda n: n], ids=["at home", "wherever they work"])
def test_a_person_takes_all_exports_neither_from_colleagues_nor_from_others(slots, most, account_of):
    slots(most)
    statuses = [asked(1, account_of(n))[0] for n in range(40)]
    assert statuses == [200] * (most - 2) + [429] * (42 - most)
    assert [asked(2, 1)[0], asked(3, 100)[0]] == [200, 200]


def test_one_account_leaves_an_export_to_others(slots):
    slots(3)
    assert [asked(person, 1)[0] for person in range(40)] == [200] * 2 + [429] * 38
    assert "Others in this account have downloads running." in asked(50, 1)[1]
    assert asked(60, 2)[0] == 200
    status, said = asked(70, 3)
    assert status == 503
    assert "Exports are busy: try again in a few seconds." in said


def test_a_person_is_told_how_many_downloads_run(slots):
    slots(3)
    assert asked(1, 1)[0] == 200
    answer = exports.streamed(asked_by(1, 1), iter(()))
    assert (answer.status_code, answer["Retry-After"]) == (429, "5")
    assert "You have 1 download running. Let it end, or cancel it, then try again." in answer.text


def test_a_slot_is_free_again_when_the_last_chunk_has_left(one_slot):
    export = begun()
    assert export.getvalue() == b"onetwo"
    assert begun().status_code == 200


def test_a_slot_is_free_again_when_a_reader_goes_away_and_not_before_the_export_has_ended(one_slot):
    ended = []
    export = begun(ended)
    assert next(iter(export)) == b"one"
    export.close()
    assert ended == [False]
    export.close()
    assert begun().status_code == 200


def test_an_export_that_never_began_gives_its_slot_back(one_slot):
    begun().close()
    export = begun()
    assert export.status_code == 200
    del export  # as when a middleware answers something else instead
    assert begun().status_code == 200


def test_an_export_that_fails_says_so_and_gives_its_slot_back(one_slot, caplog):
    def chunks():
        yield b"one\r\n"
        raise ValueError("first line\nsecond line")

    export = iter(exports.streamed(asked_by(), chunks(), interrupted="INCOMPLETE"))
    assert [next(export), next(export)] == [b"one\r\n", b"INCOMPLETE\r\n"]
    with pytest.raises(ValueError, match="first line"):
        next(export)
    assert caplog.messages == ["An export broke off: ValueError"]
    assert begun().status_code == 200
