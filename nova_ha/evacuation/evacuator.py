# SPDX-License-Identifier: Apache-2.0
"""The evacuator: observe, decide, act, until nothing changes.

    node lost -> fence_compute -> record -> **evacuator** -> Nova -> host back

One evacuator is at work in a cluster (NovaEvacuate is one Pacemaker resource). It keeps no truth of its
own: killed at any line and started anywhere else, it finds its way from Pacemaker's records and Nova
alone.
"""

from __future__ import annotations

import logging
from typing import Any, Callable, Protocol, cast

from nova_ha import record
from nova_ha.clock import Clock
from nova_ha.decisions.decide import decide
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import Observation
from nova_ha.decisions.pace import Pace
from nova_ha.decisions.plan import Claim, Evacuate, Fate, HostPlan, Plan, RememberProof, Verdict
from nova_ha.decisions.plan_unfenced import ASIDE
from nova_ha.decisions.policy import Policy
from nova_ha.errors import NovaHaError
from nova_ha.evacuation.act import Actor
from nova_ha.evacuation.asides import Asides
from nova_ha.evacuation.dispatch import Dispatcher, InlineDispatcher
from nova_ha.evacuation.journal import Journal
from nova_ha.evacuation.observe import Observer
from nova_ha.model import ClusterNode
from nova_ha.ports import ClusterPort, NovaPort

_log = logging.getLogger(__name__)

#: States in which the next look may be a while off: nothing happens, or not soon.
_PATIENT = {HostState.EVACUATED: 5.0, HostState.HELD: 3.0, HostState.RETURNING: 2.0}
_PATIENT.update({HostState.LOST: 2.0, HostState.WEDGED: 2.0})

#: What a host without a record may be, apart from well.
_UNFENCED = (HostState.LOST, HostState.WEDGED)

#: After a step that should show at once; not zero, lest a step that does not show makes the loop spin.
SOON = 0.1

#: Shortest time between two sentences about the same host in Pacemaker: each one wakes its scheduler.
PUBLISH_EVERY = 1.0


class StatusSink(Protocol):
    """Where the evacuator says after each pass that it lives, and what is stuck."""

    def write(self, troubles: tuple[str, ...]) -> None:
        """Say how the last pass ended; no troubles means that all is well."""

    def beat(self) -> None:
        """Say that the loop lives: within a pass, whenever a call has come back."""


class NoStatus:
    """Tells nobody."""

    def write(self, troubles: tuple[str, ...]) -> None:
        """Do nothing."""

    def beat(self) -> None:
        """Do nothing."""


