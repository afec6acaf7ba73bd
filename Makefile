# SPDX-License-Identifier: Apache-2.0
# The commands of a developer. "make" alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON := /usr/bin/python3
CACHE  := $(abspath $(or $(NOVA_HA_CACHE),$(HOME)/.cache/nova-ha))
TOX    := $(CACHE)/tox/bin/tox
LAB    := .tox/lab/bin/python
# What root makes under a narrow umask, the service users of the lab could not read.
RUN    := umask 022 &&
# Everything that is fetched stays in the cache folder.
export NOVA_HA_CACHE := $(CACHE)
export PIP_CACHE_DIR := $(CACHE)/pip
export XDG_CACHE_HOME := $(CACHE)/other
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: machine ## Kill a compute node of a cloud in this machine, and show the recovery (root, Debian 12)
	@$(RUN) $(LAB) -m tests.lab.demo $(DEMO)

.PHONY: test
test: machine tiers ## Run every tier of tests (root, Debian 12)

.PHONY: lab
lab: machine ## Run the lab's tier of tests (root, Debian 12)
	@$(RUN) $(PYTHON) tools/run_tiers.py lab

.PHONY: unit
unit: $(TOX) ## Run the unit tests and scenarios, with PyPI's clients and with Debian 12's
	@$(RUN) $(PYTHON) tools/run_tiers.py py py-debian12

.PHONY: bench
bench: $(TOX) ## Measure requests, CPU time, memory and time against their goals
	@$(RUN) $(TOX) run -q -e bench -- $(BENCH) </dev/null

.PHONY: lint
lint: $(TOX) ## Check style and format
	@$(RUN) $(PYTHON) tools/run_tiers.py lint

.PHONY: type
type: $(TOX) ## Check the types, strictly
	@$(RUN) $(PYTHON) tools/run_tiers.py type

.PHONY: packages
packages: ## Build Debian and RPM packages, wheel and sdist into dist/ (root, Debian 12)
	@$(RUN) tools/setup-machine
	@$(RUN) tools/build_packages.py

.PHONY: golden
golden: $(TOX) ## Rewrite what is made from the options: README's table, manual pages, metadata to compare with
	@$(RUN) $(PYTHON) tools/parameter_tables.py
	@$(RUN) $(PYTHON) tools/man_pages.py
	@$(RUN) NOVA_HA_GOLDEN=write $(TOX) run -q -e conformance -- -k golden tests/conformance </dev/null

# The lab's interpreter has the system's packages, so these are installed before and after it is made.
.PHONY: machine
machine: ## Install what the tests and the demo need, if it is missing (root, Debian 12)
	@$(RUN) tools/setup-machine
	@$(RUN) $(MAKE) -s --no-print-directory $(TOX)
	@$(RUN) $(TOX) run -q --notest -e lab </dev/null
	@$(RUN) $(LAB) -m tests.lab prepare </dev/null

# On a machine that has everything; TIERS="lint py" runs only these.
.PHONY: tiers
tiers:
	@$(RUN) $(PYTHON) tools/run_tiers.py $(TIERS)

$(TOX):
	@$(RUN) $(PYTHON) -m venv $(CACHE)/tox
	@$(CACHE)/tox/bin/pip install --quiet 'tox>=4.11,<5'
