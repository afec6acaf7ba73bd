# SPDX-License-Identifier: Apache-2.0
"""What several modules call fence_compute with."""

from __future__ import annotations

import pytest

from tests.conformance.fence_machine import Agent
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
