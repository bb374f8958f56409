"""What has become of what was promised, counted in SQL by a superuser, without the portal's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.people import Ledger
from tests.chaos.seed import JOB_SIZE
from tests.chaos.site import CARRIER, Site

#: Work that is not over; queue entries; orders.
OPEN = """
SELECT (SELECT count(*) FROM numbers_import WHERE state IN ('checking', 'running')),
       (SELECT count(*) FROM numbers_job WHERE state IN ('checking', 'running')),
       (SELECT count(*) FROM numbers_order WHERE confirmed_at IS NOT NULL AND ended_at IS NULL),
       (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
               AND task_name NOT LIKE 'portal.%' AND task_name NOT LIKE 'numbers.heal%'
               AND task_name NOT IN ('numbers.tend_call_days', 'accounts.seal_factors'))
"""


@dataclass(frozen=True)
class Count:
    """``what`` was promised so many times; so many were lost, and so many done twice."""

    what: str
    promised: int
    lost: int
    doubled: int


def is_open(site: Site) -> dict[str, int]:
    """What is still under way."""
    (row,) = site.rows(OPEN)
    return {name: n for name, n in zip(("imports", "jobs", "orders", "tasks"), row, strict=True) if n}


def counted(site: Site, ledger: Ledger) -> Iterator[Count]:
    yield from of_imports(site, ledger)
    yield from of_jobs(site, ledger)
    yield from of_calls(site, ledger)
    yield from of_orders(site, ledger)


def told(site: Site, verb: str) -> Counter[str]:
    """How often history tells each number of something."""
    return Counter(target for (target,) in site.rows("SELECT target FROM accounts_auditevent WHERE verb = %s", verb))


def of_imports(site: Site, ledger: Ledger) -> Iterator[Count]:
    promised = {e164 for numbers in ledger.imports.values() for e164 in numbers}
    here = Counter(e164 for (e164,) in site.rows("SELECT e164 FROM numbers_phonenumber WHERE e164 LIKE %s", "+1514%"))
    events = told(site, "number.imported")
    yield Count("lines of imports: the number is there", len(promised), len(promised - set(here)),
                sum(n - 1 for n in here.values()))  # fmt: skip
    yield Count("lines of imports: one entry in history", len(promised), len(promised - set(events)),
                sum(n - 1 for n in events.values()))  # fmt: skip
    ended = {str(pk): (state, done) for pk, state, done in site.rows("SELECT id, state, done FROM numbers_import")}
    short = sum(ended.get(pk) != ("done", len(numbers)) for pk, numbers in ledger.imports.items())
    yield Count("imports: the page tells what is so", len(ledger.imports), short, 0)


def of_jobs(site: Site, ledger: Ledger) -> Iterator[Count]:
    events, lost, doubled = told(site, "number.assigned"), 0, 0
    for prefix in ledger.jobs.values():
        rows = site.rows(
            "SELECT e164, customer_id IS NOT NULL FROM numbers_phonenumber WHERE e164 LIKE %s", f"+{prefix}%"
        )
        lost += sum(not (has_customer and events[e164]) for e164, has_customer in rows)
        doubled += sum(max(events[e164] - 1, 0) for e164, _has_customer in rows)
    yield Count("numbers assigned by jobs", JOB_SIZE * len(ledger.jobs), lost, doubled)
    states = {str(pk): (state, done) for pk, state, done in site.rows("SELECT id, state, done FROM numbers_job")}
    short = sum(states.get(pk) != ("done", JOB_SIZE) for pk in ledger.jobs)
    yield Count("jobs: the page tells what is so", len(ledger.jobs), short, 0)


def of_calls(site: Site, ledger: Ledger) -> Iterator[Count]:
    promised = Counter(number for number, _at in ledger.calls.values())
    kept = Counter(dict(site.rows(
        "SELECT coalesce(n.e164, ''), count(*) FROM numbers_callevent e"
        " LEFT JOIN numbers_phonenumber n ON n.id = e.number_id GROUP BY 1"
    )))  # fmt: skip
    yield Count("calls", promised.total(), (promised - kept).total(), (kept - promised).total())
    last: dict[str, int] = {}
    for number, at in ledger.calls.values():
        last[number] = max(at, last.get(number, 0))
    here = dict(site.rows(
        "SELECT e164, floor(extract(epoch FROM last_call_at))::bigint FROM numbers_phonenumber"
        " WHERE last_call_at IS NOT NULL"
    ))  # fmt: skip
    yield Count("numbers: the last call is exact", len(last), sum(here.get(e164) != at for e164, at in last.items()), 0)


def of_orders(site: Site, ledger: Ledger) -> Iterator[Count]:
    states = {str(pk): state for pk, state in site.rows("SELECT id, state FROM numbers_order")}
    short = sum(states.get(pk) != "done" for pk in ledger.orders)
    yield Count("orders", len(ledger.orders), short, len(ledger.orders) - len(set(ledger.orders)))
    bought = Counter(one["customer_reference"] for one in site.carrier.orders.values())
    sent = {str(key) for (key,) in site.rows("SELECT key FROM numbers_carrierorder WHERE state = 'ended'")}
    yield Count("orders at the carrier", len(bought), len(set(bought) - sent), sum(n - 1 for n in bought.values()))
    # What the carrier has sold is here, and nothing else is.
    sold = {
        e164
        for one in site.carrier.orders.values()
        for row in [site.carrier.shown(one)]
        for e164, state in ((line["phone_number"], line["status"]) for line in row["phone_numbers"])
        if state == "success"
    }
    here = {
        e164
        for (e164,) in site.rows(
            "SELECT e164 FROM numbers_phonenumber n JOIN numbers_provider p ON p.id = n.provider_id WHERE p.name = %s",
            CARRIER,
        )
    }
    yield Count("numbers bought", len(sold), len(sold - here), len(here - sold))
    mails = Counter(site.mailbox.bodies)
    ended = sum(state == "done" for state in states.values())
    yield Count("mails about orders", ended, max(ended - len(mails), 0), sum(n - 1 for n in mails.values()))
