# Everything from a bare checkout. Paths are relative, so that a checkout below a folder with a space in it works too.
PYTHON ?= python3
RUN := .venv/bin/python
export PYTHONDONTWRITEBYTECODE = 1

.PHONY: help demo phone test chaos mutants bench docs lint format build release production-test libreoffice-test outdated clean
help:
	@echo "make demo    the portal on http://127.0.0.1:8000 with demo data (PORT=8080 for another port)"
	@echo "make phone   the same, with telephones to call: a SIP server, a carrier and more on this computer"
	@echo "make test    all tests"
	@echo "make chaos   kill, freeze and cut off what the portal needs, while people work (FAULTS=\"killed carrier\" for some)"
	@echo "make bench   measure beside the peers (NUMBERS=1000000, NUMBERS_LARGE=, GROUPS_TO_RUN=\"pages csv\", BENCH_DATABASE_URL=)"
	@echo "make mutants take one guard of access away at a time: a test has to turn red (WORDS=\"rules middleware\" for some)"
	@echo "make release          the archive that is installed in production (VERSION=)"
	@echo "make production-test  install it on a clean Debian, by the commands of the documentation; as root (SUITE=trixie)"
	@echo "make libreoffice-test export, save in LibreOffice, import again: nothing changes"
	@echo "make outdated         which dependencies have newer versions"
	@echo "make docs    write docs/roles.md from the policy"
	@echo "make format  lint, and format the code"
	@echo "make clean   remove what was built, the embedded databases included"

demo: build
	@$(RUN) manage.py demo

phone: build
	@$(RUN) manage.py phone

test: build lint
	$(RUN) manage.py makemigrations --check --dry-run
	$(RUN) -m pytest -n 2 --maxschedchunk 4

bench: build
	$(RUN) -m tests.bench $(GROUPS_TO_RUN)

chaos: build
	$(RUN) -m tests.chaos $(FAULTS)

mutants: build
	$(RUN) -m tests.mutants $(WORDS)

docs: .venv/.installed
	$(RUN) manage.py document_roles

lint: .venv/.installed
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: .venv/.installed
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

release: build
	@.ci/release

production-test: build
	.ci/production-test

libreoffice-test: build
	@office=$$(command -v soffice) || { echo "LibreOffice is missing (Debian: apt install libreoffice-calc-nogui)."; exit 1; }; \
	LIBREOFFICE=$$office $(RUN) -m pytest tests/numbers/through_libreoffice.py

outdated: .venv/.installed
	$(RUN) -m pip list --outdated --not-required --disable-pip-version-check
	@PATH="$$PATH:$$PWD/.venv/bin"; npm outdated || true

build: .venv/.installed static/dist/.built

.venv/.installed: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "Python's venv module is missing (Debian: apt install python3-venv)."; exit 1; }
	$(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

static/dist/.built: package-lock.json build.mjs $(shell find static/src -type f 2>/dev/null) | .venv/.installed
	@command -v npm >/dev/null || $(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.txt
	@PATH="$$PATH:$$PWD/.venv/bin"; npm ci --no-audit --no-fund --no-update-notifier --loglevel=error && npm run --silent build
	@touch $@

clean:
	@for link in var/postgres var/test-postgres var/bench-postgres; do if [ -L $$link ]; then rm -rf "$$(readlink $$link)"; fi; done
	rm -rf .venv node_modules static/dist var
