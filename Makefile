# Two commands for a newcomer: `make demo` and `make test`. Each installs what is missing.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
GRADIO := .venv-gradio

# One process more than there are cores, four at most: a quarter of their time they wait, for pages,
# servers and intervals. Each keeps to one thread, or they would take each other's cores, and each
# takes whole files in their order: what a module shares is made once.
WORKERS := $(shell cores=$$(nproc); echo $$((cores < 4 ? cores + 1 : 4)))
SUITE := OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) \
  --dist loadfile --no-loadscope-reorder --durations 25

# Tests start hundreds of processes; each would compile all that it imports if nothing were kept.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test check quick format browser programs gradio bench-install clean

demo: $(INSTALLED)
	$(BIN)/maskwatch up --demo

# Types are checked beside the tests: what mypy says comes when the tests have ended.
test: quick browser programs gradio
	@report=$$(mktemp); $(BIN)/mypy >"$$report" 2>&1 & types=$$!; trap "kill $$types" INT TERM; \
	  $(SUITE); tests=$$?; \
	  wait $$types; types=$$?; echo "mypy: $$(cat "$$report")"; rm "$$report"; \
	  test $$tests = 0 || echo "The tests failed (pytest ended with $$tests)."; \
	  test $$types = 0 || echo "The types are wrong (mypy ended with $$types)."; \
	  exit $$((tests || types))

check: quick
	$(BIN)/mypy

quick: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	@folder=$$(mktemp -d) && export MASKWATCH_VAR_DIR="$$folder" && \
	  $(BIN)/alembic upgrade head && $(BIN)/alembic check; status=$$?; rm -r "$$folder"; exit $$status

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The end-to-end tests open the dashboard in a real browser; without one they are skipped, by name.
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; \
	  else \
	    echo "Chromium is not installed: the browser tests will be skipped. Install it with your package manager."; \
	  fi; }

# Some tests need a real PgBouncer or nginx, or step a process's clock; without them they are skipped,
# by name.
programs:
	@{ PATH="$$PATH:/usr/sbin" command -v pgbouncer && command -v nginx && command -v faketime; } >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends pgbouncer nginx faketime; \
	  else \
	    echo "PgBouncer, nginx or faketime is not installed: some tests will be skipped. Install them with your package manager."; \
	  fi; }

# A real Gradio is attached in tests. It asks for an older Pillow than we do, so it gets an environment
# of its own (about 370 MB); without it these tests are skipped, by name.
gradio:
	@test $(GRADIO)/installed -nt tests/gradio-requirements.txt || { \
	  $(PYTHON) -m venv $(GRADIO) && \
	  $(GRADIO)/bin/pip install --quiet --requirement tests/gradio-requirements.txt && \
	  touch $(GRADIO)/installed; \
	} || echo "Gradio could not be installed: its tests will be skipped. \`make gradio\` tries again."

# Peers of `python -m bench`. One of them asks for visdom, whose build needs an older setuptools: pip
# before 25.3 takes that from the first variable, later ones take it from the second.
bench-install: $(INSTALLED)
	PIP_CONSTRAINT=bench/build-constraints.txt PIP_BUILD_CONSTRAINT=bench/build-constraints.txt \
	  $(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Maskwatch needs Python 3.11 or newer: set PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(INSTALLED)

clean:
	rm -rf .venv $(GRADIO) .mypy_cache .ruff_cache .pytest_cache .hypothesis
