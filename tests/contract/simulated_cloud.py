# SPDX-License-Identifier: Apache-2.0
"""The cloud of the contract tests whose Nova is simulated (`nova_ha.testing`)."""

from __future__ import annotations

from collections.abc import Callable

from nova_ha.openstack.credentials import open_session
from nova_ha.openstack.nova import NovaClient
from nova_ha.ports import NovaPort
from nova_ha.testing.clock import VirtualClock
from nova_ha.testing.cloud import Cloud, Plan
from nova_ha.testing.event_log import EventLog
from nova_ha.testing.faults import Fault, FaultPlan
from nova_ha.testing.http_nova import CREDENTIALS, KEYSTONE, mount
from nova_ha.testing.hypervisors import Hypervisors
from nova_ha.testing.nova import SimulatedNova
from nova_ha.testing.startup import start_compute, stop_compute
from tests.contract.cloud import HOSTS, ContractCloud
from tests.contract.embedded.settings import MAX_LIMIT

SETTINGS = {
    "auth_url": f"{KEYSTONE}/v3",
    "username": CREDENTIALS[0],
    "password": CREDENTIALS[1],
    "project_name": "admin",
}

_STEP_SECONDS = 0.1
#: How long a hold lasts; virtual time passes only in `until`.
_HOLD_SECONDS = 60.0
_FAILURES = {
    "schedule": "conductor-gives-up",
    "claim": "claim-fails",
    "check": "not-supported",
    "spawn": "spawn-fails",
    "state": "fails-after-spawn",
}
_WAYS = {
    "refused": "unreachable",
    "unanswered": "timeout-after",
    "dropped": "timeout-after",
    "html-502": "http-502",
}


class SimulatedCloud(ContractCloud):
    """A new one for each test, in virtual time; `nova` is the simulation itself, without HTTP."""

    nova: NovaPort

    def __init__(self) -> None:
        self.clock = VirtualClock()
        log = EventLog(self.clock)
        self.cloud = Cloud(self.clock, log, Hypervisors(self.clock, log))
        self.faults = FaultPlan(self.clock)
        self.simulated = SimulatedNova(self.cloud, self.faults)
        self.nova = self.simulated
        for host in HOSTS:
            self.cloud.add_compute(host)

    def close(self) -> None:
        """End what is under way."""
        self.clock.close()

    def add_server(self, host: str, state: str = "active", group: str | None = None) -> str:
        """Put a server into the database, and its guest onto the host."""
        properties = {"power_state": 1} if state == "error" else {}
        name = f"vm-{len(self.cloud.servers)}"
        server = self.cloud.add_server(
            name, host, state, volume_backed=False, metadata={"owner": "tests"}, **properties
        )
        if group:
            next(one for one in self.cloud.groups if one.id == group).members.add(server.id)
        return server.id

    def add_group(self, policy: str) -> str:
        """Put a group without members into the database."""
        group = self.cloud.add_group(policy, [])
        group.id = f"{len(self.cloud.groups):08d}-0000-4000-8000-000000000000"
        return group.id

    def delete_server(self, server_id: str) -> None:
        """Mark it as deleted."""
        self.cloud.servers[server_id].deleted = True
        self.cloud.servers[server_id].task_state = None

    def power_off(self, host: str) -> None:
        """End nova-compute and guests."""
        stop_compute(self.cloud, host)
        self.cloud.hypervisors.power_cut(host)

    def start_compute(self, host: str) -> None:
        """Start nova-compute."""
        start_compute(self.cloud, host)

    def let_heartbeat_be_old(self, host: str) -> None:  # noqa: ARG002 - all hosts share the time
        """Let time pass."""
        self.clock.sleep(2 * self.cloud.service_down_time)

    def hold(self, moment: str, *server_ids: str) -> None:
        """Let the message be late, or the spawn slow."""
        outcome = {"cast": "late-cast", "spawn": "slow"}.get(moment)
        for server_id in server_ids if outcome else ():
            self.cloud.plans.insert(0, Plan(outcome or "", server_id, seconds=_HOLD_SECONDS))

    def are_held(self, moment: str, *server_ids: str) -> bool:
        """Look into the database: at each moment it looks different."""
        return all(self._is_at(moment, server_id) for server_id in server_ids)

    def _is_at(self, moment: str, server_id: str) -> bool:
        server = self.cloud.servers[server_id]
        moving = any(
            one.server_id == server_id and one.status == "pre-migrating" for one in self.cloud.records
        )
        task = {"check": "rebuilding", "spawn": "rebuild_spawning", "finish": None}.get(moment)
        return moment == "cast" or (moving and server.task_state == task)

    def release(self, moment: str, *server_ids: str) -> None:  # noqa: ARG002 - see there
        """Wait for the end of the hold: later evacuations are not held."""
        self.cloud.plans[:] = [plan for plan in self.cloud.plans if plan.server_id not in server_ids]

    def fail(self, moment: str, server_id: str) -> None:
        """Plan a failure."""
        self.cloud.plans.insert(0, Plan(_FAILURES[moment], server_id))

    def mend(self) -> None:
        """End all failures."""
        self.cloud.plans.clear()
        self.faults.clear()

    def shut_cell(self, shut: bool) -> None:
        """Make it a down cell."""
        self.cloud.cells_down = {"cell1"} if shut else set()

    def running_on(self, server_id: str) -> list[str]:
        """Ask the hypervisors."""
        return self.cloud.hypervisors.hosts_of(server_id)

    def defined_on(self, server_id: str) -> list[str]:
        """Ask the hypervisors."""
        return [host for host in HOSTS if self.cloud.hypervisors.is_defined(host, server_id)]

    def unprivileged(self) -> NovaPort:
        """Let the filter be dropped from now on."""
        self.faults.add(Fault("servers", "unfiltered"))
        return self.nova

    def disturbed(self, call: str, way: str) -> NovaPort:
        """Add a fault; without real connections some ways are the same."""
        self.faults.add(Fault(call, _WAYS.get(way, way)))
        return self.nova

    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Let virtual time pass; a hold is no part of it."""
        end = self.clock.monotonic() + seconds + _HOLD_SECONDS
        while not condition():
            assert self.clock.monotonic() < end, f"not within {seconds:g} s"
            self.clock.sleep(_STEP_SECONDS)


class SimulatedHttpCloud(SimulatedCloud):
    """The same, but `nova` is the real client, which talks HTTP to the simulation."""

    def __init__(self) -> None:
        super().__init__()
        access = open_session(SETTINGS)
        for session in (access.session, access.actions):
            mount(self.simulated, session.session, page=MAX_LIMIT)
        self.nova = NovaClient(access)
