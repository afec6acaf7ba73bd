# SPDX-License-Identifier: Apache-2.0
"""The simulated Nova as a port: raises what the real client raises, without HTTP between."""

from __future__ import annotations

from http import HTTPStatus
from typing import Callable, TypeVar

from nova_ha import errors, model
from nova_ha.clock import format_time
from nova_ha.testing.clock import EPOCH
from nova_ha.testing.cloud import Action, Cloud, Compute, Record, Server
from nova_ha.testing.faults import ApiError, FaultPlan, TimedOut, Unreachable
from nova_ha.testing.nova_api import HIDDEN, NovaApi

T = TypeVar("T")


class SimulatedNova:
    """A `nova_ha.ports.NovaPort` on a simulated cloud."""

    def __init__(self, cloud: Cloud, faults: FaultPlan | None = None) -> None:
        self.cloud = cloud
        self.faults = faults or FaultPlan(cloud.clock)
        self.api = NovaApi(cloud, self.faults)

    def services(self) -> tuple[model.Service, ...]:
        """Return every nova-compute service; one of a down cell is UNKNOWN."""
        computes = _read(self.api.services)
        return tuple(show_service(self.cloud, compute) for compute in computes)

    def tell_down(self, service: model.Service, reason: str | None) -> None:
        """Force a service down and disable it in one PUT."""
        body: dict[str, object] = {"forced_down": True}
        if reason is not None:
            body.update(status="disabled", disabled_reason=reason)
        _read(lambda: self.api.update_service("tell_down", service.id, body))

    def clear_forced_down(self, service: model.Service) -> None:
        """Clear forced_down; refused while old evacuations are ``done``."""
        _read(lambda: self.api.update_service("clear_forced_down", service.id, {"forced_down": False}))

    def disable(self, service: model.Service, reason: str) -> None:
        """Disable a service."""
        body = {"status": "disabled", "disabled_reason": reason}
        _read(lambda: self.api.update_service("disable", service.id, body))

    def enable(self, service: model.Service) -> None:
        """Enable a service."""
        _read(lambda: self.api.update_service("enable", service.id, {"status": "enabled"}))

    def servers(self, host: str) -> tuple[model.Server, ...]:
        """Return the servers of a host; those of other hosts in the answer are dropped."""
        shown = [show_server(server) for server in _read(lambda: self.api.servers(host))]
        return tuple(server for server in shown if server.host == host)

    def server(self, server_id: str) -> model.Server | None:
        """Return a server, or None."""
        try:
            return show_server(_read(lambda: self.api.server(server_id)))
        except errors.NotFound:
            return None

    def evacuations(self, host: str) -> tuple[model.Evacuation, ...]:
        """Return the evacuation records of a source, oldest first."""
        records = _read(lambda: self.api.evacuations(host))
        return tuple(show_record(record) for record in reversed(records))

    def attempts(self, server_id: str) -> tuple[model.Attempt, ...]:
        """Return the evacuate actions of a server, oldest first."""
        actions = _read(lambda: self.api.actions(server_id))
        return tuple(show_action(action) for action in reversed(actions))

    def server_groups(self) -> tuple[model.ServerGroup, ...]:
        """Return every server group."""
        groups = _read(self.api.server_groups)
        return tuple(model.ServerGroup(g.id, g.policy, frozenset(g.members)) for g in groups)

    def conductors_up(self) -> bool:
        """Say whether at least one nova-conductor is up, and none is down."""
        conductors = _read(self.api.conductors)
        return bool(conductors) and all(conductors)

    def evacuate(self, server_id: str, destination: str | None) -> str:
        """Send one evacuate request."""
        return _act(lambda: self.api.evacuate(server_id, destination))

    def stop(self, server_id: str) -> None:
        """Shut a server off; one that is off already is no error."""
        server = self.cloud.servers.get(server_id)
        try:
            _act(lambda: self.api.stop(server_id))
        except errors.AmbiguousAnswer:
            if server is None or server.vm_state != "stopped":
                raise

    def hard_reboot(self, server_id: str) -> None:
        """Start a server on the host that it is on."""
        _act(lambda: self.api.hard_reboot(server_id))

    def reset_to_error(self, server_id: str) -> None:
        """Set a server's state to ERROR."""
        _act(lambda: self.api.reset_state(server_id))


