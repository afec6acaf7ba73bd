# SPDX-License-Identifier: Apache-2.0
"""The random clouds find a product that has forgotten one of its rules, with the examples of one CI run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from nova_ha.decisions import decide_host, decide_lost, decide_proof, decide_server
from nova_ha.decisions.faults import RetryPlace, says_it_stayed
from nova_ha.decisions.notes import ServerNotes
from nova_ha.decisions.observation import HostView, ServerView
from nova_ha.decisions.plan import Plan
from nova_ha.decisions.retry_place import where_to_retry
from nova_ha.decisions.situation import Situation
from nova_ha.evacuation.observe import Observer
from nova_ha.evacuation.on_their_way import OnTheirWay
from nova_ha.model import Evacuation
from tests.random.strategies import Case, cases
from tests.random.test_random_clouds import play

EXAMPLES = 250


def without(name: str) -> tuple[object, ...]:
    """Return the rules about a server without one of them."""
    return tuple(rule for rule in decide_server.RULES if rule.__name__ != name)


def nobody_waits(patch: pytest.MonkeyPatch) -> None:
    """Rule 12: no request while a record is open."""
    patch.setattr(decide_server, "RULES", without("_under_way"))


def nothing_settles(patch: pytest.MonkeyPatch) -> None:
    """Rule 14: a request whose answer was lost may still have its effect."""
    patch.setattr(decide_server, "RULES", without("_settling"))


def every_record_is_dead(patch: pytest.MonkeyPatch) -> None:
    """Rule 15: an open record is dead only on evidence."""
    patch.setattr(decide_server, "reason_all_dead", lambda *_: "it takes long")


def any_place_will_do(patch: pytest.MonkeyPatch) -> None:
    """Rule 16: after a failure that may have left its guest only the same place is safe."""
    patch.setattr(decide_server, "where_to_retry", lambda *_: RetryPlace())


def the_same_fault_is_proof(patch: pytest.MonkeyPatch) -> None:
    """Rule 16: the same fault twice may come once before and once after the start of a guest."""
    patch.setattr(decide_server, "where_to_retry", _unless_it_was_the_same)


def _unless_it_was_the_same(
    failures: Sequence[Evacuation], view: ServerView, situation: Situation
) -> RetryPlace:
    last = [(noted.destination, noted.fault) for noted in view.notes.failures][-2:]
    is_same = len(last) == 2 and last[0] == last[1] and not says_it_stayed(last[0][1])
    return RetryPlace() if is_same else where_to_retry(failures, view, situation)


def what_hangs_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Rule 14: a request may still hang when its node is fenced again."""
    patch.setattr(OnTheirWay, "carry_over", lambda *_: None)


def a_marker_is_proof_for_ever(patch: pytest.MonkeyPatch) -> None:
    """Rule R1: a node that was lost since has to be fenced again."""
    from_marker = decide_proof._from_marker
    patch.setattr(decide_proof, "_from_marker", lambda view, service: from_marker(_not_lost(view), service))


def _not_lost(view: HostView) -> HostView:
    return replace(view, node=replace(view.node, lost=False))


def nobody_was_off(patch: pytest.MonkeyPatch) -> None:
    """Rule 19: what was off is off again."""
    patch.setattr(ServerNotes, "must_be_stopped", property(lambda _: False))


def nobody_was_here_before(patch: pytest.MonkeyPatch) -> None:
    """Rule 11: requests of the evacuator that was at work before may still show."""
    patch.setattr(Observer, "_takeover_until", lambda *_: 0.0)


def empty_is_empty(patch: pytest.MonkeyPatch) -> None:
    """Rule R3: a list that is empty once does not end a recovery."""
    patch.setattr(decide_host, "CONFIRMED_FOR", -1.0)
    patch.setattr(decide_host, "EMPTY_CONFIRMED_FOR", -1.0)
    patch.setattr(Observer, "learn", _first_look_is_last)


def _first_look_is_last(self: Observer, plan: Plan, _now: float) -> None:
    self.listings.plan_next(plan)
    self._final_since = {(host.view.node.name, host.view.node.fenced_at or ""): 0.0 for host in plan.hosts}


def nothing_is_taken_back(patch: pytest.MonkeyPatch) -> None:
    """Rule R5: what was done because of a loss is undone when the host is back."""
    patch.setattr(decide_lost, "_came_back", lambda *_: None)


@pytest.mark.parametrize(
    ("forget", "theme"),
    [
        (nobody_waits, "power"),
        (nothing_settles, "requests with lost answers"),
        (every_record_is_dead, "messages and destinations"),
        (any_place_will_do, "messages and destinations"),
        (the_same_fault_is_proof, "messages and destinations"),
        (what_hangs_is_forgotten, "requests with lost answers"),
        (a_marker_is_proof_for_ever, "lost and not fenced"),
        (nobody_was_off, "power"),
        (nobody_was_here_before, "the evacuator killed"),
        (empty_is_empty, "lists that are not true"),
        (nothing_is_taken_back, "lost and not fenced"),
    ],
    ids=lambda value: getattr(value, "__name__", value).replace("_", "-"),
)
def test_forgotten_rule_is_found(monkeypatch, forget: Callable[[pytest.MonkeyPatch], None], theme: str):
    """Each rule that is taken out of the product makes some random cloud go wrong."""
    forget(monkeypatch)

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(theme))
    def search(case: Case) -> None:
        play(case)

    with pytest.raises(AssertionError):
        search()
