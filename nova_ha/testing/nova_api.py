# SPDX-License-Identifier: Apache-2.0
"""The simulated Nova API: what each request does, with Nova's own checks in Nova's order (nova.md 1, 2.2).

Both front ends, the direct one and the one over HTTP, stand on this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Callable, TypeVar

from nova_ha.testing.cloud import Action, Cloud, Compute, Group, Plan, Record, Server, make_uuid
from nova_ha.testing.evacuation import Evacuation
from nova_ha.testing.faults import ApiError, FaultPlan
from nova_ha.testing.startup import reboot_server

T = TypeVar("T")

#: Stands for an attribute that is missing in the answer.
HIDDEN = "(hidden)"
_EVACUABLE = ("active", "stopped", "error")


class NovaApi:
    """Every request that nova-ha sends, on one cloud, through one plan of faults.

    Attributes:
        has_guard: whether clearing forced_down is refused while ``done`` records exist (Nova >= 24).
        posts: how many evacuate requests reached Nova.
    """

    def __init__(self, cloud: Cloud, faults: FaultPlan) -> None:
        self.cloud = cloud
        self.faults = faults
        self.has_guard = True
        self.posts = 0
        self._requests = 0

    def services(self) -> list[Compute]:
        """``GET /os-services``."""
        return self._call("services", None, lambda: list(self.cloud.computes.values()), list)

    def update_service(self, call: str, service_id: str, body: Mapping[str, object]) -> Compute:
        """``PUT /os-services/{id}``; `call` is the name that faults know it by."""
        compute = next((c for c in self.cloud.computes.values() if c.id == service_id), None)
        host = compute.host if compute else None
        return self._call(call, host, lambda: self._update(compute, body), lambda: _known(compute))

    def servers(self, host: str | None) -> list[Server]:
        """``GET /servers/detail?all_tenants=1&host=``: servers of a down cell are silently absent."""
        return self._call(
            "servers",
            host,
            lambda: self._listed(host),
            list,
            {"unfiltered": lambda: self._listed(None), "no-host": lambda: _hide(self._listed(host))},
        )

    def server(self, server_id: str) -> Server:
        """``GET /servers/{id}``; of a server in a down cell only the id is known."""
        return self._call(
            "server",
            server_id,
            lambda: self._show(server_id),
            self._missing,
            {"no-host": lambda: _hide([self._show(server_id)])[0]},
        )

    def evacuations(self, host: str) -> list[Record]:
        """``GET /os-migrations?source_compute=``: evacuations, newest first; none of a down cell."""
        return self._call("evacuations", host, lambda: self._records(host), list)

    def actions(self, server_id: str) -> list[Action]:
        """``GET /servers/{id}/os-instance-actions`` and the detail of each, newest first."""
        return self._call("attempts", server_id, lambda: self._actions(server_id), list)

    def server_groups(self) -> list[Group]:
        """``GET /os-server-groups?all_projects=true``."""
        return self._call("server_groups", None, lambda: list(self.cloud.groups), list)

    def conductors(self) -> list[bool]:
        """``GET /os-services?binary=nova-conductor``: which of them are up."""
        return self._call("conductors_up", None, lambda: list(self.cloud.conductors), list)

    def evacuate(self, server_id: str, host: str | None) -> str:
        """``POST /servers/{id}/action`` evacuate; return the request id."""
        self._requests += 1
        request_id = "req-" + make_uuid("request", str(self._requests))
        self.cloud.log.name(request_id[4:], f"{self._requests}")
        return self._call(
            "evacuate", server_id, lambda: self._evacuate(server_id, host, request_id), lambda: request_id
        )

    def stop(self, server_id: str) -> None:
        """``POST /servers/{id}/action`` os-stop."""
        self._call("stop", server_id, lambda: self._stop(server_id), lambda: None)

    def hard_reboot(self, server_id: str) -> None:
        """``POST /servers/{id}/action`` reboot HARD: from nearly every state (nova/compute/api.py)."""
        self._call("hard_reboot", server_id, lambda: self._hard_reboot(server_id), lambda: None)

    def reset_state(self, server_id: str) -> None:
        """``POST /servers/{id}/action`` os-resetState to error: it erases task_state too."""
        self._call("reset_to_error", server_id, lambda: self._reset(server_id), lambda: None)

    def _call(
        self,
        call: str,
        subject: str | None,
        effect: Callable[[], T],
        nothing: Callable[[], T],
        twisted: Mapping[str, Callable[[], T]] | None = None,
    ) -> T:
        return self.faults.run(call, subject, effect, nothing, twisted or {})

    def _missing(self) -> Server:
        raise ApiError(404, "Instance could not be found.")

    def _update(self, compute: Compute | None, body: Mapping[str, object]) -> Compute:
        compute = _known(compute)
        if self.cloud.is_cell_down(compute.host):
            raise ApiError(404, f"Service {compute.id} could not be found.")
        if body.get("forced_down") is False and self.has_guard:
            self._check_for_evacuations(compute.host)
        before = (compute.forced_down, compute.disabled, compute.disabled_reason)
        if "forced_down" in body:
            compute.forced_down = bool(body["forced_down"])
        is_change = "status" in body and compute.disabled != (body["status"] == "disabled")
        if "status" in body:
            compute.disabled = body["status"] == "disabled"
            # A PUT without a reason erases an existing one.
            reason = body.get("disabled_reason")
            compute.disabled_reason = str(reason) if reason and compute.disabled else None
        self._note_update(compute, before)
        if is_change:
            self._wait_for_dead_host(compute)
        return compute

    def _wait_for_dead_host(self, compute: Compute) -> None:
        """Block as Nova does when a dead host that it believes up is disabled or enabled (nova.md 1.3).

        The change is in the database by then: ``service.save()`` comes before the call.
        """
        if self.cloud.is_up(compute) and compute.alive_since is None:
            self.cloud.clock.sleep(60.0)

    def _note_update(self, compute: Compute, before: tuple[object, ...]) -> None:
        after = (compute.forced_down, compute.disabled, compute.disabled_reason)
        if before == after:
            return
        compute.written_at = self.cloud.clock.monotonic()
        down = "forced down, " if compute.forced_down else ""
        status = f"disabled ({compute.disabled_reason})" if compute.disabled else "enabled"
        self.cloud.log.add("nova", f"service {compute.host}: {down}{status}")

    def _check_for_evacuations(self, host: str) -> None:
        if any(record.status == "done" for record in self._records(host)):
            self.cloud.log.add("nova", f"refused to clear forced_down of {host}: done records")
            message = f"Unable to force up host {host} as `done` evacuation migration records remain"
            raise ApiError(400, f"{message} associated with the host.")

    def _listed(self, host: str | None) -> list[Server]:
        servers = self.cloud.servers.values()
        return [
            server
            for server in servers
            if not server.deleted and host in (None, server.host) and not self.cloud.is_cell_down(server.host)
        ]

    def _show(self, server_id: str) -> Server:
        server = self.cloud.servers.get(server_id)
        if server is None or server.deleted:
            return self._missing()
        return _hide([server])[0] if self.cloud.is_cell_down(server.host) else server

    def _records(self, host: str) -> list[Record]:
        if self.cloud.is_cell_down(host):
            return []
        records = reversed(self.cloud.records_of(host))
        return [record for record in records if not self.cloud.servers[record.server_id].deleted]

    def _actions(self, server_id: str) -> list[Action]:
        if self._reachable(server_id).deleted:
            return []
        return list(reversed(self.cloud.actions.get(server_id, [])))

    def _reachable(self, server_id: str) -> Server:
        server = self.cloud.servers.get(server_id) or self._missing()
        if self.cloud.is_cell_down(server.host):
            raise ApiError(500, "Unexpected API Error: cell is down")
        return server

    def _evacuate(self, server_id: str, host: str | None, request_id: str) -> str:
        self.posts += 1
        server = self._reachable(server_id)
        try:
            self._check_evacuate(server, host)
        except ApiError as error:
            self.cloud.log.add("nova", f"evacuate of {server_id} refused: {error.status} {error.message}")
            raise
        self._accept(server, host, request_id)
        return request_id

    def _check_evacuate(self, server: Server, host: str | None) -> None:
        """Refuse what Nova refuses. Neither a task_state nor a lock is looked at (nova.md 0.1)."""
        if server.deleted:
            raise ApiError(404, "Instance could not be found.")
        if host is not None and host not in self.cloud.computes:
            raise ApiError(404, f"Compute host {host} could not be found.")
        if host == server.host:
            raise ApiError(400, "The target host can't be the same one.")
        if server.refusal is not None:
            raise ApiError(409 if "share" in server.refusal else 400, server.refusal)
        if server.vm_state not in _EVACUABLE or not server.launched:
            message = f"Cannot 'evacuate' instance {server.id} while it is in vm_state {server.vm_state}"
            raise ApiError(409, message)
        if server.host and self.cloud.is_up(self.cloud.computes[server.host]):
            raise ApiError(400, f"Compute service of {server.host} is still in use.")

    def _accept(self, server: Server, host: str | None, request_id: str) -> None:
        cloud, now = self.cloud, self.cloud.clock.now()
        self._accuse(server)
        server.task_state = "rebuilding"
        action = Action(request_id, server.id, now)
        cloud.actions.setdefault(server.id, []).append(action)
        number = len(cloud.records) + 1
        uuid = make_uuid("migration", str(number))
        cloud.records.append(Record(number, uuid, server.id, server.host or "", "accepted", now, now, host))
        where = f" to {host}" if host else ""
        cloud.log.add("nova", f"evacuate of {server.id}{where} accepted: record {number}")
        evacuation = Evacuation(cloud, server, action, host, self._plan(server))
        cloud.moving.setdefault(server.id, []).append(evacuation)
        evacuation.cast()

    def _accuse(self, server: Server) -> None:
        """Note what Nova accepts and no client may ask for."""
        if self.cloud.is_moving(server.id):
            self.cloud.hypervisors.accuse(
                f"second evacuate of {server.id} while one runs", "evacuate request"
            )
        if server.task_state in ("deleting", "soft-deleting"):
            self.cloud.hypervisors.accuse(f"{server.id} is resurrected", "its owner was deleting it")

    def _plan(self, server: Server) -> Plan:
        attempt = len(self.cloud.actions[server.id])
        plans = [plan for plan in self.cloud.plans if plan.server_id == server.id]
        return next((plan for plan in plans if plan.attempt in (0, attempt)), Plan("ok", server.id))

    def _stop(self, server_id: str) -> None:
        server = self._reachable(server_id)
        if server.deleted:
            self._missing()
        if server.vm_state != "active" or server.task_state is not None:
            raise ApiError(
                409, f"Cannot 'stop' instance {server_id} while it is in vm_state {server.vm_state}"
            )
        for host in self.cloud.hypervisors.hosts_of(server_id):
            self.cloud.hypervisors.end(host, server_id, "stopped through the API")
        server.vm_state, server.power_state = "stopped", 4

    def _hard_reboot(self, server_id: str) -> None:
        server = self._reachable(server_id)
        if server.deleted:
            self._missing()
        if server.task_state is not None or server.host is None:
            raise ApiError(
                409, f"Cannot 'reboot' instance {server_id} while it is in task_state {server.task_state}"
            )
        reboot_server(self.cloud, server)

    def _reset(self, server_id: str) -> None:
        server = self._reachable(server_id)
        if server.deleted:
            self._missing()
        self.cloud.log.add("nova", f"state of {server_id} reset to error")
        server.vm_state, server.task_state = "error", None


def _known(compute: Compute | None) -> Compute:
    if compute is None:
        raise ApiError(404, "Service could not be found.")
    return compute


def _hide(servers: list[Server]) -> list[Server]:
    return [replace(server, host=HIDDEN) for server in servers]
