# SPDX-License-Identifier: Apache-2.0
"""Do what was decided, step by step; every step may be repeated, and may be interrupted at any line."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Callable

from nova_ha import record
from nova_ha.clock import Clock
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.notes import ACCEPTED
from nova_ha.decisions.plan import (
    Claim,
    ClearForcedDown,
    ClearRecord,
    Enable,
    Evacuate,
    Fate,
    HostPlan,
    KeepDisabled,
    LookCloser,
    MarkEvacuated,
    NoteFailure,
    RememberProof,
    ResetToError,
    RestartCompute,
    StartAtHome,
    StopServer,
    TellDown,
    WriteRecord,
)
from nova_ha.errors import NovaHaError, RequestRefused
from nova_ha.evacuation.act_unfenced import UnfencedActs
from nova_ha.evacuation.asides import Asides
from nova_ha.evacuation.dispatch import Dispatcher, meaning, status_of
from nova_ha.evacuation.journal import Journal
from nova_ha.evacuation.observe import Observer
from nova_ha.evacuation.on_their_way import OnTheirWay
from nova_ha.model import Server
from nova_ha.ports import ClusterPort, NovaPort
from nova_ha.record import LEFT, OFF, PROVEN, RESET, START, STARTED

_log = logging.getLogger(__name__)

_SHUT_DOWN = 4  # Nova's power_state of a guest that is off


class Actor:
    """Performs steps."""

    def __init__(
        self,
        nova: NovaPort,
        cluster: ClusterPort,
        clock: Clock,
        journal: Journal,
        dispatcher: Dispatcher,
        observer: Observer,
        owner: str,
        asides: Asides,
    ) -> None:
        self._nova = nova
        self._cluster = cluster
        self._clock = clock
        self._journal = journal
        self._dispatcher = dispatcher
        self._observer = observer
        self._owner = owner
        self._asides = asides
        self._asked = OnTheirWay(journal)
        self._failed: dict[tuple[str, str], str] = {}
        self._facts: dict[tuple[str, str], frozenset[str]] = {}
        self._perform: dict[type, Callable[[Any, HostPlan], None]] = {
            WriteRecord: self._write_record,
            TellDown: self._tell_down,
            Claim: self._claim,
            RememberProof: lambda _step, plan: self._remember(plan, [PROVEN]),
            ResetToError: self._reset,
            StopServer: self._stop,
            LookCloser: self._look_closer,
            NoteFailure: self._note_failure,
            MarkEvacuated: self._mark,
            RestartCompute: self._restart_compute,
            ClearForcedDown: self._clear_forced_down,
            Enable: self._enable,
            KeepDisabled: self._keep_disabled,
            StartAtHome: self._start_at_home,
            ClearRecord: self._clear_record,
            **UnfencedActs(nova, cluster, clock, asides).by_step,
        }

    def perform(self, plan: HostPlan) -> list[str]:
        """Do the steps of one host's plan; return what failed. What failed is decided anew."""
        self._asked.carry_over(plan.view.node)
        steps = [*plan.steps, *(step for verdict in plan.verdicts for step in verdict.steps)]
        failures = [
            self._try(type(step).__name__, plan, lambda step=step: self._perform[type(step)](step, plan))  # type: ignore[misc]
            for step in steps
            if not isinstance(step, Evacuate)
        ]
        requests = [step for step in steps if isinstance(step, Evacuate)]
        failures.append(self._try("Evacuate", plan, lambda: self._evacuate(requests, plan)))
        return [failure for failure in failures if failure]

    def _try(self, what: str, plan: HostPlan, effect: Callable[[], None]) -> str | None:
        """Have an effect; say once, not in every pass, why it cannot be had."""
        key = (plan.view.host, what)
        try:
            effect()
        except NovaHaError as error:
            if self._failed.get(key) != str(error):
                _log.warning("host '%s': %s did not succeed: %s", plan.view.host, what, error)
            self._failed[key] = str(error)
            return str(error)
        self._failed.pop(key, None)
        return None

    # --- evacuations ----------------------------------------------------------------------------------------

    def _evacuate(self, steps: Iterable[Evacuate], plan: HostPlan) -> None:
        """Write down every request, make that durable, and only then send them (rules 13, 19)."""
        wanted = list(steps)
        if not wanted:
            return
        off = [OFF + step.server.id for step in wanted if _is_off_in_error(step.server)]
        self._remember(plan, off)
        for step in wanted:
            self._journal_event(
                plan,
                "asking",
                server=step.server.id,
                destination=step.destination,
                known=list(step.known_records),
                vm_state=step.server.vm_state,
                was_off=_is_off(step.server),
            )
        self._journal.sync(*_recovery(plan))
        for step in wanted:
            self._observer.listings.closer.forget(step.server.id)
            self._asked.add(step.server.id, _recovery(plan))
            self._dispatcher.send(step.server.id, self._request(step))

    def _request(self, step: Evacuate) -> Callable[[], str]:
        return lambda: self._nova.evacuate(step.server.id, step.destination)

    def take_answers(self) -> None:
        """Write down the answers that have come."""
        self._asides.take_answers()
        for answer in self._dispatcher.answers():
            outcome, text = meaning(answer)
            host, fenced_at = self._asked.take(answer.key)
            facts = {"server": answer.key, "outcome": outcome, "request_id": answer.request_id, "text": text}
            self._journal.append(host, fenced_at, "answered", status=status_of(answer), **facts)
            if outcome == ACCEPTED:
                _log.info(
                    "server %s: Nova accepted to evacuate it (request %s)", answer.key, answer.request_id
                )
            else:
                _log.warning("server %s: evacuate request %s: %s", answer.key, outcome, text)

    # --- Nova's view of the host ----------------------------------------------------------------------------

    def _tell_down(self, step: TellDown, plan: HostPlan) -> None:
        begun = self._clock.monotonic()
        self._nova.tell_down(step.service, step.reason)
        seconds = self._clock.monotonic() - begun
        _log.info("host '%s': forced down in Nova in %.1f s", plan.view.host, seconds)

    def _restart_compute(self, step: RestartCompute, plan: HostPlan) -> None:
        self._journal_event(plan, "restarted")
        if plan.view.service is not None:
            self._observer.heartbeats.forget(plan.view.service.id)
        self._cluster.restart_compute(step.node)
        _log.warning("host '%s': nova-compute is being restarted: %s", plan.view.host, step.reason)

    def _clear_forced_down(self, step: ClearForcedDown, plan: HostPlan) -> None:
        self._nova.clear_forced_down(step.service)
        _log.info("host '%s': Nova may see it as up again", plan.view.host)

    def _enable(self, step: Enable, plan: HostPlan) -> None:
        self._nova.enable(step.service)
        _log.info("host '%s': enabled in Nova", plan.view.host)

    def _keep_disabled(self, step: KeepDisabled, plan: HostPlan) -> None:
        self._nova.disable(step.service, step.reason)
        _log.info("host '%s': stays disabled in Nova (%s)", plan.view.host, step.reason)

    # --- servers --------------------------------------------------------------------------------------------

    def _reset(self, step: ResetToError, plan: HostPlan) -> None:
        self._remember(plan, [RESET + step.server.id])
        self._journal_event(plan, "reset", server=step.server.id, was_off=_is_off(step.server))
        self._journal.sync(*_recovery(plan))
        self._nova.reset_to_error(step.server.id)

    def _stop(self, step: StopServer, plan: HostPlan) -> None:
        self._nova.stop(step.server_id)
        self._journal_event(plan, "stopped", server=step.server_id)

    def _look_closer(self, step: LookCloser, _plan: HostPlan) -> None:
        self._observer.listings.closer.want(step.server_id)

    def _note_failure(self, step: NoteFailure, plan: HostPlan) -> None:
        facts = {"record": step.record.uuid, "destination": step.record.destination, "fault": step.fault}
        self._journal_event(plan, "failed", server=step.server_id, **facts)
        where = f"on {step.record.destination}" if step.record.destination else "before any destination"
        _log.warning(
            "server %s: evacuation failed %s: %s", step.server_id, where, step.fault or step.record.status
        )

    # --- the node's entry in Pacemaker ----------------------------------------------------------------------

    def _write_record(self, step: WriteRecord, plan: HostPlan) -> None:
        self._cluster.write_record(step.node, step.fenced_at)
        _log.warning(
            "host '%s': recorded as fenced at %s, from %s", plan.view.host, step.fenced_at, step.proof
        )

    def _claim(self, step: Claim, plan: HostPlan) -> None:
        self._journal_event(plan, "begun", owner=self._owner)
        self._journal.sync(*_recovery(plan))
        text = record.state_text(HostState.EVACUATING.word, plan.progress, self._owner)
        self._cluster.publish_state(step.node, text)

    def _mark(self, step: MarkEvacuated, plan: HostPlan) -> None:
        staying = [verdict for verdict in plan.verdicts if verdict.fate is Fate.IMMOVABLE]
        for verdict in staying:
            what = "to be started on it" if verdict.starts_at_home else "not recovered"
            _log.warning("host '%s': %s: %s", plan.view.host, what, verdict.sentence)
        self._remember(plan, [(START if v.starts_at_home else LEFT) + v.view.id for v in staying])
        self._journal_event(plan, "evacuated", summary=plan.reason)
        self._cluster.mark_evacuated(step.node, step.fenced_at)

    def _start_at_home(self, step: StartAtHome, plan: HostPlan) -> None:
        """Start servers; one that Nova refuses to start is left to an admin.

        What was done is remembered also when Nova goes away: a second reboot would hit a guest that runs.
        One lost answer ends it for this pass: the next would be waited for as long.
        """
        facts = [STARTED + server_id for server_id in step.taken]
        over = [fact + server_id for server_id in step.over for fact in (START, STARTED)]
        try:
            for server_id in step.server_ids:
                self._journal_event(plan, "starting", server=server_id)
                facts.append((STARTED if self._starts(server_id) else LEFT) + server_id)
        finally:
            over += [START + fact.partition(":")[2] for fact in facts]
            over += [STARTED + fact[len(LEFT) :] for fact in facts if fact.startswith(LEFT)]
            self._remember(plan, facts, without=over)

    def _starts(self, server_id: str) -> bool:
        """Start a server; return whether Nova took the request."""
        try:
            self._nova.hard_reboot(server_id)
        except RequestRefused as error:
            _log.warning("server %s: not started on its host, which is back: %s", server_id, error)
            return False
        _log.info("server %s: is being started on its host, which is back", server_id)
        return True

    def _remember(self, plan: HostPlan, facts: Iterable[str], without: Iterable[str] = ()) -> None:
        """Change the facts about servers on the node's entry, for an evacuator on another controller."""
        node = plan.view.node
        written = self._facts.get(_recovery(plan), node.facts)
        wanted = written.union(facts).difference(without)
        if wanted != written:
            self._cluster.remember(node.name, node.fenced_at or "", wanted)
            self._facts[_recovery(plan)] = wanted

    def _clear_record(self, step: ClearRecord, plan: HostPlan) -> None:
        # The sentence first: without a record nobody would come back to remove it.
        left = record.servers_with(LEFT, plan.view.node.facts)
        self._cluster.publish_state(step.node, record.NOT_RECOVERED + ", ".join(left) if left else None)
        if not self._cluster.clear_record(step.node, step.fenced_at):
            _log.warning("host '%s': fenced again meanwhile", plan.view.host)
            return
        self._facts.pop(_recovery(plan), None)
        self._journal_event(plan, "closed")
        if plan.view.service is not None:
            self._observer.heartbeats.forget(plan.view.service.id)

    def _journal_event(self, plan: HostPlan, event: str, **facts: object) -> None:
        host, fenced_at = _recovery(plan)
        self._journal.append(host, fenced_at, event, **facts)


def _recovery(plan: HostPlan) -> tuple[str, str]:
    """Return what names a recovery in the journal."""
    return plan.view.node.name, plan.view.node.fenced_at or ""


def _is_off(server: Server) -> bool:
    """Say whether a server is shut off; in ERROR only its power state still tells (nova.md 2.6)."""
    return server.vm_state == "stopped" or (server.vm_state == "error" and server.power_state == _SHUT_DOWN)


def _is_off_in_error(server: Server) -> bool:
    """Say whether only its power state tells that a server is off: it comes back running (nova.md 2.5)."""
    return server.vm_state == "error" and _is_off(server)
