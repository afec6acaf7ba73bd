# SPDX-License-Identifier: Apache-2.0
"""Run a scenario: a directory with ``README``, ``cloud.json``, ``script.json`` and ``log.expect``.

The expected log is whole: any line that is new, missing or at another time is a difference. A missing log is
recorded by the first run, to be read by a person before it is kept.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from nova_ha.agents.nova_evacuate import HEARTBEAT_LIMIT
from nova_ha.clock import Clock
from nova_ha.decisions.invariants import check_invariants
from nova_ha.decisions.policy import Policy
from nova_ha.evacuation.evacuator import Evacuator
from nova_ha.evacuation.journal import Journal, MemoryJournal
from nova_ha.ports import ClusterPort, NovaPort
from nova_ha.testing.clock import Actor
from nova_ha.testing.cloud import Plan, make_uuid
from nova_ha.testing.dispatcher import ActorDispatcher
from nova_ha.testing.effects import Watched
from nova_ha.testing.evacuation import OUTCOMES
from nova_ha.testing.event_log import LogHandler
from nova_ha.testing.fence import VirtualFenceActions
from nova_ha.testing.fencing import LEVELS
from nova_ha.testing.script import Script
from nova_ha.testing.world import EvacuatorProcess, SimulatedWorld

LOG = "log.expect"


@dataclass
class Interruption:
    """Kill the evacuator right after an effect and start it again.

    Attributes:
        after: the effect, counted from 1.
        elsewhere: whether it starts on another controller, which has no journal.
    """

    after: int
    elsewhere: bool = False


class Scenario:
    """One run of a scenario.

    Args:
        cloud: content of ``cloud.json``.
        script: content of ``script.json``.
        interruption: see there.
        extra: seconds to go on beyond the script's end.
    """

    def __init__(
        self,
        cloud: Mapping[str, Any],
        script: list[tuple[float | str, str]],
        interruption: Interruption | None = None,
        extra: float = 0.0,
    ) -> None:
        self.world = SimulatedWorld()
        self.controllers = EvacuatorHosts(self.world, Policy(**cloud.get("policy", {})), self._announce)
        self.effects = 0
        self._counts: dict[str, int] = {}
        self._timed, self._awaited = _split(script)
        self._interruption = interruption
        self._script = Script(self.world, self.controllers)
        build(self.world, cloud)
        self._first_hosts = {server.id: server.host for server in self.world.cloud.servers.values()}
        self.end = extra + max(float(when) for when, _ in script if not isinstance(when, str))

    def run(self) -> None:
        """Let everything happen, to the end."""
        with _logging_into(self.world):
            self.controllers.start("controller-0")
            for when, line in self._timed:
                self.world.clock.after(when, lambda line=line: self._do(line))  # type: ignore[misc]
            try:
                self.pass_time()
            finally:
                self.world.close()

    def pass_time(self) -> None:
        """Let time pass, to the end."""
        self.world.run(self.end)

    def outcome(self) -> dict[str, object]:
        """Return how everything ended, without what may differ after an interruption: which destination."""
        cloud = self.world.cloud
        servers: dict[str, object] = {
            server.name: (
                "deleted" if server.deleted else server.status,
                "stayed" if server.host == self._first_hosts[server.id] else "elsewhere",
                len(cloud.hypervisors.hosts_of(server.id)),
            )
            for server in cloud.servers.values()
        }
        hosts: dict[str, object] = {
            compute.host: (
                compute.disabled,
                compute.forced_down,
                bool(self.world.node_of(compute.host).fenced),
            )
            for compute in cloud.computes.values()
        }
        return {**servers, **hosts}

    def log(self) -> str:
        """Return the whole log and how everything ended."""
        return self.world.log.text() + "".join(f"{line}\n" for line in self.world.summary())

    def _do(self, line: str) -> None:
        if line != "end":
            self._script.do(line)

    def _announce(self, effect: str) -> None:
        """Note an effect of the evacuator; do what the script wants done right after it."""
        self.effects += 1
        self._counts[effect] = self._counts.get(effect, 0) + 1
        for line in self._awaited.pop(f"{effect} {self._counts[effect]}", ()):
            self._do(line)
        if self._interruption is not None and self.effects == self._interruption.after:
            self._interrupt(self._interruption)

    def _interrupt(self, interruption: Interruption) -> None:
        elsewhere = "controller-1" if interruption.elsewhere else self.controllers.current
        self.controllers.start(elsewhere, 15.0 if interruption.elsewhere else 3.0)
        self.controllers.kill()


@dataclass
class EvacuatorHosts:
    """The controllers: each has a journal; one runs the evacuator, whose `troubles` say what is stuck.

    An evacuator that gives no sign of life for so long that NovaEvacuate would end it is a violation.
    """

    world: SimulatedWorld
    policy: Policy
    announce: Any
    current: str = ""
    troubles: tuple[str, ...] = ()
    heard_at: float = 0.0
    journals: dict[str, dict[tuple[str, str], list[dict[str, Any]]]] = field(default_factory=dict)
    _processes: list[EvacuatorProcess] = field(default_factory=list)

    def write(self, troubles: tuple[str, ...]) -> None:
        """Take what the evacuator says after each pass; this is its `StatusSink`."""
        self.troubles = troubles
        self.beat()

    def beat(self) -> None:
        """Take a sign of life."""
        silence = self.world.clock.monotonic() - self.heard_at
        self.heard_at += silence
        if silence > HEARTBEAT_LIMIT:
            self.world.cloud.hypervisors.accuse("the evacuator seems to hang", f"silent for {silence:.0f} s")

    def start(self, controller: str, delay: float = 0.0) -> None:
        """Start an evacuator on a controller after a delay, if none runs then: Pacemaker runs one only."""
        self.world.clock.after(delay, lambda: self._start(controller))

    def kill(self) -> None:
        """Kill the evacuator that runs now."""
        self.world.log.add(self.current, "evacuator killed")
        processes, self._processes[:] = list(self._processes), []
        for process in processes:
            process.kill()

    def _start(self, controller: str) -> None:
        if self._processes:
            return
        self.current = controller
        self.heard_at = self.world.clock.monotonic()
        self.world.log.add(controller, "evacuator started")
        clock: Clock = self.world.clock
        dispatcher, asides = ActorDispatcher(self.world.clock), ActorDispatcher(self.world.clock)
        journal = MemoryJournal(clock, self.journals.setdefault(controller, {}))

        def create() -> Evacuator:
            return Evacuator(
                nova=cast(NovaPort, Watched(self.world.nova, self.announce)),
                cluster=cast(ClusterPort, Watched(self.world.cluster, self.announce)),
                clock=clock,
                journal=cast(Journal, Watched(journal, self.announce)),
                policy=self.policy,
                dispatcher=dispatcher,
                asides=asides,
                owner=controller,
                status=self,
                check=check_invariants,
            )

        def actors() -> list[Actor]:
            return [*dispatcher.actors(), *asides.actors()]

        self._processes.append(EvacuatorProcess(self.world, create, actors))


def build(world: SimulatedWorld, cloud: Mapping[str, Any]) -> None:
    """Build a world as ``cloud.json`` describes it.

    Raises:
        ValueError: it has a word that means nothing.
    """
    unknown = set(cloud) - {"hosts", "servers", "groups", "plans", "policy", "settings"}
    if unknown:
        raise ValueError(f"cloud.json: unknown keys: {', '.join(sorted(unknown))}")
    for host, properties in cloud["hosts"].items():
        world.add_host(host, **properties)
    for server in cloud["servers"]:
        _add_servers(world, dict(server))
    for policy, members in cloud.get("groups", ()):
        world.cloud.add_group(policy, members)
    for plan in cloud.get("plans", ()):
        _add_plan(world, dict(plan))
    _apply_settings(world, dict(cloud.get("settings", {})))
    given = {"domain": str(cloud.get("policy", {}).get("domain", ""))}
    world.fencing.actions = VirtualFenceActions(world.nova, world.cluster, world.clock, given)


def _add_servers(world: SimulatedWorld, server: dict[str, Any]) -> None:
    name, count = server.pop("name"), server.pop("count", None)
    for each in [name] if count is None else [f"{name}-{number}" for number in range(count)]:
        world.cloud.add_server(each, **server)


def _add_plan(world: SimulatedWorld, plan: dict[str, Any]) -> None:
    if plan["outcome"] not in OUTCOMES:
        raise ValueError(f"cloud.json: unknown outcome {plan['outcome']!r}; known: {', '.join(OUTCOMES)}")
    world.cloud.plans.append(Plan(server_id=make_uuid("server", plan.pop("server")), **plan))


def _apply_settings(world: SimulatedWorld, settings: dict[str, Any]) -> None:
    world.fencing.level = settings.pop("level", world.fencing.level)
    world.fencing.reboots = bool(settings.pop("reboots", world.fencing.reboots))
    world.machines.gate = bool(settings.pop("gate", world.machines.gate))
    world.machines.times.boot = settings.pop("boot", world.machines.times.boot)
    world.cloud.shared_storage = bool(settings.pop("shared_storage", world.cloud.shared_storage))
    if settings or world.fencing.level not in LEVELS:
        raise ValueError(f"cloud.json: unknown settings: {settings or world.fencing.level}")


def load(directory: Path, interruption: Interruption | None = None, extra: float = 0.0) -> Scenario:
    """Return the scenario of a directory."""
    cloud = json.loads((directory / "cloud.json").read_text(encoding="utf-8"))
    script = json.loads((directory / "script.json").read_text(encoding="utf-8"))
    return Scenario(cloud, [(when, line) for when, line in script], interruption, extra)


def compare(directory: Path, log: str) -> str:
    """Return a unified diff of the expected log and this one; record it when none is expected yet."""
    path = directory / LOG
    if not path.exists():
        path.write_text(log, encoding="utf-8")
        return f"{path} was recorded: read it, and run again\n"
    expected = path.read_text(encoding="utf-8").splitlines()
    lines = difflib.unified_diff(expected, log.splitlines(), str(path), "this run", n=2, lineterm="")
    return "\n".join(lines)


def _split(script: list[tuple[float | str, str]]) -> tuple[list[tuple[float, str]], dict[str, list[str]]]:
    """Split a script into what happens at a time and what happens after an effect."""
    timed = [(float(when), line) for when, line in script if not isinstance(when, str)]
    awaited: dict[str, list[str]] = {}
    for when, line in script:
        if isinstance(when, str):
            awaited.setdefault(when, []).append(line)
    return timed, awaited


@contextlib.contextmanager
def _logging_into(world: SimulatedWorld) -> Iterator[None]:
    """Let what the product logs appear in the world's log, and nowhere else."""
    logger = logging.getLogger("nova_ha")
    handler = LogHandler(world.log)
    before = (logger.level, logger.propagate)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
