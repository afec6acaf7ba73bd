# SPDX-License-Identifier: Apache-2.0
"""What a look at the lab's cloud makes of answers that are not whole."""

from __future__ import annotations

from typing import Any

import pytest
from keystoneauth1.exceptions import ConnectFailure

from tests.lab.demo.watch import Watch

SERVICE = {"id": "s", "host": "compute-0", "state": "up", "status": "enabled", "forced_down": False}
SERVER = {
    "id": "1",
    "name": "vm",
    "status": "ACTIVE",
    "OS-EXT-SRV-ATTR:host": "compute-0",
    "OS-EXT-STS:task_state": None,
}


@pytest.fixture
def nova(mocker: Any) -> Any:
    """Return what the watch asks, with one answer for everything."""
    lab = mocker.Mock()
    lab.openstack.client.nova.get.return_value.json.return_value = {
        "servers": [SERVER],
        "services": [SERVICE],
    }
    return lab


def test_whole_answers(nova: Any) -> None:
    """Servers and services are read."""
    watch = Watch(nova)
    assert [seen.host for seen in watch.servers() or ()] == ["compute-0"]
    assert [seen.text for seen in watch.services() or ()] == ["up, enabled"]


def test_cell_that_is_down_is_unknown(nova: Any) -> None:
    """What Nova shows of a cell whose database it cannot reach is no look at all."""
    nova.openstack.client.nova.get.return_value.json.return_value = {
        "servers": [SERVER, {"id": "2", "status": "UNKNOWN"}],
        "services": [{"binary": "nova-compute", "host": "compute-0", "status": "UNKNOWN"}],
    }
    assert Watch(nova).servers() is None
    assert Watch(nova).services() is None


def test_silence_is_unknown(nova: Any) -> None:
    """A Nova that does not answer shows nothing."""
    nova.openstack.client.nova.get.side_effect = ConnectFailure("no")
    assert Watch(nova).servers() is None
