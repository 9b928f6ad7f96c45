PORT ?= 8501
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check bench screenshots clean

run: .venv/run.stamp
	@$(BIN)/python -m paiview dashboard --port $(PORT)

test: check
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m pytest

check: .venv/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/dev.stamp
	@$(BIN)/python -m benchmarks

screenshots: .venv/dev.stamp
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m tests.browser.screenshots

clean:
	rm -rf .venv build

.venv/run.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "paiview needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