def naive_time(moment: float) -> str:
    """Return a time as Nova writes most of them: UTC, without saying so."""
    return format_time(moment).replace("Z", ".000000")


def show_service(cloud: Cloud, compute: Compute) -> model.Service:
    """Return a service as the API shows it."""
    if cloud.is_cell_down(compute.host):
        return model.Service("", compute.host, "UNKNOWN", None)
    return model.Service(
        compute.id,
        compute.host,
        "disabled" if compute.disabled else "enabled",
        "up" if cloud.is_up(compute) else "down",
        compute.forced_down,
        compute.disabled_reason,
        naive_time(EPOCH + max(compute.written_at, cloud.last_report(compute))),
        compute.zone,
    )


def show_server(server: Server) -> model.Server:
    """Return a server as the API shows it; raise `UntrustworthyAnswer` when its host is missing."""
    if server.host == HIDDEN:
        raise errors.UntrustworthyAnswer(f"server {server.id}: attribute OS-EXT-SRV-ATTR:host is missing")
    return model.Server(
        id=server.id,
        name=server.name,
        status=server.status,
        vm_state=server.vm_state,
        task_state=server.task_state,
        power_state=server.power_state,
        host=server.host,
        launched=server.launched,
        is_volume_backed=server.volume_backed,
        local_disk=server.local_disk,
        fault=server.fault,
        metadata=tuple(sorted(server.metadata.items())),
    )


def show_record(record: Record) -> model.Evacuation:
    """Return an evacuation record as the API shows it; Nova's times have whole seconds."""
    return model.Evacuation(
        record.uuid,
        record.server_id,
        record.source,
        record.destination,
        record.status,
        float(int(record.created_at)),
        float(int(record.updated_at)),
    )


def show_action(action: Action) -> model.Attempt:
    """Return an instance action as the API shows it, with the newest event first."""
    events = tuple(
        model.ActionEvent(e.name, e.result, e.host, e.details, float(int(e.started_at)))
        for e in reversed(action.events)
    )
    return model.Attempt(action.request_id, float(int(action.started_at)), events)


def _read(call: Callable[[], T]) -> T:
    """Translate the errors of a read or an idempotent PUT."""
    try:
        return call()
    except (Unreachable, TimedOut) as error:
        raise errors.NovaUnavailable(f"Nova does not answer: {error}") from error
    except ApiError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise errors.NovaUnavailable(f"Nova answered {error.status}: {error.message}") from error
        raise _refusal(error) from error


def _act(call: Callable[[], T]) -> T:
    """Translate the errors of an action, which must never be repeated blindly."""
    try:
        return call()
    except Unreachable as error:
        raise errors.NovaUnavailable(f"Nova does not answer: {error}") from error
    except TimedOut as error:
        raise errors.AmbiguousAnswer(f"no answer: {error}") from error
    except ApiError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status == HTTPStatus.CONFLICT:
            raise errors.AmbiguousAnswer(
                f"Nova answered {error.status}: {error.message}", error.status
            ) from error
        raise _refusal(error) from error


def _refusal(error: ApiError) -> errors.NovaHaError:
    if error.status in (401, 403):
        return errors.AccessDenied(f"Nova refused these credentials ({error.status}): {error.message}")
    if error.status == HTTPStatus.NOT_FOUND:
        return errors.NotFound(error.message, 404)
    if error.status == HTTPStatus.BAD_REQUEST and (
        "in use" in error.message or "records remain" in error.message
    ):
        return errors.StillInUse(error.message, 400)
    return errors.RequestRefused(error.message, error.status)
