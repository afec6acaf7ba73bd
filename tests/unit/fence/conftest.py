# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests of the fence agent's actions."""

from __future__ import annotations

import pytest

from nova_ha.fence.fence_actions import FenceActions
from nova_ha.settings.options import FENCE, resolve
from tests.unit.fence.invented import FakeClock, FakeCluster, FakeNova, service


@pytest.fixture
def clock():
    """Make a clock."""
    return FakeClock()


@pytest.fixture
def cluster():
    """Make a cluster of two compute nodes."""
    return FakeCluster("compute-0", "compute-1")


@pytest.fixture
def nova():
    """Make a Nova that knows both."""
    return FakeNova(service("compute-0"), service("compute-1"))


@pytest.fixture
def make(cluster, nova, clock):
    """Make the actions with some options."""

    def make_actions(connect=lambda: nova, recover=None, nova_may_be_away=False, **given):
        settings = resolve(FENCE, given, {})
        return FenceActions(cluster, connect, clock, settings, recover, nova_may_be_away=nova_may_be_away)

    return make_actions
