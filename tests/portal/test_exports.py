"""How many exports are on their way at once, and what ends one."""

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
                ended.append(exports.slots().acquire(blocking=False))

    return exports.streamed(chunks(), content_type="text/csv")


def test_an_export_too_many_is_asked_to_come_again(one_slot):
    first, second = begun(), begun()
    assert (first.status_code, second.status_code) == (200, 503)
    assert second["Retry-After"] == "5"
    assert "Exports are busy: try again in a few seconds." in second.text


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
    assert [begun().status_code, begun().status_code] == [200, 200]


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

    export = iter(exports.streamed(chunks(), interrupted="INCOMPLETE"))
    assert [next(export), next(export)] == [b"one\r\n", b"INCOMPLETE\r\n"]
    with pytest.raises(ValueError, match="first line"):
        next(export)
    assert caplog.messages == ["An export broke off: first line"]
    assert begun().status_code == 200
