PORT ?= 8501
PYTHON ?= python3
BIN := .venv/bin
TOOLS := .venv/tools/bin
PEER := .venv/mlflow/bin
SUPPORTED = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "paiview needs Python 3.11 or newer; this is " + sys.version.split()[0])'
PIP := -m pip --disable-pip-version-check install --quiet

# `make lock` takes the newest version of every package. UPGRADE= keeps the pins and only follows changes of the .in
# files; UPGRADE="--upgrade-package NAME" moves one package. All Python versions get the same pins, as they were tested.
UPGRADE ?= --upgrade
COMPILE = $(TOOLS)/uv pip compile --quiet --universal --python-version 3.11 --python $(TOOLS)/python --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --custom-compile-command "make lock" $(UPGRADE)

.PHONY: run test test-cluster check bench bench-check screenshots reliability odd-data soak attack lock audit sbom clean

run: .venv/run.stamp
	@$(BIN)/python -m paiview dashboard --port $(PORT)

test: check
	@$(BIN)/python -m tests.harness.chromium
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-cluster: .venv/dev.stamp
	@$(BIN)/python -m tests.harness.chromium
	@$(BIN)/python -m tests.cluster.packages
	@$(BIN)/python -m pytest tests/cluster

check: .venv/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# If MLflow cannot be installed, its rows say so.
bench: .venv/dev.stamp
	-@$(MAKE) --no-print-directory .venv/peer.stamp
	@$(BIN)/python -m benchmarks

# Checks the ratios to other software with a wide margin. For releases, not for CI, where they vary by a third.
bench-check: .venv/dev.stamp
	-@$(MAKE) --no-print-directory .venv/peer.stamp
	@$(BIN)/python -m benchmarks --peers

screenshots: .venv/dev.stamp
	@$(BIN)/python -m tests.harness.chromium
	@$(BIN)/python -m tests.browser.screenshots

reliability: .venv/dev.stamp
	@$(BIN)/python -m tests.faults

odd-data: .venv/dev.stamp
	@$(BIN)/python -m pytest tests/evaluation/test_odd_data.py --hypothesis-profile=long --timeout=0

soak: .venv/dev.stamp
	@$(BIN)/python -m benchmarks.soak

# Rows that need Redis or a mount say so where there is none.
attack: .venv/dev.stamp
	@$(BIN)/python -m benchmarks.attack

lock: .venv/tools.stamp
	@$(COMPILE) requirements.in requirements-shared-cache.in -o requirements.txt
	@$(COMPILE) -c requirements.txt requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) requirements-tools.in -o requirements-tools.txt
	@$(COMPILE) requirements-peer.in -o requirements-peer.txt

# Both parts always run. A new licence fails until someone has reviewed it and lists it below; so does a version that
# cannot be looked up (--strict).
LICENCES := Apache;BSD;ISC;MIT;MPL;PSF;Python Software Foundation
audit: .venv/run.stamp .venv/tools.stamp
	@code=0; \
	$(TOOLS)/pip-licenses --python $(BIN)/python --packages $$(sed -n 's/==.*//p' requirements.txt) \
		--partial-match --allow-only "$(LICENCES)" --fail-on GPL || code=1; \
	$(TOOLS)/pip-audit --strict --disable-pip --progress-spinner off \
		-r requirements.txt -r requirements-dev.txt -r requirements-tools.txt || code=1; \
	exit $$code

# What the running dashboard consists of, as CycloneDX JSON.
sbom: .venv/tools.stamp
	@mkdir -p build
	@$(TOOLS)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible \
		--output-file build/sbom.json requirements.txt

clean:
	rm -rf .venv build

.venv/run.stamp: requirements.txt
	@$(SUPPORTED)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP) -r requirements.txt
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.txt
	@$(BIN)/python $(PIP) -r requirements-dev.txt
	@touch $@

.venv/tools.stamp: requirements-tools.txt
	@$(SUPPORTED)
	@test -x $(TOOLS)/python || $(PYTHON) -m venv .venv/tools
	@$(TOOLS)/python $(PIP) -r requirements-tools.txt
	@touch $@

.venv/peer.stamp: requirements-peer.txt
	@$(SUPPORTED)
	@test -x $(PEER)/python || $(PYTHON) -m venv .venv/mlflow
	@$(PEER)/python $(PIP) -r requirements-peer.txt
	@touch $@
