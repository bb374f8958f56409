"""The pages and files with which the portal is installed agree with each other and with the code."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.production.__main__ import OURS, blocks, with_ours

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["install.md", "backup.md", "upgrading.md"]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def settings_known():
    """Every name that the settings read from the environment."""
    read = r'env\.?\w*\(\s*"([A-Z_]+)"'
    files = [ROOT / "portal" / "settings.py", *(ROOT / "portal" / "management" / "commands").glob("*.py")]
    names = {name for file in files for name in re.findall(read, file.read_text())}
    return names | set(re.findall(r'environ(?:\.get)?[([]"([A-Z_]+)"', "".join(file.read_text() for file in files)))


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_portal_that_pages_name_exist(page):
    text = (ROOT / "docs" / page).read_text()
    named = set(re.findall(r"(?:^|`|\s)portal ([a-z_]+)", "\n".join(code for _heading, code in blocks(page))))
    named |= set(re.findall(r"`(?:portal|manage\.py) ([a-z_]+)", text))
    assert named
    assert named <= set(get_commands())


def test_the_values_of_the_first_block_are_those_that_the_test_sets():
    (_heading, code), *_rest = blocks("install.md")
    assert with_ours(code).count("export ") == len(OURS)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_shell_that_can_be_read(page):
    assert blocks(page)
    for _heading, code in blocks(page):
        done = subprocess.run(["/bin/bash", "-n"], input=code, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_example_names_settings_that_there_are():
    text = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE))
    assert {"SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "EMAIL_URL", "DEFAULT_FROM_EMAIL"} <= named
    assert named - settings_known() == set()


def test_the_settings_that_the_page_writes_are_settings_that_there_are():
    code = "\n".join(code for _heading, code in blocks("install.md"))
    written = set(re.findall(r"^([A-Z_]+)='?[^\n]*$", code.partition("<<END")[2].partition("END")[0], re.MULTILINE))
    assert "SECRET_KEY" in written
    assert written - settings_known() == set()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_start_commands_that_there_are_as_a_user_of_their_own(unit):
    text = unit.read_text()
    (started,) = re.findall(r"^ExecStart=/opt/portal/venv/bin/python manage\.py (\w+)", text, re.MULTILINE)
    assert started in get_commands()
    for line in ("User=portal", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="):
        assert line in text.splitlines()


def test_a_container_reads_secrets_from_files(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x\n")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, str(DEPLOY / "entry.py"), "serve"]

    def said(**settings):
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, env=kept | settings, capture_output=True, text=True, check=False
        )
        assert done.returncode
        return done.stderr

    assert "SECRET_KEY:" in said()
    assert "SECRET_KEY:" not in said(SECRET_KEY_FILE=str(secret))
    assert "No such file" in said(SECRET_KEY_FILE=f"{secret}.gone")


def test_no_library_of_development_is_in_the_release():
    locked = (ROOT / "requirements.txt").read_text()
    assert "django==" in locked.lower()
    assert not re.search(r"^(pixeltable|pytest|playwright|nodejs)", locked, re.MULTILINE)
