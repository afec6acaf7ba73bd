# SPDX-License-Identifier: Apache-2.0
"""Decisions about one server: the rules 11 to 20 of nova.md, one by one."""

from __future__ import annotations

import pytest

from nova_ha.decisions.decide_server import decide_server
from nova_ha.decisions.notes import Ask, Failure, ServerNotes
from nova_ha.decisions.plan import Evacuate, Fate, LookCloser, ResetToError, StopServer
from nova_ha.decisions.policy import Policy
from nova_ha.model import ActionEvent, Attempt, ServerGroup
from tests.unit.decisions.builders import NOW, a_record, a_server, a_situation, a_view, an_attempt


def fate(view, **situation):
    """Return the fate of a server."""
    return decide_server(view, a_situation(**situation)).fate


def destination(verdict):
    """Return where a verdict asks for a server, which must be its only request."""
    (step,) = [step for step in verdict.steps if isinstance(step, Evacuate)]
    return step.destination


@pytest.mark.parametrize("vm_state", ["active", "stopped"])
def test_plain_server_is_ready(vm_state):
    """A running or shut off server that was never asked for is offered, to any host."""
    verdict = decide_server(a_view(server=a_server(vm_state=vm_state)), a_situation())
    assert (verdict.fate, destination(verdict)) == (Fate.READY, None)


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "a-word-of-a-later-nova"])
def test_open_record_is_followed(status):
    """No request is sent while a record is open, whatever word says so."""
    assert fate(a_view(a_record(status))) is Fate.EVACUATING


def test_outstanding_request_is_awaited():
    """No request is sent while the answer to the last one is not there."""
    assert fate(a_view(outstanding=True)) is Fate.ASKED


def test_late_evacuation_is_looked_at():
    """An evacuation that shows no progress for a while has its actions asked for."""
    verdict = decide_server(a_view(a_record(updated_at=NOW - 60)), a_situation())
    assert LookCloser("s1") in verdict.steps


def test_conductor_gave_up():
    """An accepted record is dead when the conductor's event ended with Error (rule 15 a)."""
    view = a_view(a_record(), attempts=(an_attempt(("rebuild_server", "Error")),))
    assert fate(view) is Fate.READY


def test_destination_is_through():
    """A stale accepted record is dead when the destination is through with the last attempt (R:E06)."""
    over = an_attempt(("rebuild_server", "Success"), ("compute_rebuild_instance", "Error"))
    assert fate(a_view(a_record(), attempts=(over,))) is Fate.READY


def test_actions_older_than_the_last_request_prove_nothing():
    """A list of actions without the last request's proves nothing about it."""
    notes = ServerNotes(asks=(Ask(NOW - 1, outcome="accepted", request_id="req-2"),))
    view = a_view(a_record(), attempts=(an_attempt(("rebuild_server", "Error")),), notes=notes)
    assert fate(view) is Fate.EVACUATING


@pytest.mark.parametrize(
    ("age", "conductors", "expected"),
    [(899, True, Fate.EVACUATING), (901, True, Fate.READY), (901, False, Fate.EVACUATING)],
)
def test_message_lost(age, conductors, expected):
    """An accepted record that nobody began is dead after long, if the conductors are up (rule 15 b)."""
    old = NOW - age
    view = a_view(a_record(created_at=old, updated_at=old), attempts=(an_attempt(started_at=old),))
    assert fate(view, fenced_at=old - 1, conductors_since=old if conductors else None) is expected


@pytest.mark.parametrize(("dead", "expected"), [((), Fate.EVACUATING), (("compute-1",), Fate.READY)])
def test_destination_dies(dead, expected):
    """A claimed evacuation is dead only when its destination was fenced (rule 15 c)."""
    record = a_record("pre-migrating", destination="compute-1", updated_at=NOW - 9000)
    attempts = (an_attempt(("rebuild_server", "Success")),)
    assert fate(a_view(record, attempts=attempts), dead_hosts=frozenset(dead)) is expected


def test_completed_too_early():
    """A record that the source's nova-compute completed while the server is still here may be running."""
    assert fate(a_view(a_record("completed", destination="compute-1"))) is Fate.EVACUATING


@pytest.mark.parametrize("outcome", [None, "accepted", "ambiguous"])
def test_lost_answer_settles(outcome):
    """After a request that may have had an effect its trace is awaited (rule 14)."""
    notes = ServerNotes(asks=(Ask(NOW - 59, outcome=outcome),))
    assert fate(a_view(notes=notes)) is Fate.SETTLING


