"""``make mutants``: take one guard away at a time and run the tests that should see it, two at once.

Each runs in a copy of the tree of its own, on a database that is a copy of one that has been migrated. Ends with
*mutants killed / made*, and in failure when one has survived. ``python -m tests.mutants WORD...`` runs those alone
whose names have one of the words in them. Which test saw a guard's removal is remembered, and asked first next time.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import Queue
from threading import Lock

import psycopg
import pytest

from tests import database as test_database
from tests.mutants import database, source
from tests.mutants.source import ROOT, Mutant
from tests.scratch import drop_database, fresh_database

AT_ONCE = 2
COPIED = ["accounts", "numbers", "portal", "webphone", "templates", "tests", "docs", "manage.py", "pyproject.toml"]
LINKED = ["static", ".venv", "README.md", "Makefile", "package-lock.json", ".env.example"]
TEMPLATE = "mutants_template"
WALLS_DOWN = "ALTER TABLE {} DISABLE ROW LEVEL SECURITY"
#: The name of a guard's removal -> the test that saw it.
SEEN = ROOT / "var" / "mutants.json"
#: Tests that take longer have seen nothing.
LIMIT_SECONDS = 1800
#: So many tests that have seen other guards of a module are asked first.
LIKELY = 3
#: A template may be copied by one at a time.
COPYING = Lock()


def main(words: list[str]) -> int:
    began = time.monotonic()
    owner = os.environ["MIGRATION_DATABASE_URL"]
    # Every copy of the tree signs its scopes as the one does that has made the database.
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(50)
    with tempfile.TemporaryDirectory() as folder:
        places: Queue[Place] = Queue()
        every = [Place(Path(folder) / str(turn), f"mutants_{turn}", owner) for turn in range(AT_ONCE)]
        try:
            every[0].migrate()
            for place in every:
                places.put(place)
            with psycopg.connect(address(owner, TEMPLATE)) as session:
                every_one = [*source.mutants(), *database.mutants(session)]
                walled = [t for (t,) in session.execute("SELECT relname FROM pg_class WHERE relrowsecurity")]
            made = [mutant for mutant in every_one if not mutant.equal]
            made = [mutant for mutant in made if not words or any(word in mutant.name for word in words)]
            seen = json.loads(SEEN.read_text()) if SEEN.exists() else {}
            # What has seen the guards of a module will see others of it.
            of_module: defaultdict[str, Counter[str]] = defaultdict(Counter)

            def run(mutant: Mutant) -> tuple[Mutant, bool, str]:
                place, likely = places.get(), []
                if known := seen.get(unplaced(mutant.name)):
                    likely = [known]
                elif mutant.path:
                    likely = [test for test, _times in of_module[mutant.path].most_common(LIKELY)]
                try:
                    return mutant, *place.kills(mutant, walled, likely)
                finally:
                    places.put(place)

            # Tests that are red without any mutant would kill everything.
            sound = [
                Mutant(f"nothing removed: {test}{', walls down' if down else ''}", [test], walls_down=down)
                for test, down in sorted({(test, mutant.walls_down) for mutant in made for test in mutant.tests})
            ]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                for mutant, killed, said in pool.map(run, sound):
                    if killed:
                        print(f"{mutant.name}: red as it is\n{said}")  # noqa: T201
                        return 2
                survivors = []
                try:
                    for done in as_completed([pool.submit(run, mutant) for mutant in made]):
                        mutant, killed, said = done.result()
                        print(f"{'killed  ' if killed else 'SURVIVED'} {mutant.name}  {said}", flush=True)  # noqa: T201
                        if not killed:
                            survivors.append(mutant.name)
                        elif test := re.match(r"FAILED (tests/[^\s\[]+)", said):
                            seen[unplaced(mutant.name)] = test[1]
                            of_module[mutant.path][test[1]] += 1
                            SEEN.write_text(json.dumps(seen, indent=1))
                finally:
                    pool.shutdown(cancel_futures=True)
        finally:
            for place in every:
                drop_database(owner, place.name)
    print(f"\nmutants killed / made: {len(made) - len(survivors)} / {len(made)}")  # noqa: T201
    print(f"not counted, since nothing could be seen of them: {sum(bool(mutant.equal) for mutant in every_one)}")  # noqa: T201
    print(f"in {(time.monotonic() - began) / 60:.0f} minutes")  # noqa: T201
    for name in survivors:
        print(f"  survived: {name}")  # noqa: T201
    return 1 if survivors else 0


def unplaced(name: str) -> str:
    """The name of a mutant without the line that it is in, which moves."""
    return re.sub(r":[0-9]+ ", " ", name)


def address(owner: str, name: str) -> str:
    return f"{owner.rpartition('/')[0]}/{name}"


class Place:
    """A copy of the tree, and a database of its own."""

    def __init__(self, folder: Path, name: str, owner: str):
        self.folder, self.name, self.owner = folder, name, owner
        folder.mkdir()
        for entry in COPIED:
            if (ROOT / entry).is_dir():
                shutil.copytree(ROOT / entry, folder / entry, ignore=shutil.ignore_patterns("__pycache__", "bench"))
            else:
                shutil.copy(ROOT / entry, folder / entry)
        for entry in LINKED:
            (folder / entry).symlink_to(ROOT / entry)

    def pytest(self, tests: list[str], name: str, sql: str = "", *options: str) -> subprocess.CompletedProcess:
        environment = os.environ | {"TESTS_DATABASE": name, "TESTS_SQL": sql}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        there = [test for test in tests if (self.folder / test.partition("::")[0]).exists()]
        return subprocess.run(  # noqa: S603
            [sys.executable, "-m", "pytest", "-x", "-q", "--show-capture=no", "--durations=0", "--tb=line", "-p",
             "no:cacheprovider", *options, *there],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False,
        )  # fmt: skip

    def migrate(self) -> None:
        """Make the database that the others are copies of."""
        drop_database(self.owner, TEMPLATE)
        done = self.pytest(["tests/access/test_constraints.py"], TEMPLATE, "", "--reuse-db", "--create-db")
        if done.returncode:
            raise SystemExit(f"The tests of constraints are red as they are:\n{done.stdout[-3000:]}")

    def kills(self, mutant: Mutant, walled: list[str], likely: list[str]) -> tuple[bool, str]:
        """Whether a test turns red without the guard, and what it said; the likely ones are asked first."""
        status, said = self.tried(mutant, walled, [*likely, *mutant.tests])
        if status == pytest.ExitCode.USAGE_ERROR and likely:  # one that was remembered has another name by now
            status, said = self.tried(mutant, walled, mutant.tests)
        return status not in (None, pytest.ExitCode.OK), said

    def tried(self, mutant: Mutant, walled: list[str], tests: list[str]) -> tuple[int | None, str]:
        """How tests ended without the guard, None where they do not end, and what they said."""
        file, kept = self.folder / (mutant.path or "manage.py"), None
        statements = [mutant.sql] if mutant.sql else []
        if mutant.walls_down:
            statements += [WALLS_DOWN.format(table) for table in walled]
        with COPYING:
            fresh_database(self.owner, self.name, TEMPLATE)
        try:
            if mutant.path:
                kept = file.read_text()
                file.write_text(mutant.text)
                for compiled in file.parent.glob(f"__pycache__/{file.stem}.*"):
                    compiled.unlink()
            done = self.pytest(tests, self.name, ";;".join(statements), "--reuse-db")
        except subprocess.TimeoutExpired:
            return None, "does not end"
        finally:
            if kept is not None:
                file.write_text(kept)
                for compiled in file.parent.glob(f"__pycache__/{file.stem}.*"):
                    compiled.unlink()
        lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return done.returncode, lines[0][:250] if lines else done.stdout[-200:].replace("\n", " ")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    finally:
        test_database.SERVER.stop()
