# SPDX-License-Identifier: Apache-2.0
"""A cloud that answers inside of the process, and a client of it."""

from __future__ import annotations

import pytest

from tests.unit.openstack.fake_cloud import FakeCloud
from tests.unit.openstack.samples import make_client


@pytest.fixture
def cloud():
    """Make a cloud that answers inside of the process."""
    return FakeCloud()


@pytest.fixture
def waits(monkeypatch):
    """Let no time pass when a client library waits; collect how long it would have."""
    found = []
    monkeypatch.setattr("time.sleep", found.append)
    return found


@pytest.fixture
def nova(cloud, monkeypatch):
    """Make a client of that cloud."""
    monkeypatch.delenv("NOVACLIENT_UUID_CACHE_DIR", raising=False)
    return make_client(cloud)