def test_lost_answer_is_over():
    """A request that left no trace in its time may be sent again."""
    notes = ServerNotes(asks=(Ask(NOW - 61, outcome="ambiguous"),))
    assert fate(a_view(notes=notes)) is Fate.READY


def test_takeover_settles():
    """A server waits while requests of an earlier evacuator may still show, whatever came of others."""
    assert fate(a_view(), takeover_until=NOW + 1) is Fate.SETTLING
    assert fate(a_view(a_record("failed")), takeover_until=NOW + 1) is Fate.SETTLING
    assert fate(a_view(), takeover_until=NOW - 1) is Fate.READY


@pytest.mark.parametrize(
    ("outcome", "age", "expected"),
    [
        ("not-sent", 1, Fate.RETRYING),
        ("not-sent", 3, Fate.READY),
        ("in-use", 1, Fate.RETRYING),
        ("in-use", 3, Fate.READY),
        ("refused", 9, Fate.RETRYING),
        ("refused", 11, Fate.READY),
    ],
)
def test_refusals_are_retried(outcome, age, expected):
    """What had no effect for sure is sent again after a pause that fits the cause."""
    notes = ServerNotes(asks=(Ask(NOW - age, outcome=outcome, text="no"),))
    assert fate(a_view(notes=notes)) is expected


@pytest.mark.parametrize(
    ("outcome", "status", "text", "expected"),
    [
        ("refused", 400, "not supported for vTPM", Fate.IMMOVABLE),
        ("ambiguous", 409, "Feature not supported with instances that have shares.", Fate.IMMOVABLE),
        ("ambiguous", None, "no answer in time from https://nova.share.example", Fate.READY),
        ("ambiguous", 504, "nova.share.example: Gateway Timeout", Fate.READY),
        ("refused", 400, "web-1.shared.example is busy", Fate.READY),
    ],
)
def test_refusal_for_ever(outcome, status, text, expected):
    """A refusal of Nova's that no retry changes is reported once; the trouble of a connection is none."""
    notes = ServerNotes(asks=(Ask(NOW - 999, outcome=outcome, text=text, status=status),))
    assert fate(a_view(notes=notes)) is expected


@pytest.mark.parametrize(("fenced", "expected"), [(NOW - 20, Fate.READY), (NOW - 40, Fate.EVACUATING)])
def test_destination_was_fenced_and_is_back(fenced, expected):
    """A claimed evacuation is dead when its destination was fenced after the claim, though it is back."""
    record = a_record("pre-migrating", destination="compute-1", updated_at=NOW - 30)
    view = a_view(record, attempts=(an_attempt(("rebuild_server", "Success")),))
    assert fate(view, fencings={"compute-1": (fenced,)}) is expected


@pytest.mark.parametrize(("back", "expected"), [(True, Fate.IMMOVABLE), (False, Fate.READY)])
def test_nowhere_to_go_but_home(back, expected):
    """When no other host can take servers, a host that is back does not wait for one."""
    assert fate(a_view(), nowhere="no other host can take servers", source_is_back=back) is expected


def test_attempt_after_many_failures_is_reported():
    """An admin is told of a server that fails again and again also while the next attempt is under way."""
    failures = [a_record("error", uuid=f"f{number}") for number in range(3)]
    verdict = decide_server(a_view(*failures, a_record("accepted")), a_situation())
    assert (verdict.fate, verdict.is_stuck) == (Fate.EVACUATING, True)


@pytest.mark.parametrize(("age", "expected"), [(299, (False, True)), (301, (True, False))])
def test_evacuation_without_progress(age, expected):
    """It is reported after stuck_after seconds, keeps its place no longer, and is never sent again."""
    record = a_record("pre-migrating", destination="compute-1", updated_at=NOW - age)
    verdict = decide_server(a_view(record), a_situation())
    assert verdict.fate is Fate.EVACUATING
    assert (verdict.is_stuck, verdict.takes_a_place) == expected
    assert ("no progress since" in verdict.sentence) is verdict.is_stuck


@pytest.mark.parametrize(
    ("host", "different", "expected"),
    [
        ("compute-1", {"dead_hosts": frozenset({"compute-0", "compute-1"})}, Fate.READY),
        ("compute-1", {"dead_hosts": frozenset({"compute-0"})}, Fate.EVACUATING),
        ("compute-1", {"fencings": {"compute-1": (NOW - 1,)}}, Fate.EVACUATING),
        (None, {"dead_hosts": frozenset({"compute-0", "compute-1"})}, Fate.EVACUATING),
    ],
)
def test_begun_without_a_claim(host, different, expected):
    """An evacuation whose claim could not be written is dead while the host that began it is."""
    events = (ActionEvent("rebuild_server", "Success"), ActionEvent("compute_rebuild_instance", None, host))
    attempt = Attempt("req-1", NOW - 5, events)
    assert fate(a_view(a_record("accepted"), attempts=(attempt,)), **different) is expected


