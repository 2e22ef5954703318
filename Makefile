# `make demo` and `make test` do all the set-up by themselves; a second call is instant.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

DEMO_PACKAGES := python3 python3-venv git make openssh-client softhsm2 opensc opensc-pkcs11 pcscd vsmartcard-vpcd iproute2
TEST_PACKAGES := $(DEMO_PACKAGES) openssl openssh-server sudo busybox tcsh util-linux mount gcc libc6-dev libpcsclite1 procps tmux p11-kit p11-kit-modules docker.io \
	debootstrap golang-go golang-github-smallstep-certificates-dev libpcsclite-dev pkg-config nodejs npm

PYTEST := $(BIN)/pytest -n 2

.PHONY: help demo full test explore campaign check lint lock clean demo-packages test-packages

help:
	@echo "make demo      the rehearsal: full screen with a terminal, headless without one"
	@echo "make full      the whole cutover on a Docker engine and a real CA, headless (as root)"
	@echo "make test      the test suite"
	@echo "make explore   the property-based tests with many new random examples"
	@echo "make campaign  every fault at every APDU of stage A, on software cards (most of an hour)"
	@echo "make check     lint, format, types and import contracts"
	@echo "make lock      pin the requirements anew, with hashes"
	@echo "make clean     remove the virtual environment and caches"

demo: $(VENV)/runtime.stamp
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/runbook rehearse; else exec $(BIN)/runbook rehearse --headless; fi

full: $(VENV)/runtime.stamp | test-packages
	$(BIN)/runbook rehearse --full --headless

test: $(VENV)/dev.stamp $(VENV)/npm.stamp
	$(PYTEST) --cache-clear || .ci/again $(BIN)/pytest $$?

explore: $(VENV)/dev.stamp $(VENV)/npm.stamp
	EXPLORE=1 $(PYTEST) -m hypothesis

campaign: $(VENV)/dev.stamp
	$(BIN)/python -m tests.campaign

check: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

demo-packages:
	@.ci/system-packages $(DEMO_PACKAGES)

test-packages:
	@.ci/system-packages $(TEST_PACKAGES)

# The packages are looked at every time (that costs milliseconds): they may have gone since.
$(VENV)/python.stamp: | demo-packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, and $$($(PYTHON) --version) was found. Try: make PYTHON=python3.11" >&2; exit 4; }
	@echo "Making the virtual environment $(VENV)" >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# Everything is pinned with hashes; the project itself is installed as it stands here, without a build elsewhere.
$(VENV)/runtime.stamp: .ci/requirements.txt pyproject.toml $(VENV)/python.stamp | demo-packages
	@echo "Installing the pinned requirements" >&2
	@$(PIP) install --quiet --require-hashes --requirement .ci/requirements.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: .ci/requirements-dev.txt $(VENV)/runtime.stamp | test-packages
	@echo "Installing the pinned requirements of the tests" >&2
	@$(PIP) install --quiet --require-hashes --requirement .ci/requirements-dev.txt
	@touch $@

# The language server that the editors' tests speak to; no package's own script is run.
$(VENV)/npm.stamp: .ci/npm/package.json .ci/npm/package-lock.json $(VENV)/python.stamp | test-packages
	@echo "Installing the pinned npm packages of the tests" >&2
	@mkdir -p $(VENV)/npm
	@cp .ci/npm/package.json .ci/npm/package-lock.json $(VENV)/npm/
	@npm ci --prefix $(VENV)/npm --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >&2
	@touch $@

# Neither an address of an index nor a path of this machine belongs into the result.
LOCK := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --build-deps-for editable \
	--no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

lock: $(VENV)/dev.stamp
	PIP_FIND_LINKS= $(LOCK) --upgrade --extra ansible --output-file .ci/requirements.txt pyproject.toml
	PIP_FIND_LINKS= $(LOCK) --upgrade --extra dev --constraint .ci/requirements.txt \
		--output-file .ci/requirements-dev.txt pyproject.toml
	npm install --prefix .ci/npm --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved \
		--no-audit --no-fund

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
