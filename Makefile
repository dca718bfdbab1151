# The tasks of this repository; `make` alone lists them.
.SUFFIXES:
.DEFAULT_GOAL := help

VENV = .venv
PYTHON = $(VENV)/bin/python
# More than there are cores: many tests wait for a process, a clock or a lock.
JOBS ?= 3
# Each worker reads all tests and starts many processes: without kept bytecode each compiles every source anew.
KEEP_BYTECODE = PYTHONDONTWRITEBYTECODE=
UV = $(VENV)/bin/uv

.PHONY: help bundle client pictures samples setup run demo test test-rounds check bench types lock clean

help:
	@echo "make run          start the server (sets itself up; honours HOST, PORT, DATA_DIR, DATABASE_URL, DEMO)"
	@echo "make test         run the tests; PostgreSQL, Redis and Chromium are used where they are found"
	@echo "make test-rounds  tests of races and random input with all their rounds, the others on their other database"
	@echo "make check        style, types, direction of imports, migrations, secrets, drawings and tables of the documents"
	@echo "make client       build the phone's app: for browsers (client/phone/dist/build/h5) and WeChat (…/mp-weixin)"
	@echo "make pictures     photograph the phone's app into docs/pictures/ (needs Chromium)"
	@echo "make samples      print filled-in papers (PDF and Word) into docs/samples/"
	@echo "make bench        measure speed and memory; prints tables"
	@echo "make demo         load the demo without starting the server"
	@echo "make setup        install what run needs into $(VENV); the others do what they need by themselves"
	@echo "make bundle       one archive that installs and upgrades on a server without internet (MACHINE=x86_64 or aarch64)"
	@echo "make types        generate the types of client/ anew from the HTTP contract (needs Node)"
	@echo "make lock         compile requirements*.txt anew from pyproject.toml"
	@echo "make clean        remove $(VENV), caches and builds of the client; the data in var/ stays"
	@echo
	@echo "./manage --help lists what an administrator does on the command line."

setup: $(VENV)/run.stamp
	@$(PYTHON) -m assets.paper.fetch_fonts || true

# A server without an app still serves the rest, and /app/ or /desk/ says why.
run: $(VENV)/run.stamp
	@$(PYTHON) -m bundle.client_build --if-stale h5 desk || true
	@exec ./manage serve

client: $(VENV)/run.stamp
	@$(PYTHON) -m bundle.client_build h5 desk mp-weixin

pictures: $(VENV)/dev.stamp
	@$(PYTHON) -m bundle.client_build --if-stale h5 desk
	@$(PYTHON) -m tests.browser.pictures

samples: $(VENV)/dev.stamp
	@$(PYTHON) -m tests.paper_samples

demo: $(VENV)/run.stamp
	@./manage prepare

test: $(VENV)/dev.stamp
	$(KEEP_BYTECODE) TEST_ROUNDS=few $(PYTHON) -m pytest -n $(JOBS) --dist worksteal -rs $(TESTS)

# What `make test` repeats a handful of times, often: races, kills, random input. Each test on its other database.
test-rounds: $(VENV)/dev.stamp
	$(KEEP_BYTECODE) TEST_ROUNDS=all $(PYTHON) -m pytest -n $(JOBS) --dist worksteal -rs -m "rounds or only_in_rounds or other_database" $(TESTS)

check: $(VENV)/dev.stamp
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy .
	$(PYTHON) -m bundle.client_build check
	$(PYTHON) -m pytest -q tests/test_import_direction.py tests/test_no_secrets.py tests/test_documents.py
	@echo "migrations: upgrade an empty database, compare it with the tables of the code"
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && export DATA_DIR="$$folder" DATABASE_URL= && \
		./manage database upgrade && ./manage database check

bench: $(VENV)/dev.stamp
	$(PYTHON) -m bench

bundle: $(VENV)/run.stamp
	@$(PYTHON) -m bundle --machine $(or $(MACHINE),x86_64)

types: $(VENV)/run.stamp
	@cd client && { [ -d node_modules ] || CI=1 npm ci --ignore-scripts --silent; } && npm run --silent types

# What is tested is what ships: both files name one version of each package. uv comes with the development requirements. Package indexes are whatever pip is set up with; none is written down.
lock: $(VENV)/dev.stamp
	$(UV) pip compile pyproject.toml --group dev --python-version 3.11 --universal --generate-hashes --no-header \
		--no-emit-index-url --quiet --output-file requirements-dev.txt
	$(UV) pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes --no-header \
		--no-emit-index-url --quiet --constraint requirements-dev.txt --output-file requirements.txt
	cut -d ' ' -f 1 bundle/node-requirements.txt | grep == | $(UV) pip compile - --python-version 3.11 --universal \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --output-file bundle/node-requirements.txt

clean:
	rm -rf $(VENV) client/node_modules client/phone/dist client/desk/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Installed only when the file with the versions has changed since.
$(VENV)/run.stamp: requirements.txt $(PYTHON)
	@echo "Installing what the server needs (once; takes a minute)"
	@$(PYTHON) -m pip install --quiet --no-deps --require-hashes --requirement requirements.txt
	@$(PYTHON) -m pip check
	@$(PYTHON) -m assets.paper.fetch_fonts || true
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(PYTHON)
	@echo "Installing what tests and checks need (once; takes a minute)"
	@$(PYTHON) -m pip install --quiet --no-deps --require-hashes --requirement requirements-dev.txt
	@$(PYTHON) -m pip check
	@$(PYTHON) -m assets.paper.fetch_fonts || true
	@touch $@ $(VENV)/run.stamp

$(PYTHON):
	@python=; \
	for name in python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed, for example: apt-get install python3" >&2; exit 1; fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing python3-venv, which Debian keeps apart"; \
			apt-get update -qq </dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3-venv </dev/null; \
		else \
			echo "This Python cannot make virtual environments. Run:  sudo apt-get install python3-venv" >&2; exit 1; \
		fi; \
	fi; \
	$$python -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
