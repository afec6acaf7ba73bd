# SPDX-License-Identifier: Apache-2.0
"""The auditor catches each way in which a server can be wrong, and nothing that is right."""

from __future__ import annotations

import dataclasses

import pytest

from tests.lab.openstack.judgement import (
    GRACE,
    Copy,
    Finding,
    Judgement,
    Kind,
    NovaServer,
    NovaView,
    Observation,
    Trouble,
    judge,
    remember,
)

GOOD = NovaServer("u1", "vm-1", "compute-0", "active", None)
ALIVE = Copy("u1", "compute-0", 101)
SECOND = Copy("u1", "compute-1", 202)


def seen(*copies: Copy, server: NovaServer | None = GOOD, evacuating: bool = False, **more) -> Observation:
    """Return an observation of at most one server, in which nothing else is wrong."""
    servers = (server,) if server else ()
    nova = NovaView(servers, frozenset({"u1"} if evacuating else ()))
    return Observation(**{"now": 0.0, "copies": copies, "nova": nova, **more})


def after(seconds: float, observation: Observation) -> tuple[Finding, ...]:
    """Return the findings when the same is seen twice, `seconds` apart."""
    first = judge({}, observation)
    return judge(first.suspected, dataclasses.replace(observation, now=observation.now + seconds)).findings


def kinds(findings: tuple[Finding, ...]) -> list[Kind]:
    """Return what kinds of wrong were found."""
    return [finding.kind for finding in findings]


def test_a_server_that_runs_where_nova_says_is_fine() -> None:
    """One live copy on Nova's host is never a finding, however long it is watched."""
    assert after(3600, seen(ALIVE)) == ()


def test_an_active_server_without_a_process_is_lost() -> None:
    """Nova says ACTIVE with no task, nothing lives anywhere, and the grace time is over."""
    assert kinds(after(GRACE[Kind.LOST], seen())) == [Kind.LOST]


def test_a_server_is_not_lost_before_its_grace_time_is_over() -> None:
    """A dead host's servers have some time to be evacuated."""
    assert after(GRACE[Kind.LOST] - 0.1, seen()) == ()


def test_a_server_that_lives_again_is_not_lost() -> None:
    """A copy in between starts the grace time anew."""
    first = judge({}, seen())
    second = judge(first.suspected, seen(ALIVE, now=50.0))
    assert judge(second.suspected, seen(now=100.0)).findings == ()


@pytest.mark.parametrize(("vm_state", "task"), [("active", "rebuilding"), ("stopped", None), ("error", None)])
def test_a_server_that_need_not_run_is_not_lost(vm_state: str, task: str | None) -> None:
    """Only ACTIVE with no task promises a running guest."""
    assert after(3600, seen(server=dataclasses.replace(GOOD, vm_state=vm_state, task_state=task))) == ()


def test_two_live_copies_are_found_at_once() -> None:
    """A second copy is a finding in the first round, with both hosts named, even in an evacuation."""
    found = judge({}, seen(ALIVE, SECOND, evacuating=True)).findings
    assert kinds(found)[:1] == [Kind.DOUBLED]
    assert "compute-0" in found[0].text
    assert "compute-1" in found[0].text


def test_two_live_copies_are_found_while_nova_is_down() -> None:
    """Processes alone tell it."""
    assert kinds(judge({}, seen(ALIVE, SECOND, nova=None)).findings) == [Kind.DOUBLED]


def test_a_locked_disk_is_a_second_copy() -> None:
    """An alarm tells of a second copy also if it lived too shortly to be seen."""
    alarm = Trouble("u1", "on compute-1: the disk is locked by another live copy")
    assert judge({}, seen(ALIVE, alarms=(alarm,))).findings == (Finding(Kind.DOUBLED, "u1", 0.0, alarm.text),)


def test_a_server_that_runs_elsewhere_is_misplaced() -> None:
    """The one live copy is on another host than Nova's for longer than the grace time."""
    assert kinds(after(GRACE[Kind.MISPLACED], seen(SECOND))) == [Kind.MISPLACED]
    assert after(GRACE[Kind.MISPLACED] - 0.1, seen(SECOND)) == ()


def test_the_last_moments_of_an_evacuation_are_not_misplaced() -> None:
    """Nova shows ACTIVE and the old host while the guest runs on the new one: the record explains it."""
    assert after(3600, seen(SECOND, evacuating=True)) == ()


def test_a_guest_with_a_task_is_not_misplaced() -> None:
    """While Nova works on a server, its host may differ."""
    assert after(3600, seen(SECOND, server=dataclasses.replace(GOOD, task_state="rebuild_spawning"))) == ()


def test_a_guest_that_nova_does_not_know_is_misplaced() -> None:
    """A guest of a deleted server must not run on."""
    assert kinds(after(GRACE[Kind.MISPLACED], seen(ALIVE, server=None))) == [Kind.MISPLACED]


def test_damage_on_a_disk_is_found_at_once() -> None:
    """What the disk says needs no second look."""
    damage = Trouble("u1", "disk went back from line 7 to 4")
    assert kinds(judge({}, seen(ALIVE, damage=(damage,))).findings) == [Kind.BROKEN]


def test_a_shutoff_server_that_runs_is_found() -> None:
    """Nova says SHUTOFF with no task, its guest runs for longer than the grace time."""
    stopped = dataclasses.replace(GOOD, vm_state="stopped")
    assert kinds(after(GRACE[Kind.SHUTOFF_RUNS], seen(ALIVE, server=stopped))) == [Kind.SHUTOFF_RUNS]
    assert after(GRACE[Kind.SHUTOFF_RUNS] - 0.1, seen(ALIVE, server=stopped)) == ()


def test_a_shutoff_server_may_run_while_it_is_evacuated() -> None:
    """Nova boots a stopped server at its new host and stops it again."""
    stopped = dataclasses.replace(GOOD, vm_state="stopped")
    assert after(3600, seen(ALIVE, server=stopped, evacuating=True)) == ()


def test_an_unreadable_nova_is_no_evidence() -> None:
    """While the database is away nothing new is held against any server, and nothing old is forgotten."""
    before = judge({}, seen())
    during = judge(before.suspected, seen(nova=None, now=3600.0))
    assert during == Judgement(before.suspected, ())
    assert kinds(judge(during.suspected, seen(now=3601.0)).findings) == [Kind.LOST]


def test_what_happened_stays_a_fact() -> None:
    """A second copy that is gone again was still there."""
    doubled = judge({}, seen(ALIVE, SECOND))
    kept = remember({}, doubled, seen(ALIVE, SECOND))
    quiet = seen(ALIVE, now=60.0)
    assert kinds(tuple(remember(kept, judge({}, quiet), quiet).values())) == [Kind.DOUBLED]


def test_a_lost_server_is_forgotten_once_it_lives() -> None:
    """Being without a copy for a while is what a recovery is for; an unreadable Nova proves no life."""
    lost = seen(now=GRACE[Kind.LOST])
    kept = remember({}, judge({(Kind.LOST, "u1"): 0.0}, lost), lost)
    assert kinds(tuple(kept.values())) == [Kind.LOST]
    blind, alive = seen(nova=None, now=90.0), seen(ALIVE, now=90.0)
    assert remember(kept, judge({}, blind), blind) == kept
    assert remember(kept, judge({}, alive), alive) == {}
