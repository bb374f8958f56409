"""Install a release on a clean machine by the documentation's own commands, use it, back it up, restore and upgrade it.

``python -m tests.production FIRST.tar.gz SECOND.tar.gz``; ``SUITE=trixie`` takes another Debian than 12. A block of the
documentation that begins with ```` ```sh ```` has commands to run as they stand; the values of install.md's first block
are ours.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.production.machine import Machine, machine

ROOT = Path(__file__).resolve().parents[2]
#: The release of Debian.
SUITE = os.environ.get("SUITE", "bookworm")
OURS = {
    "NAME": "portal.example.com", "OPERATOR": "Northern Telephone", "ADMIN": "admin@example.com",
    "MAIL": "smtp://127.0.0.1:25", "RELEASE": "/root/release.tar.gz",
}  # fmt: skip
BLOCK = re.compile(r"^## (?P<heading>[^\n]+)$|^```sh\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str]]:
    """The commands of a page of docs/, by heading."""
    heading, found = "", []
    for match in BLOCK.finditer((ROOT / "docs" / page).read_text()):
        heading = match["heading"] or heading
        if match["code"]:
            found.append((heading, match["code"]))
    return found


def with_ours(code: str) -> str:
    """The block of values, with ours."""
    names = re.findall(r"^export (\w+)=", code, re.MULTILINE)
    if set(names) != set(OURS):
        raise SystemExit(f"docs/install.md asks for other values than are known here: {names}")
    return "".join(f"export {name}='{value}'\n" for name, value in OURS.items())


class Log:
    """Each step with the seconds that it took."""

    def __init__(self):
        self.began = time.monotonic()

    def step(self, text: str, run, *arguments) -> str:
        began = time.monotonic()
        said = run(*arguments)
        now = time.monotonic()
        print(f"{now - self.began:6.1f} s  {text} ({now - began:.1f} s)", flush=True)  # noqa: T201
        return said


def install(debian: Machine, log: Log) -> tuple[str, list]:
    """What is done before the machine has a network of its own; the values, and what is left to do."""
    (_values, values), *rest = blocks("install.md")
    values = with_ours(values)
    last = max(place for place, (_heading, code) in enumerate(rest) if re.search("apt-get|pip install", code))
    for heading, code in rest[: last + 1]:
        log.step(f"install.md {heading}", debian.install, values + code)
    return values, rest[last + 1 :]


def run_page(debian: Machine, log: Log, page: str, values: str) -> str:
    """All commands of a page, in one shell."""
    return log.step(page, debian.run, values + "\n".join(code for _heading, code in blocks(page)))


def main(first: str, second: str) -> None:
    log = Log()
    with machine(ROOT / "var" / "production-test" / f"{SUITE}.tar", SUITE) as debian:
        shutil.copy(first, debian.root / "root" / "release.tar.gz")
        shutil.copy(second, debian.root / "root" / "phone-numbers-portal-next.tar.gz")
        shutil.copy("/etc/resolv.conf", debian.root / "etc" / "resolv.conf")
        values, rest = install(debian, log)
        # The next version's libraries need the network too.
        (upgrade,) = [code for _heading, code in blocks("upgrading.md") if "pip install" in code]
        log.step("upgrading.md, laid beside", debian.install, values + upgrade)
        with debian.booted():
            log.step("the machine is up", debian.run, "systemctl is-active postgresql")
            said = ""
            for heading, code in rest:
                said += log.step(f"install.md {heading}", debian.run, values + code)
            link = re.search(r"https://\S+/password/reset/key/\S+", said)[0]
            certificate = str(debian.root / "etc/ssl/portal.pem")
            walk = [*debian.network(), sys.executable, "-m", "tests.production.walk", link, certificate]
            log.step("first steps", lambda: subprocess.run(walk, cwd=ROOT, check=True))  # noqa: S603
            for unit in ("portal-web", "portal-worker"):
                exposure = debian.run(f"systemd-analyze security --no-pager {unit} | tail -1")
                print(f"           {unit}: {exposure.strip().lstrip('→ ')}")  # noqa: T201
            look(debian, "the portal", 5432)
            run_page(debian, log, "backup.md", values)
            look(debian, "restored", 5433)
            look(debian, "recovered", 5434)
            others = [code for _heading, code in blocks("upgrading.md") if code != upgrade]
            log.step("upgrading.md", debian.run, values + "\n".join(others))
            version = debian.run("cat /opt/portal/app/RELEASE").strip()
            if version not in second:
                raise SystemExit(f"after the upgrade the version is {version}")
            look(debian, "upgraded", 5432)
    print("production-test passed")  # noqa: T201


def look(debian: Machine, what: str, port: int) -> None:
    """See that the data of the first steps are in a database."""
    ask = "SELECT (SELECT count(*) FROM numbers_phonenumber), (SELECT count(*) FROM accounts_account)"
    said = debian.run(f"runuser -u postgres -- psql --port {port} --dbname portal --tuples-only --csv -c '{ask}'")
    if said.strip() != "100,3":
        raise SystemExit(f"{what}: {said}")


if __name__ == "__main__":
    main(*sys.argv[1:])
