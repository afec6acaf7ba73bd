# SPDX-License-Identifier: Apache-2.0
"""The simulated Nova's answers in JSON, with the keys that Nova has at microversion 2.72."""

from __future__ import annotations

from typing import Any

from nova_ha.testing.cloud import Action, Cloud, Compute, Group, Record, Server, make_uuid
from nova_ha.testing.nova import naive_time, show_service
from nova_ha.testing.nova_api import HIDDEN

Json = dict[str, Any]

_PROJECT = "5f0c8a3e6d1b4f7a9e2c3d4b5a697887"
_SHARED_TRAITS: Json = {"tenant_id": _PROJECT, "user_id": "0d2f5c1e7a9b4e3d8c6f5a4b3c2d1e0f"}


def service_json(cloud: Cloud, compute: Compute) -> Json:
    """Return a service; of a down cell only what Nova has in memory."""
    service = show_service(cloud, compute)
    if not service.is_known:
        return {"binary": "nova-compute", "host": compute.host, "status": "UNKNOWN"}
    return {
        "id": compute.id,
        "binary": "nova-compute",
        "host": compute.host,
        "zone": compute.zone,
        "status": service.status,
        "state": service.state,
        "updated_at": service.updated_at,
        "disabled_reason": service.disabled_reason,
        "forced_down": service.forced_down,
    }


def conductor_json(number: int, *, up: bool) -> Json:
    """Return the service of a nova-conductor."""
    host = f"controller-{number}"
    return {
        "id": make_uuid("conductor", host),
        "binary": "nova-conductor",
        "host": host,
        "zone": "internal",
        "status": "enabled",
        "state": "up" if up else "down",
        "updated_at": "2026-01-01T00:00:00.000000",
        "disabled_reason": None,
        "forced_down": False,
    }


def server_json(server: Server, cloud: Cloud) -> Json:
    """Return a server as an admin sees it; without its host when that is hidden, one of a down cell bare."""
    if server.host == HIDDEN and cloud.is_cell_down(cloud.servers[server.id].host):
        return {"id": server.id, "status": "UNKNOWN", "created": "2026-01-01T00:00:00Z", **_SHARED_TRAITS}
    shown: Json = {
        "id": server.id,
        "name": server.name,
        "status": server.status,
        "image": "" if server.volume_backed else {"id": "70a599e0-31e7-49b7-b260-868f441e862b", "links": []},
        "flavor": _flavor(server),
        "metadata": server.metadata,
        "locked": False,
        "OS-EXT-STS:vm_state": server.vm_state,
        "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:power_state": server.power_state,
        "OS-EXT-SRV-ATTR:host": server.host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": server.host,
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.id[:8]}",
        "OS-SRV-USG:launched_at": "2026-01-01T00:00:00.000000" if server.launched else None,
        "OS-SRV-USG:terminated_at": None,
        **_SHARED_TRAITS,
    }
    if server.host == HIDDEN:
        del shown["OS-EXT-SRV-ATTR:host"]
    if server.fault is not None and server.vm_state == "error":
        shown["fault"] = {"code": 500, "message": server.fault, "created": "2026-01-01T00:00:00Z"}
    return shown


def _flavor(server: Server) -> Json:
    ephemeral = 10 if server.local_disk else 0
    sizes: Json = {"vcpus": 1, "ram": 512, "disk": 0, "ephemeral": ephemeral, "swap": 0}
    return {"original_name": "small", "extra_specs": {}, **sizes}


def migration_json(record: Record) -> Json:
    """Return an evacuation record."""
    return {
        "id": record.number,
        "uuid": record.uuid,
        "instance_uuid": record.server_id,
        "migration_type": "evacuation",
        "status": record.status,
        "source_compute": record.source,
        "source_node": record.source,
        "dest_compute": record.destination,
        "dest_node": record.destination,
        "dest_host": None,
        "old_instance_type_id": 1,
        "new_instance_type_id": 1,
        "created_at": naive_time(record.created_at),
        "updated_at": naive_time(record.updated_at),
    }


def action_json(action: Action, *, detail: bool) -> Json:
    """Return an instance action, with its events in detail, the newest first."""
    shown: Json = {
        "action": "evacuate",
        "instance_uuid": action.server_id,
        "request_id": action.request_id,
        "start_time": naive_time(action.started_at),
        "updated_at": naive_time(action.started_at),
        "message": "Error" if any(event.result == "Error" for event in action.events) else None,
        "project_id": _PROJECT,
        "user_id": _SHARED_TRAITS["user_id"],
    }
    if detail:
        shown["events"] = [
            {
                "event": event.name,
                "start_time": naive_time(event.started_at),
                "finish_time": naive_time(event.started_at) if event.result else None,
                "result": event.result,
                "traceback": event.details,
                "host": event.host,
                "hostId": "",
            }
            for event in reversed(action.events)
        ]
    return shown


def group_json(group: Group) -> Json:
    """Return a server group."""
    return {
        "id": group.id,
        "name": group.policy,
        "policy": group.policy,
        "rules": {},
        "members": sorted(group.members),
        "project_id": _PROJECT,
        "user_id": _SHARED_TRAITS["user_id"],
    }