class _Heard:
    """A port; each call of it that comes back is a sign of life: the calls of one pass may add up."""

    def __init__(self, port: object, beat: Callable[[], None]) -> None:
        self._port = port
        self._beat = beat

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for any method of the port
        method = getattr(self._port, name)

        def heard(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
            try:
                return method(*arguments, **named)
            finally:
                self._beat()

        return heard


class Evacuator:
    """Recovers every recorded host and brings returning hosts back into service.

    Args:
        nova: Nova.
        cluster: Pacemaker.
        clock: time.
        journal: what only the evacuator knows, kept over restarts.
        policy: the admin's settings.
        dispatcher: sends evacuate requests.
        owner: this evacuator's name on the nodes' entries; another one must have another.
        status: where to say that all is well, or what is not.
        asides: sends what may take long to be answered and nobody waits for; by default it is waited for.
        check: called with every observation and plan; tests check the invariants.
    """

    def __init__(
        self,
        nova: NovaPort,
        cluster: ClusterPort,
        clock: Clock,
        journal: Journal,
        policy: Policy,
        dispatcher: Dispatcher,
        owner: str,
        status: StatusSink | None = None,
        asides: Dispatcher | None = None,
        check: Callable[[Observation, Plan, Policy], None] = lambda *_: None,
    ) -> None:
        self._status = status or NoStatus()
        nova = cast(NovaPort, _Heard(nova, self._status.beat))
        self._cluster = cluster = cast(ClusterPort, _Heard(cluster, self._status.beat))
        self._clock = clock
        self._policy = policy
        self._dispatcher = dispatcher
        self._owner = owner
        self._check = check
        self._observer = Observer(nova, cluster, clock, journal, policy, owner)
        beside = Asides(asides or InlineDispatcher())
        self._actor = Actor(nova, cluster, clock, journal, dispatcher, self._observer, owner, beside)
        self._states: dict[str, tuple[HostState, str]] = {}
        self._fates: dict[str, tuple[Fate, bool]] = {}
        self._published: dict[str, tuple[str, float]] = {}
        self._pace = Pace(policy.poll)
        self.plan = Plan(())

    def cycle(self) -> float:
        """Make one pass; return the seconds until the next is due. Never raises a `NovaHaError`."""
        began = self._clock.monotonic()
        try:
            # In this order a request whose answer comes during the observation still counts as on its way
            # in it, and one whose answer was taken has its record in what is listed afterwards.
            self._actor.take_answers()
            outstanding = self._dispatcher.outstanding()
            observation = self._observer.observe(outstanding)
            self.plan = self._decide(observation, outstanding)
        except NovaHaError as error:
            self._status.write((f"Pacemaker does not answer: {error}",))
            return self._policy.idle
        # Requests first, sentences last: no request must wait for Pacemaker's tools.
        failures = [
            failure for host in sorted(self.plan.hosts, key=_sends_nothing) for failure in self._do(host)
        ]
        for host in self.plan.hosts:
            self._publish(host)
        troubles = tuple(trouble for host in self.plan.hosts for trouble in host.troubles)
        if observation.problem and not troubles:
            troubles = (observation.problem,)
        troubles += tuple(_left_behind(node) for node in observation.cluster.nodes if _has_left_behind(node))
        self._forget_others()
        self._pace.see(self.plan, began, self._clock.monotonic())
        self._status.write(troubles + tuple(failures))
        return self._until_next(has_failures=bool(failures))

    def _decide(self, observation: Observation, outstanding: frozenset[str]) -> Plan:
        """Decide; where a request would be sent on an older list, look at that host again and decide anew."""
        plan = decide(observation, self._policy)
        if plan.unlisted:
            observation = self._observer.look_again(observation, plan.unlisted, outstanding)
            plan = decide(observation, self._policy)
        confirmed = self._observer.confirm(observation)
        if confirmed is not observation:
            observation, plan = confirmed, decide(confirmed, self._policy)
        self._check(observation, plan, self._policy)
        self._observer.learn(plan, observation.now)
        return plan

    def take_answers(self) -> None:
        """Write down the answers to requests that have come since the last pass."""
        self._actor.take_answers()

    def _do(self, plan: HostPlan) -> list[str]:
        """Say what is new about a host, and act on it."""
        self._log_news(plan)
        return self._actor.perform(plan)

    def _log_news(self, plan: HostPlan) -> None:
        """Write one line for each host and server whose state is new."""
        before, reason = self._seen_before(plan)
        self._states[plan.view.host] = (plan.state, plan.reason)
        why = f" ({plan.reason})" if plan.reason else ""
        if before is not plan.state:
            _log.info("host '%s': %s -> %s%s", plan.view.host, before.word, plan.state.word, why)
        elif plan.reason not in ("", reason):
            _log.info("host '%s': still %s%s", plan.view.host, plan.state.word, why)
        for verdict in plan.verdicts:
            seen = verdict.fate, verdict.is_overdue
            if self._fates.get(verdict.view.id) != seen:
                self._fates[verdict.view.id] = seen
                _log.log(_level(verdict), "%s", verdict.sentence)

    def _seen_before(self, plan: HostPlan) -> tuple[HostState, str]:
        """Return state and reason of the pass before; a recovery is new although its host was seen lost."""
        seen = self._states.get(plan.view.host)
        is_new = seen is None or (seen[0] in _UNFENCED and bool(plan.view.node.fenced))
        return self._first_sight(plan) if seen is None or is_new else seen

    def _first_sight(self, plan: HostPlan) -> tuple[HostState, str]:
        """Say that a recovery is taken up; return the state that its record stands for."""
        node = plan.view.node
        if not node.fenced:
            said = next((state for state in _UNFENCED if (node.state or "").startswith(state.word)), None)
            return said or (HostState.UP if plan.state in _UNFENCED else HostState.LOST), ""
        what = "open" if node.recovery_is_open else "complete, the host is not back yet"
        _log.info("host '%s': fenced at %s, its recovery is %s", plan.view.host, node.fenced_at, what)
        return (HostState.FENCED if node.recovery_is_open else HostState.EVACUATED), ""

    def _publish(self, plan: HostPlan) -> None:
        """Write the sentence for people, when it is new and the last one has stood for a while."""
        node, now = plan.view.node.name, self._clock.now()
        text = self._sentence(plan)
        old, since = self._published.get(node, (plan.view.node.state or "", float("-inf")))
        is_being_claimed = any(isinstance(step, Claim) for step in plan.steps)
        if text is None or text == old or is_being_claimed or now - since < PUBLISH_EVERY:
            return
        try:
            self._cluster.publish_state(node, text)
        except NovaHaError as error:
            _log.debug("the state of host '%s' could not be published: %s", plan.view.host, error)
            return
        self._published[node] = (text, now)

    def _sentence(self, plan: HostPlan) -> str | None:
        """Return the sentence for people; None to leave the entry as it is.

        Until this evacuator has claimed a recovery, the entry may name another whose requests may still
        show up in Nova: that name must stay readable for whoever comes next.
        """
        view = plan.view
        if not view.node.fenced and not _may_be_overwritten(plan):
            return None
        names_another = bool(record.owner_of(view.node.state)) and not view.is_claimed
        if plan.state is HostState.UP or (view.node.recovery_is_open and names_another):
            return None
        owner = self._owner if view.is_claimed and view.node.recovery_is_open else ""
        return record.state_text(plan.state.word, plan.progress if plan.verdicts else "", owner, plan.reason)

    def _forget_others(self) -> None:
        """Forget hosts and servers that have no record any more."""
        hosts = {host.view.host for host in self.plan.hosts}
        servers = {verdict.view.id for host in self.plan.hosts for verdict in host.verdicts}
        nodes = {host.view.node.name for host in self.plan.hosts}
        self._states = {host: state for host, state in self._states.items() if host in hosts}
        self._fates = {server: fate for server, fate in self._fates.items() if server in servers}
        self._published = {node: text for node, text in self._published.items() if node in nodes}

    def _until_next(self, *, has_failures: bool) -> float:
        """Return how long nothing is expected to change."""
        if not self.plan.hosts:
            return self._policy.idle
        waits = [self._wait_for(host, has_failures=has_failures) for host in self.plan.hosts]
        return min(waits)

    def _wait_for(self, plan: HostPlan, *, has_failures: bool) -> float:
        if any(not isinstance(step, (*ASIDE, RememberProof)) for step in plan.steps) and not has_failures:
            return SOON
        if plan.state is HostState.EVACUATING and any(v.fate is Fate.WAITING for v in plan.verdicts):
            return self._pace.seconds(self._clock.monotonic())
        return _PATIENT.get(plan.state, self._policy.poll)


def _may_be_overwritten(plan: HostPlan) -> bool:
    """Say whether the sentence on the entry of a host without a record may be replaced.

    One that names servers which were not recovered is for an admin to remove; one about a loss stays until
    nothing is left to be taken back, and whoever finds it looks for that.
    """
    state = plan.view.node.state or ""
    return plan.state is not HostState.RETURNING and not state.startswith(record.NOT_RECOVERED)


def _sends_nothing(plan: HostPlan) -> bool:
    return not any(isinstance(step, Evacuate) for verdict in plan.verdicts for step in verdict.steps)


def _level(verdict: Verdict) -> int:
    """Return how much a server's news matters."""
    if verdict.is_overdue:
        return logging.WARNING
    return logging.DEBUG if verdict.fate in (Fate.WAITING, Fate.READY) else logging.INFO


def _has_left_behind(node: ClusterNode) -> bool:
    """Say whether a host is back whose servers could not all be recovered, and nobody has taken note yet."""
    return not node.fenced and (node.state or "").startswith(record.NOT_RECOVERED)


def _left_behind(node: ClusterNode) -> str:
    return f"host {node.name}: {node.state}; remove the node's attribute {record.STATE} when they are mended"