@pytest.mark.parametrize(
    ("chosen", "died", "dead", "expected"),
    [
        (NOW - 1000, NOW - 990, True, Fate.READY),
        (NOW - 1000, NOW - 990, False, Fate.READY),
        (NOW - 1000, NOW - 1004, True, Fate.READY),
        (NOW - 1000, NOW - 1010, True, Fate.EVACUATING),
        (NOW - 1000, NOW - 1010, False, Fate.EVACUATING),
        (NOW - 100, NOW - 90, True, Fate.EVACUATING),
    ],
)
def test_message_to_a_host_that_died(chosen, died, dead, expected):
    """An evacuation that nobody claimed is dead after long, if a host has died since one was chosen."""
    attempt = Attempt("req-1", NOW - 2000, (ActionEvent("rebuild_server", "Success", at=chosen),))
    record = a_record("accepted", created_at=NOW - 2000, updated_at=NOW - 2000)
    dead_hosts = frozenset({"compute-0", "compute-2"} if dead else {"compute-0"})
    different = {"dead_hosts": dead_hosts, "fencings": {"compute-2": (died,)}}
    assert fate(a_view(record, attempts=(attempt,)), **different) is expected


def test_retries_slow_down_but_never_end():
    """The pause doubles up to its longest, and a retry always follows."""
    policy = Policy()
    assert [policy.retry_delay(n) for n in (1, 2, 3, 6, 99)] == [10, 20, 40, 300, 300]


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({"task_state": "deleting"}, Fate.IGNORED),
        ({"vm_state": "building"}, Fate.IGNORED),
        ({"launched": False}, Fate.IGNORED),
        ({"vm_state": "paused", "status": "PAUSED"}, Fate.IMMOVABLE),
        ({"vm_state": "resized"}, Fate.IMMOVABLE),
        ({"task_state": "migrating"}, Fate.IMMOVABLE),
        ({"vm_state": "error"}, Fate.IMMOVABLE),
        ({"task_state": "powering-off"}, Fate.READY),
    ],
)
def test_states(server, expected):
    """Each state of a server has its place (nova.md 5)."""
    assert fate(a_view(server=a_server(**server))) is expected


def test_error_on_request():
    """A server that was in ERROR before is evacuated when the admin wants it."""
    view = a_view(server=a_server(vm_state="error"))
    assert fate(view, policy=Policy(evacuate_error=True)) is Fate.READY


def test_paused_on_request():
    """A paused server is reset when the admin wants it."""
    view = a_view(server=a_server(vm_state="paused", status="PAUSED"))
    verdict = decide_server(view, a_situation(policy=Policy(reset_states=True)))
    assert isinstance(verdict.steps[0], ResetToError)


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({}, Fate.IMMOVABLE),
        ({"is_volume_backed": True}, Fate.READY),
        ({"is_volume_backed": True, "local_disk": True}, Fate.IMMOVABLE),
    ],
)
def test_local_disks(server, expected):
    """Without shared storage only a server wholly on volumes moves, unless data may be lost (rule 25)."""
    view = a_view(server=a_server(**server))
    assert fate(view, policy=Policy(shared_storage=False)) is expected
    assert fate(view, policy=Policy(shared_storage=False, rebuild_from_image=True)) is Fate.READY


def test_hard_affinity():
    """A member of a hard affinity group has nowhere to go, which is said without trying (nova.md 4)."""
    group = ServerGroup("g", "affinity", frozenset({"s1"}))
    assert fate(a_view(), groups={"s1": group}) is Fate.IMMOVABLE


def test_verified():
    """A server that left the host, with a record that is done, is verified (rule 20)."""
    assert (
        fate(a_view(a_record("done", destination="compute-1"), server=None, is_here=False)) is Fate.VERIFIED
    )


def test_stale_record_beside_a_done_one():
    """A newer record that stays accepted for ever does not hide success (R:E06)."""
    records = (a_record("done", destination="compute-1"), a_record(uuid="r2", created_at=NOW - 2))
    assert fate(a_view(*records, server=None, is_here=False)) is Fate.VERIFIED


def test_left_without_done_is_waited_for():
    """A server that has just left while its record is open needs no question: the next look tells."""
    verdict = decide_server(a_view(a_record(), server=None, is_here=False), a_situation())
    assert (verdict.fate, verdict.steps) == (Fate.EVACUATING, ())


