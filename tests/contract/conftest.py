# SPDX-License-Identifier: Apache-2.0
"""The clouds on which every contract test runs."""

from __future__ import annotations

import pytest

from tests.contract.embedded_cloud import EmbeddedCloud
from tests.contract.simulated_cloud import SimulatedCloud, SimulatedHttpCloud


@pytest.fixture(scope="session")
def _embedded(tmp_path_factory):
    """Start one real Nova for all tests."""
    cloud = EmbeddedCloud(tmp_path_factory.mktemp("embedded"))
    yield cloud
    cloud.close()


@pytest.fixture
def embedded(_embedded):
    """Hand out the cloud with the real Nova, and clean it afterwards."""
    yield _embedded
    _embedded.reset()


@pytest.fixture
def simulated():
    """Make a cloud with a simulated Nova, used without HTTP between."""
    cloud = SimulatedCloud()
    yield cloud
    cloud.close()


@pytest.fixture
def simulated_http():
    """Make a cloud with a simulated Nova, to which the real client talks HTTP."""
    cloud = SimulatedHttpCloud()
    yield cloud
    cloud.close()


@pytest.fixture(params=["simulated", "simulated_http", "embedded"])
def cloud(request):
    """Run the test on each kind of cloud."""
    return request.getfixturevalue(request.param)
