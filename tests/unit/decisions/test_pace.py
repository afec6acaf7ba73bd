# SPDX-License-Identifier: Apache-2.0
"""When the evacuator looks again while servers wait for others to arrive."""

from __future__ import annotations

from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.observation import HostView, ServerView
from nova_ha.decisions.pace import PRECISION, Pace
from nova_ha.decisions.plan import Evacuate, Fate, HostPlan, Plan, Verdict
from tests.unit.decisions.builders import a_node, a_server

POLL = 1.0


def a_plan(fate, *servers, step=None):
    """Return a plan in which these servers have that fate."""
    steps = (step,) if step else ()
    verdicts = tuple(Verdict(ServerView(one, None, is_here=True), fate, steps=steps) for one in servers)
    return Plan((HostPlan(HostView("compute-0", a_node()), HostState.EVACUATING, "", verdicts),))


def look_until_it_has_arrived(pace, server, begin, duration):
    """Send a request, follow the pace; return when the arrival was seen, and how many looks that took."""
    pace.see(a_plan(Fate.READY, server, step=Evacuate(a_server(), None, ())), begin, begin)
    now, looks = begin, 0
    while True:
        now, looks = now + pace.seconds(now), looks + 1
        has_arrived = now - begin >= duration
        pace.see(a_plan(Fate.VERIFIED if has_arrived else Fate.EVACUATING, server), now, now)
        if has_arrived:
            return now, looks


def run(pace, durations):
    """Evacuate one server after the other; return how late each arrival was seen, and the looks of each."""
    now, late, looks = 0.0, [], []
    for number, duration in enumerate(durations):
        seen, count = look_until_it_has_arrived(pace, f"s{number}", now, duration)
        late.append(seen - now - duration)
        looks.append(count)
        now = seen
    return late, looks


def test_unknown_duration():
    """As long as nothing has arrived, the looks are at the usual interval."""
    pace = Pace(POLL)
    assert POLL == pace.seconds(0.0)
    pace.see(a_plan(Fate.READY, "s1", step=Evacuate(a_server(), None, ())), 0.0, 0.0)
    assert POLL == pace.seconds(0.0)


def test_duration_is_found():
    """After a few evacuations of the same duration each arrival is seen at once, without more looks."""
    late, looks = run(Pace(POLL), [3.05] * 20)
    assert max(late[10:]) <= 2 * PRECISION
    assert max(looks[10:]) <= 5


def test_longer_from_now_on():
    """When evacuations take longer, the new duration is found, and the looks meanwhile stay few."""
    late, looks = run(Pace(POLL), [3.05] * 10 + [4.2] * 15)
    assert max(late[20:]) <= 2 * PRECISION
    assert max(looks) <= 12


def test_shorter_from_now_on():
    """When evacuations take less time, the new duration is found."""
    late, _ = run(Pace(POLL), [4.2] * 10 + [2.5] * 30)
    assert max(late[35:]) <= POLL
    assert min(late[10:]) < POLL / 2


def test_straggler():
    """An evacuation that takes far longer than others does not make the looks frequent."""
    pace = Pace(POLL)
    run(pace, [3.05] * 10)
    _, looks = look_until_it_has_arrived(pace, "slow", 100.0, 60.0)
    assert looks <= 1.5 * 60.0 / POLL
