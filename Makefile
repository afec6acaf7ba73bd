# SPDX-License-Identifier: Apache-2.0
# The commands of a developer. "make" alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON := /usr/bin/python3
CACHE  := $(abspath $(or $(NOVA_HA_CACHE),$(HOME)/.cache/nova-ha))
TOX    := $(CACHE)/tox/bin/tox
# Everything that is fetched stays in the cache folder.
export NOVA_HA_CACHE := $(CACHE)
export PIP_CACHE_DIR := $(CACHE)/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# What is made by root with a narrow umask could not be read by the service users of the lab.
UMASK := umask 022 &&

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: machine $(TOX) ## Show the recovery of a dead compute node on a cloud in this machine (root, Debian 12)
	@$(UMASK) $(TOX) run -q --notest -e lab
	@$(UMASK) .tox/lab/bin/python -m tests.lab.demo $(DEMO)

.PHONY: test
test: machine tiers ## Run every tier of tests (root, Debian 12)

# On a machine that is set up; TIERS="lint py" runs these only.
.PHONY: tiers
tiers: $(TOX)
	@$(UMASK) $(PYTHON) tools/run_tiers.py $(TIERS)

.PHONY: lint type
lint: $(TOX) ## Check style and format
	@$(TOX) run -q -e lint
type: $(TOX) ## Check the types, strictly
	@$(TOX) run -q -e type

.PHONY: unit
unit: $(TOX) ## Run the fast tests with PyPI's clients and with Debian 12's
	@$(TOX) run -q -e py,py-debian12

.PHONY: lab
lab: machine $(TOX) ## Run the tests of the lab only (root, Debian 12)
	@$(UMASK) $(PYTHON) tools/run_tiers.py lab

.PHONY: machine
machine: ## Install what the lab needs on this machine (root, Debian 12)
	@$(UMASK) tools/setup-machine

$(TOX):
	@$(PYTHON) -m venv $(CACHE)/tox
	@$(CACHE)/tox/bin/pip install --quiet 'tox>=4.11,<5'
