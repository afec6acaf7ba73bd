# SPDX-License-Identifier: Apache-2.0
"""Decide what to do about one fenced host whose recovery is open.

fenced -> down -> evacuating -> evacuated, or held for a reason. Each function answers one question and
returns None when it leaves the answer to the next. What follows after ``evacuated`` is in
`nova_ha.decisions.decide_return`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nova_ha import record
from nova_ha.clock import parse_time
from nova_ha.decisions.decide_proof import why_it_was_alive_later
from nova_ha.decisions.decide_server import decide_server
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import HostView
from nova_ha.decisions.plan import (
    Claim,
    Evacuate,
    Fate,
    HostPlan,
    MarkEvacuated,
    RememberProof,
    Step,
    TellDown,
    Verdict,
)
from nova_ha.decisions.policy import Policy
from nova_ha.decisions.situation import Situation
from nova_ha.model import ServerGroup, Service

#: A heartbeat older than this says nothing about now: the host may have been fenced again since.
HEARTBEAT_FORGOTTEN = 60.0

#: A connection that fails so many seconds after a record was up when that was written: controllers' clocks
#: differ a little, and of a node that is fenced while it is online the connection fails with the power.
LOST_LATER = 30.0

#: A recovery that takes so many seconds remembers the proof of its fencing by itself.
PROOF_AFTER = 10.0

#: How long every look must find every server at its end before a recovery is closed. An API that answers
#: a list with nothing once, for whatever reason, must not close it (rule R3); the longer one for a list
#: without any server.
CONFIRMED_FOR = 3.0
EMPTY_CONFIRMED_FOR = 15.0


@dataclass(frozen=True)
class Circumstances:
    """What a recovery depends on besides its host.

    Attributes:
        now: epoch seconds.
        policy: the admin's settings.
        dead_hosts: hosts on which nothing runs or arrives.
        groups: hard server groups by member.
        conductors_since: since when Nova's conductors are known to be up; epoch seconds.
        fencings: when Pacemaker remembers to have fenced Nova's hosts; epoch seconds.
        hold: why no host's servers may be asked for now; None when they may.
        destinations: the services of hosts that can take servers now.
        some_soon: whether a host has fallen silent that may take servers again.
    """

    now: float
    policy: Policy
    dead_hosts: frozenset[str] = frozenset()
    groups: Mapping[str, ServerGroup] = field(default_factory=dict)
    conductors_since: float | None = None
    fencings: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    hold: str | None = None
    destinations: tuple[Service, ...] = ()
    some_soon: bool = False

    @property
    def nowhere(self) -> str | None:
        """Return why servers have nowhere to go now, or None."""
        is_hope = bool(self.destinations) or self.some_soon
        return self.hold or (None if is_hope else "no other host can take servers")


def decide_recovery(view: HostView, circumstances: Circumstances) -> HostPlan:
    """Return what to do about a host with an open recovery."""
    told = _tell_nova(view)
    if told is not None:
        return told
    if view.servers is None:
        return HostPlan(view, HostState.DOWN, "its servers are being listed")
    situation = _situation(view, circumstances)
    verdicts = tuple(decide_server(server, situation) for server in view.servers)
    held = circumstances.hold or reason_it_may_be_alive(view, circumstances)
    plan = _evacuating(view, _held_back(verdicts, held) if held else verdicts, held, circumstances.now)
    return replace(plan, steps=(*_proof(view, circumstances), *plan.steps))


def _proof(view: HostView, circumstances: Circumstances) -> tuple[Step, ...]:
    """Have the proof written down while it is there: Pacemaker keeps it in memory only.

    Its history ends with the control plane, or with ``pcs stonith history cleanup``, and ``node_fenced`` when
    the node is back; one that is back without any proof may never have been off. Most recoveries are over
    before that matters, and are spared a change of the configuration.
    """
    age = circumstances.now - (parse_time(view.node.fenced_at or "") or circumstances.now)
    is_due = age >= PROOF_AFTER and record.PROVEN not in view.node.facts
    return (RememberProof(),) if is_due and _is_remembered(view, circumstances) else ()


def _situation(view: HostView, circumstances: Circumstances) -> Situation:
    return Situation(
        host=view.host,
        fenced_at=parse_time(view.node.fenced_at or "") or 0.0,
        now=circumstances.now,
        policy=circumstances.policy,
        takeover_until=view.takeover_until,
        dead_hosts=circumstances.dead_hosts,
        destinations=_in_zone_of(view, circumstances.destinations),
        nowhere=circumstances.nowhere,
        source_is_back=view.node.online,
        groups=circumstances.groups,
        conductors_since=circumstances.conductors_since,
        fencings=circumstances.fencings,
    )


def _in_zone_of(view: HostView, services: tuple[Service, ...]) -> tuple[str, ...]:
    """Return the hosts of the failed host's zone: servers are often bound to it (nova.md 2.3)."""
    zone = view.service.zone if view.service else None
    return tuple(sorted(service.host for service in services if service.zone == zone))


