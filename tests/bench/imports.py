"""A file of numbers, read, checked and applied, beside Django's own bulk_create and django-import-export.

python -m tests.bench.imports ours|bulk_create|import_export does one of them on an empty stock and prints as JSON what
it took. django-import-export gets a part of the rows, and is taken to be as fast with more.
"""

import csv
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from tests.bench import data, web
from tests.bench.result import Result, below, times
from tests.scratch import fresh_database

FEW = 100
#: So many rows are enough for django-import-export, which handles them one by one.
PART = 10_000
#: Areas with the digits that follow: their numbers stand in ranges of the plans, as those of carriers do.
AREAS = {"1514": 7, "1416": 7, "1604": 7, "44207": 7, "4930": 7, "331": 8, "3906": 8, "6129": 7}


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    more = {"DJANGO_SETTINGS_MODULE": web.SETTINGS, "BENCH_NUMBERS": str(numbers)}
    taken = {}
    for party in PARTIES:
        address = data.portal_of(ours, FEW)
        fresh_database(address, f"bench_import_{party}")
        empty = data.sibling(address, f"bench_import_{party}")
        data.run(["manage.py", "migrate", "--verbosity", "0"], empty)
        data.run(["manage.py", "demo_data", "--numbers", str(FEW)], empty)
        taken[party] = json.loads(data.run(["-m", "tests.bench.imports", party], empty, more))
        data.drop(empty)
    mine, peer, other = taken["ours"], taken["bulk_create"], taken["import_export"]
    if mine["numbers"] != peer["numbers"] or other["numbers"] != min(numbers, PART) + FEW:
        raise RuntimeError(
            f"so many numbers came of the file: {[(name, one['numbers']) for name, one in taken.items()]}"
        )
    rows = other["applied"] * numbers / min(numbers, PART)
    whole = mine["kept"] + mine["checked"] + mine["applied"]
    yield times("import: applied, bulk_create of the rows", mine["applied"] * 1000, peer["applied"] * 1000, 2)
    yield times("import: applied, django-import-export", mine["applied"] * 1000, rows * 1000, 40)
    yield times("import: read, checked and applied, bulk_create of the rows", whole * 1000, peer["applied"] * 1000, 1)
    yield below("import: validation, of the whole", 100 * mine["validated"] / whole, 15, "%")
    yield below("import: memory", mine["memory"], 40, "MB", sign="+")


def lines(numbers: int) -> Iterator[str]:
    """Numbers of several countries, each once."""
    areas = list(AREAS.items())
    for i in range(numbers):
        area, length = areas[i % len(areas)]
        tenth = 10 ** (length - 1)
        yield f"+{area}{2 * tenth + (i // len(areas)) * 7 % (8 * tenth)}"


def memory() -> float:
    """The most that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ours(numbers: int) -> dict:
    from accounts.actor import Actor  # noqa: PLC0415 - only where the portal's settings are
    from accounts.models import Person  # noqa: PLC0415
    from accounts.scope import scope  # noqa: PLC0415
    from numbers import imports as files  # noqa: PLC0415
    from numbers.actions import imports  # noqa: PLC0415
    from numbers.models import Provider  # noqa: PLC0415
    from portal import phones  # noqa: PLC0415

    actor = Actor.at_home(Person.objects.select_related("account").get(email="var@alpha.example"))
    provider = Provider.objects.first()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "numbers.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["Number", "Label"])
            writer.writerows([number, ""] for number in lines(numbers))
        before, start = memory(), time.perf_counter()
        with path.open("rb") as file, files.read(file, {}) as found, scope(actor.account):
            facts = {"columns": found.columns, "provider": provider, "file_name": "numbers.csv"}
            wanted = imports.begin_import(actor, uuid4(), found.rows, **facts)
        kept = time.perf_counter() - start
        start = time.perf_counter()
        go_on(actor.account, wanted.pk)
        checked = time.perf_counter() - start
        with scope(actor.account):
            imports.apply_import(actor, wanted.pk, all_or_nothing=False)
        start = time.perf_counter()
        go_on(actor.account, wanted.pk)
        applied, most = time.perf_counter() - start, memory()
    start = time.perf_counter()
    for number in lines(numbers):
        phones.from_cell(number)
    validated = time.perf_counter() - start
    return {"kept": kept, "checked": checked, "applied": applied, "validated": validated, "memory": most - before}


def go_on(account, import_id: int) -> None:
    """What the worker does."""
    from accounts.scope import scope  # noqa: PLC0415
    from numbers.actions import imports  # noqa: PLC0415

    more = True
    while more:
        with scope(account):
            more = imports.take_up(account, import_id)


def bulk_create(numbers: int) -> dict:
    from accounts.models import Account  # noqa: PLC0415
    from numbers.models import PhoneNumber, Provider  # noqa: PLC0415
    from portal.database.owner import as_owner  # noqa: PLC0415

    with as_owner():
        var, provider = Account.unscoped.get(code="V1001"), Provider.objects.first()
        start = time.perf_counter()
        rows = (PhoneNumber(e164=number, var=var, provider=provider) for number in lines(numbers))
        PhoneNumber.unscoped.bulk_create(rows, batch_size=5_000, ignore_conflicts=True)
        return {"applied": time.perf_counter() - start}


def import_export(numbers: int) -> dict:
    import tablib  # noqa: PLC0415
    from import_export.resources import modelresource_factory  # noqa: PLC0415

    from accounts.models import Account  # noqa: PLC0415
    from numbers.models import PhoneNumber, Provider  # noqa: PLC0415
    from portal.database.owner import as_owner  # noqa: PLC0415

    PhoneNumber.objects = PhoneNumber.unscoped  # it looks for nothing else
    meta = {"fields": ("e164", "var", "provider"), "import_id_fields": ("e164",)}
    resource = modelresource_factory(PhoneNumber, meta_options=meta)()
    with as_owner():
        var, provider = Account.unscoped.get(code="V1001"), Provider.objects.first()
        data = tablib.Dataset(
            *((number, var.pk, provider.pk) for number in lines(min(numbers, PART))),
            headers=["e164", "var", "provider"],
        )
        Account.objects = Account.unscoped
        start = time.perf_counter()
        done = resource.import_data(data, raise_errors=True)
        taken = time.perf_counter() - start
    if done.has_errors() or done.has_validation_errors():
        raise RuntimeError("django-import-export could not import the rows")
    return {"applied": taken}


PARTIES = {"ours": ours, "bulk_create": bulk_create, "import_export": import_export}


def main(party: str) -> None:
    import django  # noqa: PLC0415

    django.setup()
    from numbers.models import PhoneNumber  # noqa: PLC0415
    from portal.database.owner import as_owner  # noqa: PLC0415

    taken = PARTIES[party](int(os.environ["BENCH_NUMBERS"]))
    with as_owner():
        taken["numbers"] = PhoneNumber.unscoped.count()
    sys.stdout.write(json.dumps(taken))


if __name__ == "__main__":
    main(sys.argv[1])
