# SPDX-License-Identifier: Apache-2.0
"""Values for tests of the decisions: each builder makes the plain case, the test says what is different."""

from __future__ import annotations

from nova_ha.clock import format_time
from nova_ha.decisions.observation import HostView, ServerView
from nova_ha.decisions.policy import Policy
from nova_ha.decisions.situation import Situation
from nova_ha.model import ActionEvent, Attempt, ClusterNode, Evacuation, Server, Service

NOW = 1_800_000_000.0
FENCED_AT = format_time(NOW - 10)


def a_server(**different):
    """Return a running server on compute-0."""
    plain = {
        "id": "s1",
        "name": "web",
        "status": "ACTIVE",
        "vm_state": "active",
        "task_state": None,
        "power_state": 1,
        "host": "compute-0",
    }
    return Server(**{**plain, **different})


def a_record(status="accepted", **different):
    """Return an evacuation record of this recovery."""
    plain = {
        "uuid": "r1",
        "server_id": "s1",
        "source": "compute-0",
        "destination": None,
        "status": status,
        "created_at": NOW - 5,
        "updated_at": NOW - 1,
    }
    return Evacuation(**{**plain, **different})


def an_attempt(*events, **different):
    """Return an evacuate action with events given as (name, result)."""
    plain = {"request_id": "req-1", "started_at": NOW - 5}
    return Attempt(
        **{**plain, **different}, events=tuple(ActionEvent(name, result) for name, result in events)
    )


def a_view(*records, **different):
    """Return a server of the failed host with its records."""
    plain = {"id": "s1", "server": a_server(), "is_here": True, "records": records}
    return ServerView(**{**plain, **different})


def a_service(**different):
    """Return the failed host's service as Nova shows it after it was told."""
    plain = {
        "id": "svc0",
        "host": "compute-0",
        "status": "disabled",
        "state": "down",
        "forced_down": True,
        "disabled_reason": f"nova-ha: fenced {FENCED_AT}",
        "updated_at": "t0",
    }
    return Service(**{**plain, **different})


def a_node(**different):
    """Return the failed node with an open record."""
    plain = {"name": "compute-0", "is_remote": True, "online": False, "fenced": f"fenced {FENCED_AT}"}
    return ClusterNode(**{**plain, **different})


def a_host(*servers, node=None, **different):
    """Return the failed host, listed, claimed by this evacuator."""
    plain = {
        "host": "compute-0",
        "node": node or a_node(),
        "service": a_service(),
        "servers": servers,
        "is_claimed": True,
    }
    return HostView(**{**plain, **different})


def a_situation(**different):
    """Return what a server's decision depends on."""
    plain = {"host": "compute-0", "fenced_at": NOW - 10, "now": NOW, "policy": Policy()}
    return Situation(**{**plain, **different})
