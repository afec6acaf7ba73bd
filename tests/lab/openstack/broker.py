# SPDX-License-Identifier: Apache-2.0
"""What RabbitMQ's operator can do."""

from __future__ import annotations

from typing import Any

_CONTROL = "/usr/lib/rabbitmq/bin/rabbitmqctl"


def close_connections(lab: Any, address: str) -> int:
    """Close all connections from an address, as the broker does that misses heartbeats; return how many."""
    connections = [line.split() for line in _control(lab, "list_connections", "--quiet", "pid", "peer_host")]
    pids = [pid for pid, host in connections if host == address]
    for pid in pids:
        _control(lab, "close_connection", pid, "missed heartbeats from client")
    return len(pids)


def _control(lab: Any, *words: str) -> list[str]:
    environment = lab.openstack.runner.services["rabbitmq"].env
    done = lab.run_fabric(_CONTROL, *words, env=environment)
    return str(done.stdout).splitlines()
