"""Rate limits: how slots are taken, freed and shared."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection

from accounts import limits
from accounts.limits import DAY, HOUR, MINUTE, Limit
from tests.accounts.guessing import let_pass

pytestmark = pytest.mark.django_db


def test_a_limit_is_reached_once_all_its_slots_are_taken_and_each_is_free_again_in_its_time():
    few = {"few": (Limit(2, MINUTE), Limit(3, HOUR))}
    assert len(limits.take(few)) == 2
    taken = limits.take(few)
    with pytest.raises(limits.Reached) as reached:
        limits.take(few)
    assert reached.value.name == "few"
    assert 50 < reached.value.seconds <= MINUTE
    limits.give_back(taken)
    limits.take(few)
    let_pass(MINUTE)
    limits.take(few)
    let_pass(MINUTE)
    with pytest.raises(limits.Reached) as reached:
        limits.take(few)
    assert HOUR / 2 < reached.value.seconds <= HOUR
    limits.take({"others": (Limit(1, MINUTE),)})


def test_what_is_refused_by_one_limit_is_counted_by_none():
    narrow = {"wide": (Limit(2, MINUTE),), "narrow": (Limit(1, MINUTE),)}
    limits.take(narrow)
    for _turn in range(5):
        with pytest.raises(limits.Reached, match=r"^narrow|"):
            limits.take(narrow)
    limits.take({"wide": (Limit(2, MINUTE),)})


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "1 minute"), (60, "1 minute"), (61, "2 minutes"), (3540, "59 minutes"), (3541, "1 hour"), (DAY, "24 hours")],
)
def test_how_long_to_wait_is_rounded_up(seconds, said):
    assert limits.duration(seconds) == said


def test_what_is_counted_is_plain():
    """Numbers and nothing else: whoever changes how the cache writes things need not think of this."""
    limits.take({"something": (Limit(1, MINUTE),)})
    assert isinstance(cache.get("limit:something:60:0"), float)


@pytest.mark.django_db(transaction=True)
def test_many_that_count_and_take_back_at_once_do_not_wait_for_each_other():
    cache.clear()
    counted = {"place": (Limit(30, 300),), "here": (Limit(5, 60), Limit(15, 3600)), "name": (Limit(50, 3600),)}

    def count(_turn):
        try:
            limits.give_back(limits.take(counted))
        except limits.Reached:
            return "refused"
        finally:
            connection.close()
        return "counted"

    with ThreadPoolExecutor(16) as pool:
        assert "counted" in list(pool.map(count, range(300)))
