"""Do to the portal what happens to it in production, while people work; exit status 1 when a promise is broken.

python -m tests.chaos [WORD ...] does all faults, or those with one of these words in their name.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import Counter

from portal.embedded import CannotStart
from tests.chaos.counts import Count, counted, is_open
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.people import Buyer, Importer, Ledger, Reader, Switch, Worker
from tests.chaos.site import Site

#: Without a hand, all of it is well again within so long.
WELL_SECONDS = 90
#: In the end, everything that was begun is over within so long.
DRAIN_SECONDS = 180
QUIET_SECONDS = 3
#: "Try again" is said so often to one person, at most, once a fault is over.
MOST_TRIES = 1


def main(words: list[str]) -> int:
    faults = [fault for fault in FAULTS if not words or any(word in fault.name for word in words)]
    if not faults:
        sys.exit(f"No fault has {' or '.join(words)} in its name: {', '.join(fault.name for fault in FAULTS)}.")
    # Ended from outside, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("The run was ended."))
    site, ledger, began = Site(), Ledger(), time.monotonic()
    try:
        with site.running() as facts:
            stops = threading.Event()
            load = people(site, facts, ledger, stops)
            for one in load:
                one.thread.start()
            time.sleep(2 * QUIET_SECONDS)
            say(line("fault", "served after", "works after", "tries in it", "after it", ""))
            broken = sum([not tried(site, ledger, load, fault) for fault in faults])
            stops.set()
            for one in load:
                one.thread.join(120)
            left = drained(site)
            say("", line("promise", "promised", "lost", "doubled", ""))
            for count in counted(site, ledger):
                broken += not shown(count)
    except CannotStart as error:
        sys.exit(str(error))
    for surprise, times in Counter(ledger.surprises).items():
        say(f"unexpected, {times} times: {surprise}")
    for what, many in left.items():
        say(f"not over after {DRAIN_SECONDS} s: {many} {what}")
    broken += len(ledger.surprises) + len(left)
    say("", f"{broken} promises broken, {len(faults)} faults, {time.monotonic() - began:.0f} s; log: {site.log}")
    return 1 if broken else 0


def people(site: Site, facts: dict, ledger: Ledger, stops: threading.Event) -> list[Worker]:
    var, customer, cookies = facts["var"], facts["customer"], facts["cookies"]

    def of(name: str) -> tuple:
        return name, site.port, ledger, stops

    return [
        Reader(*of("operator"), cookie=cookies["operator"], path="/SYS/numbers/?number=514555"),
        Reader(*of("reseller"), cookie=cookies["reseller"], path=f"/{var}/numbers/?filter=available"),
        Reader(*of("customer"), cookie=cookies["buyer"], path=f"/{customer}/numbers/"),
        Importer(*of("importer"), cookie=cookies["importer"], facts_of=facts),
        Buyer(*of("buyer"), cookie=cookies["buyer"], customer=customer),
        Switch(*of("switch"), token=facts["token"]),
    ]


def tried(site: Site, ledger: Ledger, load: list[Worker], fault: Fault) -> bool:
    """Have the fault happen and show what came of it; whether it was borne."""
    begun = time.monotonic()
    with fault.act(site):
        time.sleep(fault.seconds)
    over = time.monotonic()
    # The workers are known to be there by what is in the database for a minute: work has to go on as well.
    start = progress_of(site)
    until, served_after, works_after = over + WELL_SECONDS, None, None
    while (served_after is None or works_after is None) and time.monotonic() < until:
        time.sleep(0.25)
        served = {who for who, at in list(ledger.served) if at > over}
        if served_after is None and site.is_well() and served == {one.name for one in load}:
            served_after = time.monotonic() - over
        if works_after is None and progress_of(site) > start:
            works_after = time.monotonic() - over
    tries = [(who, at) for who, at, _outcome in list(ledger.tries) if at >= begun]
    within, after = (Counter(who for who, at in tries if (at > over) == later) for later in (False, True))
    if fault.seconds == 0:  # it has no length: whoever was told so was told so by it
        within, after = Counter(), within + after
    most = max(after.values(), default=0)
    ok = served_after is not None and works_after is not None and most <= MOST_TRIES
    told = ["not" if seconds is None else f"{seconds:.1f} s" for seconds in (served_after, works_after)]
    in_it = f"{max(within.values(), default=0)} a person" if within else ""
    say(line(fault.name, *told, in_it, f"{most} a person" if after else "", "ok" if ok else "BROKEN"))
    time.sleep(QUIET_SECONDS)
    return ok


def progress_of(site: Site) -> int:
    """How much large work is done in all."""
    ((done,),) = site.rows(
        "SELECT coalesce((SELECT sum(done + checked_to + last_line) FROM numbers_import), 0)"
        " + coalesce((SELECT sum(done) FROM numbers_job), 0)"
    )
    return done


def drained(site: Site) -> dict[str, int]:
    """Wait until everything is over; what is not."""
    until = time.monotonic() + DRAIN_SECONDS
    while (left := is_open(site)) and time.monotonic() < until:
        time.sleep(1)
    return left


def shown(count: Count) -> bool:
    # Mail is sent at least once: a worker that is killed between the answer of the mail server and its own commit sends
    # it again.
    ok = not count.lost and (not count.doubled or count.what.startswith("mails"))
    say(line(count.what, f"{count.promised:,}", f"{count.lost:,}", f"{count.doubled:,}", "ok" if ok else "BROKEN"))
    return ok


def line(what: str, *cells: str) -> str:
    return (f"{what:46}" + "".join(f"{cell:>13}" for cell in cells)).rstrip()


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{text}\n" for text in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
