# SPDX-License-Identifier: Apache-2.0
"""Nova's JSON at microversion 2.72 becomes values; what must be there and is not is an error (rule R3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova_ha.clock import parse_time
from nova_ha.errors import UntrustworthyAnswer
from nova_ha.model import ActionEvent, Attempt, Evacuation, Server, ServerGroup, Service

Json = Mapping[str, Any]

_HOST = "OS-EXT-SRV-ATTR:host"


def required(item: Json, key: str, what: str) -> Any:  # noqa: ANN401 - JSON
    """Return an attribute that must be there.

    Raises:
        UntrustworthyAnswer: it is missing; often these credentials may not see it.
    """
    if key not in item:
        raise UntrustworthyAnswer(
            f"{what}: Nova's answer has no {key}; the user needs the role admin in the project"
        )
    return item[key]


def service(item: Json) -> Service:
    """Return a service; one of a down cell has no more than a host and the status UNKNOWN."""
    host = str(required(item, "host", "a service"))
    status, state = str(item.get("status", "UNKNOWN")), item.get("state")
    if state is None:
        return Service(id="", host=host, status="UNKNOWN", state=None)
    what = f"the service of {host}"
    return Service(
        id=str(required(item, "id", what)),
        host=host,
        status=status,
        state=str(state),
        forced_down=bool(required(item, "forced_down", what)),
        disabled_reason=item.get("disabled_reason"),
        updated_at=item.get("updated_at"),
        zone=item.get("zone"),
    )


def server(item: Json) -> Server:
    """Return a server."""
    what = f"server {required(item, 'id', 'a server')}"
    flavor = item.get("flavor") or {}
    return Server(
        id=str(item["id"]),
        name=str(item.get("name", "")),
        status=str(required(item, "status", what)),
        vm_state=str(required(item, "OS-EXT-STS:vm_state", what)),
        task_state=required(item, "OS-EXT-STS:task_state", what),
        power_state=item.get("OS-EXT-STS:power_state"),
        host=required(item, _HOST, what) or None,
        launched=required(item, "OS-SRV-USG:launched_at", what) is not None,
        is_volume_backed=item.get("image", None) == "",
        local_disk=bool(flavor.get("ephemeral") or flavor.get("swap")),
        fault=(item.get("fault") or {}).get("message"),
        has_vtpm=any(name.startswith("hw:tpm_") for name in flavor.get("extra_specs") or ()),
        metadata=tuple(sorted((str(k), str(v)) for k, v in (item.get("metadata") or {}).items())),
    )


def evacuation(item: Json) -> Evacuation:
    """Return an evacuation record; without the right to see hosts its source is null, and it is refused."""
    uuid = str(required(item, "uuid", "an evacuation"))
    what = f"evacuation {uuid}"
    source = required(item, "source_compute", what)
    if not source:
        raise UntrustworthyAnswer(f"{what}: Nova hides its hosts; the user needs the role admin")
    created = _moment(item, "created_at", what)
    return Evacuation(
        uuid=uuid,
        server_id=str(required(item, "instance_uuid", what)),
        source=str(source),
        destination=item.get("dest_compute") or None,
        status=str(required(item, "status", what)),
        created_at=created,
        updated_at=_moment(item, "updated_at", what) if item.get("updated_at") else created,
    )


def attempt(item: Json) -> Attempt:
    """Return an instance action with its events."""
    request_id = str(required(item, "request_id", "an action"))
    what = f"action {request_id}"
    return Attempt(
        request_id=request_id,
        started_at=_moment(item, "start_time", what),
        events=tuple(_event(one, what) for one in required(item, "events", what) or ()),
    )


def _event(item: Json, what: str) -> ActionEvent:
    """Return one event of an instance action."""
    return ActionEvent(
        name=str(required(item, "event", what)),
        result=required(item, "result", what),
        host=item.get("host"),
        details=item.get("details") or item.get("traceback"),
        at=_moment(item, "finish_time" if item.get("finish_time") else "start_time", what),
    )


def server_group(item: Json) -> ServerGroup:
    """Return a server group."""
    what = f"server group {required(item, 'id', 'a server group')}"
    return ServerGroup(
        id=str(item["id"]),
        policy=str(required(item, "policy", what)),
        members=frozenset(map(str, required(item, "members", what))),
    )


def _moment(item: Json, key: str, what: str) -> float:
    """Return a time in epoch seconds."""
    moment = parse_time(str(required(item, key, what)))
    if moment is None:
        raise UntrustworthyAnswer(f"{what}: {key} {item[key]!r} is not a time")
    return moment
