# SPDX-License-Identifier: Apache-2.0
"""Machines and clouds that several modules call the agents or the examples on."""

from __future__ import annotations

import pytest

from tests.conformance.examples_machine import CONTROLLERS, COROSYNC, Machine
from tests.conformance.fence_machine import Agent
from tests.conformance.installed import Installed
from tests.conformance.loopback_cloud import PASSWORD, LoopbackCloud


@pytest.fixture
def agent(tmp_path):
    """Make a machine on which fence_compute can be called."""
    return Agent(tmp_path)


@pytest.fixture
def cloud():
    """Run a cloud with two compute hosts."""
    with LoopbackCloud(("compute-0", "compute-1")) as running:
        yield running


@pytest.fixture
def access(cloud):
    """Return the options that lead into that cloud, in the spelling of old configurations."""
    return {"auth_url": cloud.url, "login": "admin", "passwd": PASSWORD, "tenant_name": "admin"}


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    """Give a controller."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "corosync.conf").write_text(COROSYNC, encoding="utf-8")
    return Machine(folder, Installed(folder / "machine"))


@pytest.fixture(scope="session")
def deployed(machine):
    """Give the configuration that the steps make of the sample values; beside it is that before step 050."""
    cib = machine.cib("deployed", *CONTROLLERS)
    script = """
    for step in "$E"/0[1-4]*.sh; do "$step"; done
    cp "$CIB_FILE" "$CIB_FILE.before"
    "$E"/apply.sh
    """
    done = machine.run(script, cib)
    assert 0 == done.returncode, done.stderr
    return cib
