# SPDX-License-Identifier: Apache-2.0
"""Do what was decided, step by step; every step may be repeated, and may be interrupted at any line."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Callable

from nova_ha import record
from nova_ha.clock import Clock
from nova_ha.dispatch import Answer, Dispatcher
from nova_ha.errors import NovaHaError, NovaUnavailable, RequestRefused, StillInUse
from nova_ha.journal import Journal
from nova_ha.model import HostState, Server
from nova_ha.notes import ACCEPTED, AMBIGUOUS, IN_USE, NOT_SENT, REFUSED
from nova_ha.observation import (
    Claim,
    ClearForcedDown,
    ClearRecord,
    Enable,
    Evacuate,
    HostPlan,
    LookCloser,
    MarkEvacuated,
    NoteFailure,
    ResetToError,
    RestartCompute,
    Step,
    StopServer,
    TellDown,
    WriteRecord,
)
from nova_ha.observe import Observer
from nova_ha.ports import ClusterPort, NovaPort

_log = logging.getLogger(__name__)

_SHUT_DOWN = 4  # Nova's power_state of a guest that is off


class Actor:
    """Performs steps. Knows which request belongs to which recovery until its answer is in the journal."""

    def __init__(
        self,
        nova: NovaPort,
        cluster: ClusterPort,
        clock: Clock,
        journal: Journal,
        dispatcher: Dispatcher,
        observer: Observer,
        owner: str,
    ) -> None:
        self._nova = nova
        self._cluster = cluster
        self._clock = clock
        self._journal = journal
        self._dispatcher = dispatcher
        self._observer = observer
        self._owner = owner
        self._asked: dict[str, tuple[str, str]] = {}
        self._perform: dict[type, Callable[[Any, HostPlan], None]] = {
            WriteRecord: self._write_record,
            TellDown: self._tell_down,
            Claim: self._claim,
            ResetToError: self._reset,
            StopServer: self._stop,
            LookCloser: self._look_closer,
            NoteFailure: self._note_failure,
            MarkEvacuated: self._mark,
            RestartCompute: self._restart_compute,
            ClearForcedDown: self._clear_forced_down,
            Enable: self._enable,
            ClearRecord: self._clear_record,
        }

    def perform(self, plan: HostPlan) -> list[str]:
        """Do the steps of one host's plan; return what failed. What failed is decided anew."""
        steps = [*plan.steps, *(step for verdict in plan.verdicts for step in verdict.steps)]
        failures = [self._try(step, plan) for step in steps if not isinstance(step, Evacuate)]
        self._evacuate([step for step in steps if isinstance(step, Evacuate)], plan)
        return [failure for failure in failures if failure]

    def _try(self, step: Step, plan: HostPlan) -> str | None:
        try:
            self._perform[type(step)](step, plan)
        except NovaHaError as error:
            _log.info("host '%s': %s did not succeed: %s", plan.view.host, type(step).__name__, error)
            return str(error)
        return None

    # --- evacuations ----------------------------------------------------------------------------------------

    def _evacuate(self, steps: Iterable[Evacuate], plan: HostPlan) -> None:
        """Write down every request, make that durable, and only then send them (rules 13, 19)."""
        wanted = list(steps)
        if not wanted:
            return
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
            self._asked[step.server.id] = _recovery(plan)
            self._dispatcher.send(step.server.id, self._request(step))

    def _request(self, step: Evacuate) -> Callable[[], str]:
        return lambda: self._nova.evacuate(step.server.id, step.destination)

    def take_answers(self) -> None:
        """Write down the answers that have come."""
        for answer in self._dispatcher.answers():
            outcome, text = _meaning(answer)
            host, fenced_at = self._asked.pop(answer.key)
            facts = {"server": answer.key, "outcome": outcome, "request_id": answer.request_id, "text": text}
            self._journal.append(host, fenced_at, "answered", **facts)
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
        self._cluster.restart_compute(step.node)
        _log.warning("host '%s': nova-compute is being restarted: %s", plan.view.host, step.reason)

    def _clear_forced_down(self, step: ClearForcedDown, plan: HostPlan) -> None:
        self._nova.clear_forced_down(step.service)
        _log.info("host '%s': Nova may see it as up again", plan.view.host)

    def _enable(self, step: Enable, plan: HostPlan) -> None:
        self._nova.enable(step.service)
        _log.info("host '%s': enabled in Nova", plan.view.host)

    # --- servers --------------------------------------------------------------------------------------------

    def _reset(self, step: ResetToError, plan: HostPlan) -> None:
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
        self._journal_event(plan, "evacuated", summary=plan.reason)
        self._cluster.mark_evacuated(step.node, step.fenced_at)

    def _clear_record(self, step: ClearRecord, plan: HostPlan) -> None:
        # The sentence first: without a record nobody would come back to remove it.
        self._cluster.publish_state(step.node, None)
        if not self._cluster.clear_record(step.node, step.fenced_at):
            _log.warning("host '%s': fenced again meanwhile", plan.view.host)
            return
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


def _meaning(answer: Answer) -> tuple[str, str]:
    """Return what an answer means; whatever is not known to be harmless counts as ambiguous."""
    error = answer.error
    if error is None:
        return ACCEPTED, ""
    for kind, outcome in ((StillInUse, IN_USE), (RequestRefused, REFUSED), (NovaUnavailable, NOT_SENT)):
        if isinstance(error, kind):
            return outcome, str(error)
    return AMBIGUOUS, str(error) or type(error).__name__
