"""The cache in which limits on guessing live: nothing is forgotten before its time, one of many comes first."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection

from portal.cache import LastingCache


def expire_everything():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE portal_cache SET expires = now() - interval '1 second'")


def rows():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM portal_cache")
        return cursor.fetchone()[0]


@pytest.fixture(autouse=True)
def empty(request, db):
    cache.clear()


def test_what_is_put_in_comes_out_until_it_expires():
    cache.set("a", [1, "é"], 60)
    cache.set("b", None, None)
    assert cache.get_many(["a", "b", "c"]) == {"a": [1, "é"], "b": None}
    assert cache.has_key("b")
    expire_everything()
    assert cache.get("a", "gone") == "gone"


def test_an_entry_of_zero_seconds_is_gone_at_once():
    cache.set("a", 1, 0)
    assert cache.get("a") is None


def test_adding_works_where_nothing_is_or_what_was_there_has_expired():
    assert cache.add("a", 1, 60)
    assert not cache.add("a", 2, 60)
    assert cache.get("a") == 1
    expire_everything()
    assert cache.add("a", 3, 60)
    assert cache.get("a") == 3


def test_touching_prolongs_what_is_there_only():
    cache.set("a", 1, 1)
    assert cache.touch("a", 600)
    assert not cache.touch("b", 600)
    expire_everything()
    assert not cache.touch("a", 600)


def test_filling_the_cache_forgets_nothing():
    cache.set("!the-first-by-its-key", 1, 600)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO portal_cache SELECT ':1:' || n, 'gASVAgAAAAAAAABLAS4=', now() + interval '1 hour'"
            " FROM generate_series(1, 150000) n"
        )
    began = time.perf_counter()
    for number in range(20):
        cache.set(f"more-{number}", 1, 600)
    assert time.perf_counter() - began < 1
    assert cache.get("!the-first-by-its-key") == 1
    assert rows() == 150_021


def test_what_has_expired_is_swept_away(monkeypatch):
    for number in range(10):
        cache.set(f"old-{number}", 1, 60)
    expire_everything()
    monkeypatch.setattr(LastingCache, "swept_at", -1000.0)
    cache.set("new", 1, 60)
    assert rows() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("there", ["nothing", "something that expired"])
def test_of_many_who_add_at_once_one_comes_first(there):
    if there != "nothing":
        cache.set("lock", 1, 60)
        expire_everything()

    def add(number):
        try:
            return cache.add("lock", number, 60)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(add, range(64))) == 1
