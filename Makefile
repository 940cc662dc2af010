# Two commands for a newcomer: `make demo` and `make test`. Each installs what is missing.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: demo test check format browser clean

demo: $(INSTALLED)
	$(BIN)/maskwatch up --demo

test: check browser
	$(BIN)/pytest

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@folder=$$(mktemp -d) && export MASKWATCH_DATABASE_URL="sqlite:///$$folder/check.db" && \
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

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Maskwatch needs Python 3.11 or newer: set PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(INSTALLED)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