def test_left_without_done_is_looked_at():
    """A server that left while its record stays open is asked for by name before it counts."""
    quiet = a_record(updated_at=NOW - 11)
    verdict = decide_server(a_view(quiet, server=None, is_here=False), a_situation())
    assert (verdict.fate, verdict.steps) == (Fate.EVACUATING, (LookCloser("s1"),))


def test_deleted():
    """A server that its owner deleted is forgotten."""
    assert fate(a_view(a_record(), server=None, is_here=False, is_gone=True)) is Fate.GONE


def test_off_before_is_off_again():
    """A server that was off and comes back running from ERROR is shut off again (rule 19)."""
    notes = ServerNotes(was_off=True, asks=(Ask(NOW - 50, vm_state="error", outcome="accepted"),))
    server = a_server(host="compute-1")
    view = a_view(a_record("done", destination="compute-1"), server=server, is_here=False, notes=notes)
    assert StopServer("s1") in decide_server(view, a_situation()).steps


def test_host_is_back_after_enough_failures():
    """Once its host is back, a server that could not be placed elsewhere does not keep it out of service."""
    records = [a_record("error", uuid=f"r{n}", updated_at=NOW - n) for n in range(3)]
    notes = ServerNotes(failures=tuple(Failure(f"r{n}", None, "No valid host") for n in range(3)))
    view = a_view(*records, server=a_server(vm_state="error", fault="No valid host"), notes=notes)
    assert fate(view, source_is_back=True) is Fate.IMMOVABLE
    assert fate(view, source_is_back=False) is Fate.RETRYING


NOT_SUPPORTED = "Instance evacuate is not supported."


@pytest.mark.parametrize(
    ("earlier", "last", "expected"),
    [
        (NOT_SUPPORTED, NOT_SUPPORTED, Fate.IMMOVABLE),
        ("No valid host was found.", NOT_SUPPORTED, Fate.READY),
        (NOT_SUPPORTED, "Virtual Interface creation failed", Fate.READY),
        (None, NOT_SUPPORTED, Fate.READY),
    ],
)
def test_drivers_that_cannot_evacuate(earlier, last, expected):
    """Two destinations in a row that cannot evacuate, as with ironic, are enough; it is started at home."""
    faults = [earlier, last]
    records = [a_record("failed", uuid=f"r{n}", updated_at=NOW - 1000 + n) for n in range(2)]
    notes = ServerNotes(failures=tuple(Failure(f"r{n}", "compute-1", faults[n]) for n in range(2)))
    view = a_view(*records, server=a_server(vm_state="error", fault=last, power_state=1), notes=notes)
    verdict = decide_server(view, a_situation())
    assert (verdict.fate, verdict.starts_at_home) == (expected, expected is Fate.IMMOVABLE)


def test_no_start_at_home_beside_an_open_evacuation():
    """An evacuation that is dead but open in Nova may yet have a guest: then it is not started at home."""
    dead = a_record("pre-migrating", uuid="r9", updated_at=NOW - 2000, destination="compute-2")
    records = [a_record("failed", uuid=f"r{n}", updated_at=NOW - 1000 + n) for n in range(2)]
    notes = ServerNotes(failures=tuple(Failure(f"r{n}", "compute-1", NOT_SUPPORTED) for n in range(2)))
    server = a_server(vm_state="error", fault=NOT_SUPPORTED, power_state=1)
    dead_hosts = frozenset({"compute-2"})
    verdict = decide_server(
        a_view(dead, *records, server=server, notes=notes), a_situation(dead_hosts=dead_hosts)
    )
    assert (verdict.fate, verdict.starts_at_home) == (Fate.IMMOVABLE, False)


@pytest.mark.parametrize(("power_state", "expected"), [(1, True), (4, False), (None, False)])
def test_what_ran_is_started_at_home(power_state, expected):
    """What another evacuator's attempts put into ERROR keeps the power state that it had before."""
    records = [a_record("failed", uuid=f"r{n}", updated_at=NOW - 1000 + n) for n in range(2)]
    notes = ServerNotes(failures=tuple(Failure(f"r{n}", "compute-1", NOT_SUPPORTED) for n in range(2)))
    server = a_server(vm_state="error", fault=NOT_SUPPORTED, power_state=power_state)
    verdict = decide_server(a_view(*records, server=server, notes=notes), a_situation())
    assert (verdict.fate, verdict.starts_at_home) == (Fate.IMMOVABLE, expected)
