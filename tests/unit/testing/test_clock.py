# SPDX-License-Identifier: Apache-2.0
"""The virtual clock."""

from __future__ import annotations

import pytest

from nova_ha.testing.clock import EPOCH, Killed, TooLong, VirtualClock


def test_sleep_runs_what_is_due_in_order():
    """What happens meanwhile happens in the order of time, and of being planned when simultaneous."""
    clock, seen = VirtualClock(), []
    for name, seconds in (("late", 2.0), ("first", 1.0), ("second", 1.0), ("after", 3.1)):
        clock.after(seconds, lambda name=name: seen.append((name, clock.monotonic())))
    clock.sleep(3.0)
    assert seen == [("first", 1.0), ("second", 1.0), ("late", 2.0)]
    assert (clock.monotonic(), clock.now()) == (3.0, EPOCH + 3.0)


def test_cancelled_event_does_not_happen():
    """A cancelled event is forgotten."""
    clock, seen = VirtualClock(), []
    clock.after(1.0, lambda: seen.append("no")).cancel()
    clock.sleep(2.0)
    assert seen == []


def test_actors_take_turns():
    """While one actor sleeps another one works."""
    clock, seen = VirtualClock(), []

    def work(name, pause):
        for _ in range(2):
            clock.sleep(pause)
            seen.append((name, clock.monotonic()))

    clock.spawn(lambda: work("a", 2.0))
    clock.spawn(lambda: work("b", 1.5))
    clock.sleep(10.0)
    assert seen == [("b", 1.5), ("a", 2.0), ("b", 3.0), ("a", 4.0)]
    assert not clock.actors


def test_killed_actor_does_no_further_step():
    """An actor that is killed ends where it sleeps, its clean-up included."""
    clock, seen = VirtualClock(), []

    def work():
        try:
            clock.sleep(5.0)
            seen.append("woke")
        except ArithmeticError:
            seen.append("caught")

    actor = clock.spawn(work)
    clock.sleep(1.0)
    actor.kill()
    clock.sleep(10.0)
    assert (seen, actor.is_over) == ([], True)


def test_actor_may_kill_itself():
    """Killing itself ends an actor at that line."""
    clock, seen = VirtualClock(), []

    def work():
        with pytest.raises(Killed):
            actor.kill()
        seen.append("killed")

    actor = clock.spawn(work)
    clock.sleep(1.0)
    assert seen == ["killed"]


def test_killed_before_it_began():
    """An actor that is killed before its first step never takes it."""
    clock, seen = VirtualClock(), []
    actor = clock.spawn(lambda: seen.append("ran"), delay=5.0)
    actor.kill()
    clock.sleep(10.0)
    assert seen == []


def test_error_of_an_actor_is_raised_in_the_world():
    """An actor's exception is not lost."""
    clock = VirtualClock()
    clock.spawn(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        clock.sleep(1.0)


def test_time_is_capped():
    """A world that would go on beyond its cap fails."""
    with pytest.raises(TooLong, match="60 s"):
        VirtualClock(limit=60.0).sleep(61.0)


def test_close_ends_everything():
    """After closing, no actor is left and nothing more happens."""
    clock, seen = VirtualClock(), []
    clock.spawn(lambda: clock.sleep(100.0))
    clock.after(2.0, lambda: seen.append("no"))
    clock.sleep(1.0)
    clock.close()
    clock.sleep(5.0)
    assert (seen, clock.actors) == ([], set())