def _tell_nova(view: HostView) -> HostPlan | None:
    """Make Nova see the host as down before anything else (rules 2, 4, 5)."""
    service = view.service
    if view.problem or service is None:
        return HostPlan(view, HostState.HELD, view.problem or "Nova does not show its service")
    if not service.is_known:
        return HostPlan(view, HostState.HELD, "its cell is down: Nova cannot tell what runs there")
    alive = why_it_was_alive_later(service, view.node.fenced_at or "")
    if alive is not None:
        return HostPlan(view, HostState.HELD, alive)
    # A request to disable the service of a lost host may take effect late, and hide that it was fenced since.
    if not service.forced_down or service.status == "enabled" or service.is_lost:
        tell = TellDown(service, service.reason_when_fenced(view.node.fenced_at or ""))
        return HostPlan(view, HostState.FENCED, "", steps=(tell,))
    if service.state != "down":
        return HostPlan(view, HostState.FENCED, "Nova does not see it as down yet")
    return None


def reason_it_may_be_alive(view: HostView, circumstances: Circumstances) -> str | None:
    """Return why a fenced host counts as alive all the same: that outweighs every proof of fencing."""
    beat, now = view.heartbeat, circumstances.now
    if beat.is_proven and now - beat.last_advance < HEARTBEAT_FORGOTTEN:
        return "its nova-compute still reports to Nova: switch it off, then fence it again"
    if record.PROVEN in view.node.facts or _is_remembered(view, circumstances):
        return None
    if view.node.online:
        return "it is online, and Pacemaker remembers no fencing of it: have it fenced, or remove its record"
    if _is_lost_since(view):
        return "Pacemaker has lost it after its record, and has not fenced it since: have it fenced"
    return None


def _is_lost_since(view: HostView) -> bool:
    """Say whether a host was connected after its record, is lost now, and has not been fenced since.

    The record may have been written by mistake; of a host that was fenced and has come back it proves nothing
    any more about what runs there now.
    """
    fenced_at, node = parse_time(view.node.fenced_at or ""), view.node
    if fenced_at is None or node.lost_since is None or node.fenced_since is not None:
        return False
    return node.lost_since > fenced_at + LOST_LATER


def _is_remembered(view: HostView, circumstances: Circumstances) -> bool:
    """Say whether Pacemaker remembers the fencing that the record is about."""
    recorded = parse_time(view.node.fenced_at or "")
    times = circumstances.fencings.get(view.host, ())
    return recorded is not None and any(time >= recorded - 1.0 for time in times)


def _held_back(verdicts: tuple[Verdict, ...], reason: str) -> tuple[Verdict, ...]:
    """Take every new request out of the verdicts; what is under way is followed on."""
    return tuple(
        Verdict(v.view, Fate.WAITING, reason) if v.fate in (Fate.READY, Fate.WAITING) else v for v in verdicts
    )


def _evacuating(view: HostView, verdicts: tuple[Verdict, ...], held: str | None, now: float) -> HostPlan:
    """Follow the servers to their ends, and mark the host when all have come to theirs."""
    if all(verdict.fate.is_final for verdict in verdicts):
        return _closing(view, verdicts, now)
    wants_to_send = any(isinstance(step, Evacuate) for v in verdicts for step in v.steps)
    claim: tuple[Step, ...] = (Claim(view.node.name),) if wants_to_send and not view.is_claimed else ()
    if held:
        return HostPlan(view, HostState.HELD, held, verdicts, claim)
    return HostPlan(view, HostState.EVACUATING, "", verdicts, claim)


def _closing(view: HostView, verdicts: tuple[Verdict, ...], now: float) -> HostPlan:
    """Mark the host once all looks for some time have found the same."""
    doomed = [v.view.name for v in verdicts if v.view.is_here and v.view.open_records]
    if doomed:
        reason = f"nova-compute would destroy {', '.join(doomed)}, whose evacuations are open in Nova"
        return HostPlan(view, HostState.HELD, reason, verdicts)
    needed = CONFIRMED_FOR if verdicts else EMPTY_CONFIRMED_FOR
    if view.final_since is None or now - view.final_since < needed:
        return HostPlan(view, HostState.EVACUATING, f"looking again: {_summary(verdicts)}", verdicts)
    mark = MarkEvacuated(view.node.name, view.node.fenced_at or "")
    return HostPlan(view, HostState.EVACUATED, _summary(verdicts), verdicts, (mark,))


def _summary(verdicts: tuple[Verdict, ...]) -> str:
    """Return how many servers ended how, for the line that closes a recovery."""
    counts = {fate: sum(1 for v in verdicts if v.fate is fate) for fate in Fate}
    return ", ".join(f"{count} {fate.word}" for fate, count in counts.items() if count) or "no servers"
