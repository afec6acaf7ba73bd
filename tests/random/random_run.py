# SPDX-License-Identifier: Apache-2.0
"""Run a drawn case on the simulated world, without what cannot be meant; say what is wrong at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nova_ha import record
from nova_ha.model import ClusterNode
from nova_ha.testing.cloud import Compute, Server
from nova_ha.testing.machines import Machine
from nova_ha.testing.scenario import Scenario
from tests.random.strategies import MENDED, Case

#: Within this time after the last fault everything has come to its end, or is named with its reason.
#: What takes longest: a message given up, retries, and five restarts of nova-compute.
PATIENCE = 1500.0
#: Answers and messages that were late when the faults ended have come by then.
_LATE = 180.0
_STEP = 30.0


class RandomRun(Scenario):
    """One run of a drawn case.

    Attributes:
        done: the lines of the script that were done.
    """

    def __init__(self, case: Case) -> None:
        script = [(when, line) for when, line in case.script]
        super().__init__(case.cloud, [*script, (MENDED, "end")])
        self.case = case
        self.done: set[tuple[object, str]] = set()
        self._hung: dict[str, int] = {}
        self._began_off = {s.id for s in self.world.cloud.servers.values() if s.power_state == 4}
        self._began_running = {s.id for s in self.world.cloud.servers.values() if s.vm_state == "active"}

    def pass_time(self) -> None:
        """Go on until the faults have ended, and then until everything has come to rest."""
        self.world.run(MENDED + _LATE)
        while not self.is_at_rest and self.world.clock.monotonic() < MENDED + PATIENCE:
            self.world.run(_STEP)

    def _do(self, line: str) -> None:
        if line == "end" or not self._is_meant(line):
            return
        self.done.add((self.world.clock.monotonic(), line))
        super()._do(line)

    def _is_meant(self, line: str) -> bool:
        """Say whether somebody in his senses would do that now, and whether it changes anything."""
        word, *arguments = line.split()
        machine = self.world.machines.all.get(arguments[0]) if arguments else None
        if machine is not None:
            return self._is_meant_for(machine, word, *arguments[1:])
        if word == "forget-plans":
            return bool(self.world.cloud.plans)
        if word == "conductors":
            return self.world.cloud.conductors[0] != (arguments[0] == "up")
        return word != "delete" or not self.world.cloud.by_name(arguments[0]).deleted

    def _is_meant_for(self, machine: Machine, word: str, *arguments: str) -> bool:
        node, compute = self.world.cluster.nodes[machine.name], self.world.cloud.computes[machine.host]
        if word in ("freeze", "cut-cable") and machine.is_reachable:
            self._hung[machine.name] = machine.boot
            return True
        meant = {
            "freeze": False,
            "cut-cable": False,
            "power-cut": machine.is_on,
            "power-on": not machine.is_on,
            "wedge": machine.is_reachable and node.online and compute.alive_since is not None,
            "unwedge": compute.hangs > 0 or (machine.is_reachable and compute.frozen),
            "stop-nova-compute": machine.is_reachable and not node.fenced,
            "start-nova-compute": self._may_start_compute(machine, compute, node),
            "confirm": not (machine.is_on or node.online),
            "bmc": (machine.name in self.world.fencing.bmc_dead) != (arguments == ("dead",)),
            "destination": (compute.fails or "ok",) != arguments,
            "capacity": arguments != (str(compute.capacity),),
            "spawn": arguments != (f"{compute.spawn_seconds:g}",),
        }
        if word in ("thaw", "repair-cable"):
            return machine.is_on and self._hung.pop(machine.name, None) == machine.boot
        return meant.get(word, True)

    def _may_start_compute(self, machine: Machine, compute: Compute, node: ClusterNode) -> bool:
        """Say whether nova-compute was stopped by hand, and nothing forbids to start it."""
        return machine.is_reachable and node.online and not node.fenced and compute.alive_since is None

    # --- the end --------------------------------------------------------------------------------------------

    @property
    def is_at_rest(self) -> bool:
        """Say whether every host is in service and nothing is under way."""
        cloud = self.world.cloud
        is_moving = any(cloud.is_moving(server) for server in cloud.servers)
        return not is_moving and all(self._in_service(compute) for compute in cloud.computes.values())

    def _in_service(self, compute: Compute) -> bool:
        """Say whether a host is back for good, or as an operator wants it."""
        node = self.world.cluster.nodes[compute.host]
        is_up = node.online and self.world.machines.all[compute.host].is_reachable and self._is_alive(compute)
        is_ours = compute.disabled and record.is_ours(compute.disabled_reason)
        return is_up and not node.fenced and not compute.forced_down and not is_ours

    def _is_alive(self, compute: Compute) -> bool:
        return compute.alive_since is not None and not compute.frozen

    def complaints(self) -> list[str]:
        """Return everything that is not as it must be, a line each."""
        found = [str(violation) for violation in self.world.violations]
        found += [line for compute in self.world.cloud.computes.values() for line in self._host(compute)]
        servers = [server for server in self.world.cloud.servers.values() if not server.deleted]
        found += [line for server in servers for line in self._server(server)]
        if self.world.cloud.data_lost and not self.case.cloud["policy"].get("rebuild_from_image"):
            found.append(f"data lost: {', '.join(self.world.cloud.data_lost)}")
        return [self.world.log.readable(line) for line in found]

    def _host(self, compute: Compute) -> Iterator[str]:
        """A host is in service again, or the evacuator says why not."""
        if self._in_service(compute):
            return
        servers = [s for s in self.world.cloud.servers.values() if s.host == compute.host]
        if not self._is_in_trouble(compute.host, *(server.id for server in servers)):
            yield f"host {compute.host} is not in service, and nobody says why"

    def _server(self, server: Server) -> Iterator[str]:
        """A server runs where Nova says, or is named: nothing is forgotten, nothing starts that was off."""
        if self._is_named(server):
            return
        guests = self.world.cloud.hypervisors.hosts_of(server.id)
        what = f"server {server.name} is {server.status} on {server.host}"
        if server.id in self._began_off and guests:
            yield f"{what}, was off and runs on {guests}"
        if self.world.cloud.is_moving(server.id):
            yield f"{what} and is still being evacuated, and nobody says so"
        claims_to_run = server.status in ("ACTIVE", "REBUILD")
        if claims_to_run and guests != [server.host]:
            yield f"{what}, runs on {guests}, and nobody says so"
        if server.id in self._began_running and not guests and self._was_recovered(server):
            yield f"{what} and does not run, and nobody says so"

    def _was_recovered(self, server: Server) -> bool:
        """Say whether each loss of power that may have ended the server's guest was recorded as a fencing.

        Of one that was so short that Pacemaker did not notice nobody knows; Nova shows the server as off.
        """
        lines = self.world.log.text().splitlines()
        started = {line.split()[1] for line in lines if f" guest {server.name} started" in line}
        counts = [_count_cuts(host, lines) for host in {self._first_hosts[server.id], *started}]
        return all(cuts <= recorded for cuts, recorded in counts) and any(cuts for cuts, _ in counts)

    def _is_in_trouble(self, *names: str) -> bool:
        """Say whether the evacuator names a host or one of these servers now."""
        return any(name in trouble for trouble in self.controllers.troubles for name in names)

    def _is_named(self, server: Server) -> bool:
        """Say whether the evacuator has said that it does not recover a server, or that it cannot yet."""
        lines = self.world.log.text().splitlines()
        said = any(
            f"server {server.name}" in line and any(word in line for word in ("immovable", "ignored"))
            for line in lines
        )
        return said or self._is_in_trouble(server.id)

    # --- for people -----------------------------------------------------------------------------------------

    def report(self, complaints: list[str]) -> str:
        """Return what is wrong, and the two files that show it as a scenario."""
        script = [[when, line] for when, line in self.case.script if self._was_done(when, line)]
        end = [self.world.clock.monotonic(), "end"]
        lines = ",\n".join(f"  {json.dumps(entry)}" for entry in [*script, end])
        files = ["--- cloud.json", _cloud_text(self.case.cloud), "--- script.json", f"[\n{lines}\n]"]
        return "\n".join([*complaints, *files])

    def _was_done(self, when: object, line: str) -> bool:
        if isinstance(when, str):
            return any(line == other for _, other in self.done)
        return (float(str(when)), line) in self.done


def _count_cuts(host: str | None, lines: list[str]) -> tuple[int, int]:
    """Return how often a host lost its power, and how often its fencing was recorded."""
    cuts = sum(f" {host} " in line and " power off (" in line for line in lines)
    return cuts, sum(f" node {host}: nova-ha-fenced = fenced" in line for line in lines)


def _cloud_text(cloud: dict[str, Any]) -> str:
    """Return ``cloud.json`` with one host, server or plan in a line."""
    parts = []
    for key, value in cloud.items():
        if isinstance(value, list):
            text = "[\n" + ",\n".join(f"    {json.dumps(item)}" for item in value) + "\n  ]"
        else:
            text = json.dumps(value)
        parts.append(f'  "{key}": {text}')
    return "{\n" + ",\n".join(parts) + "\n}"
