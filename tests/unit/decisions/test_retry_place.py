# SPDX-License-Identifier: Apache-2.0
"""Where a server may be asked for after a failed attempt: rule 16 of nova.md."""

from __future__ import annotations

import pytest

from nova_ha.decisions import faults
from nova_ha.decisions.decide_server import ENOUGH_FAILURES, ENOUGH_IN_DOUBT, decide_server
from nova_ha.decisions.notes import Failure, ServerNotes
from nova_ha.decisions.plan import Evacuate, Fate, NoteFailure
from tests.unit.decisions.builders import NOW, a_record, a_server, a_situation, a_view


def fate(view, **situation):
    """Return the fate of a server."""
    return decide_server(view, a_situation(**situation)).fate


def destination(verdict):
    """Return where a verdict asks for a server, which must be its only request."""
    (step,) = [step for step in verdict.steps if isinstance(step, Evacuate)]
    return step.destination


def failed(fault, *, status="failed", dest="compute-1", noted=(), **view):
    """Return the view of a server in ERROR whose last attempt failed long enough ago."""
    record = a_record(status, destination=dest, updated_at=NOW - 500)
    server = a_server(vm_state="error", fault=fault)
    notes = ServerNotes(failures=(*noted, Failure("r1", dest, fault)))
    return a_view(record, server=server, notes=notes, **view)


def test_failure_is_noted_first():
    """A failed attempt is written down with its fault before anything else."""
    view = a_view(a_record("error"), server=a_server(vm_state="error", fault="No valid host"))
    verdict = decide_server(view, a_situation())
    assert isinstance(verdict.steps[0], NoteFailure)


def test_no_valid_host_is_retried_anywhere():
    """Where no destination was found, any may be asked for (rule 24)."""
    assert (
        destination(decide_server(failed("No valid host", status="error", dest=None), a_situation())) is None
    )


def test_unclear_fault_is_retried_in_place():
    """After an unclear fault only the same destination is safe (rule 16)."""
    assert destination(decide_server(failed("qemu died"), a_situation())) == "compute-1"


@pytest.mark.parametrize("fault", ["libvirtError", "DBConnectionError", "MessagingTimeout", "new words"])
def test_same_fault_twice_proves_nothing(fault):
    """An attempt may fail before its guest is started, and the next with the same words after that."""
    assert destination(decide_server(failed_twice(fault, fault), a_situation())) == "compute-1"


@pytest.mark.parametrize(
    "fault",
    [
        "Virtual Interface creation failed",
        "Binding failed for port p1, please check neutron logs for more information.",
        "Unexpected vif_type=binding_failed",
        "Connection to cinder host failed: Unable to establish connection",
        "VolumeDeviceNotFound",
    ],
)
def test_guest_that_was_looked_for(fault):
    """Where a later attempt found no guest, and started none, another destination may be asked for."""
    assert destination(decide_server(failed_twice("MessagingTimeout", fault), a_situation())) is None


def test_guest_that_was_looked_for_before_the_last_attempt():
    """What one attempt has seen says nothing about the guest of the one after it."""
    view = failed_twice("Virtual Interface creation failed", "MessagingTimeout")
    assert destination(decide_server(view, a_situation())) == "compute-1"


def test_guest_that_was_looked_for_elsewhere():
    """What an attempt has seen at one destination says nothing about another."""
    view = failed_twice("MessagingTimeout", "VolumePathsNotFound", dest="compute-2")
    assert destination(decide_server(view, a_situation())) == "compute-2"


def test_doubt_is_named_with_its_next_attempt():
    """A server that is kept from other destinations is reported with reason and time of the next try."""
    twice = failed_twice("DBConnectionError", "DBConnectionError")
    verdict = decide_server(twice, a_situation(now=NOW - 490))
    assert Fate.RETRYING is verdict.fate
    assert "DBConnectionError; its guest may run there, so compute-1 is asked again at " in verdict.reason


@pytest.mark.parametrize(("count", "expected"), [(5, Fate.READY), (6, Fate.IMMOVABLE)])
def test_doubt_holds_a_host_that_is_back_for_a_while(count, expected):
    """A host that is back waits longer for a server that must not be started on it, but not for ever."""
    assert ENOUGH_FAILURES < count <= ENOUGH_IN_DOUBT
    records = [
        a_record("failed", uuid=f"r{number}", destination="compute-1", updated_at=NOW - 9000 + number)
        for number in range(count)
    ]
    notes = ServerNotes(failures=tuple(Failure(r.uuid, "compute-1", "libvirtError") for r in records))
    view = a_view(*records, server=a_server(vm_state="error", fault="libvirtError"), notes=notes)
    verdict = decide_server(view, a_situation(source_is_back=True, fenced_at=NOW - 9000))
    assert (expected, False) == (verdict.fate, verdict.starts_at_home)


@pytest.mark.parametrize("fault", ["No valid host was found", "Insufficient compute resources", None])
def test_fault_before_the_look(fault):
    """What failed before Nova looked for a guest has not seen that there is none."""
    assert not faults.found_nothing(fault)


def failed_twice(first, second, *, noted=True, dest="compute-1", **different):
    """Return a server of which two attempts failed; here, or the first under another evacuator."""
    records = (
        a_record("failed", uuid="r0", destination=dest, updated_at=NOW - 900),
        a_record("failed", destination="compute-1", updated_at=NOW - 500),
    )
    failures = (Failure("r0", dest, first), Failure("r1", "compute-1", second))
    server = a_server(vm_state="error", fault=second)
    known = failures if noted else failures[1:]
    return a_view(*records, server=server, notes=ServerNotes(failures=known), **different)


@pytest.mark.parametrize("no_room", ["Insufficient compute resources", "Anti-affinity group policy", None])
def test_no_room_where_the_guest_may_run(no_room):
    """An attempt that found no room says nothing about the guest that the one before may have left."""
    assert destination(decide_server(failed_twice("qemu died", no_room), a_situation())) == "compute-1"


def test_no_room_in_the_place_that_another_evacuator_asked_for():
    """A place where an earlier attempt failed for a reason that is not known here is asked for again."""
    view = failed_twice("", "Insufficient compute resources", noted=False)
    assert destination(decide_server(view, a_situation())) == "compute-1"


def test_place_that_another_evacuator_has_left():
    """Where an earlier evacuator has asked for another host, it knew that no guest was left."""
    view = failed_twice("", "Insufficient compute resources", noted=False, dest="compute-2")
    assert destination(decide_server(view, a_situation())) is None


def test_not_started_at_home_while_its_guest_may_run():
    """A server whose guest may run where an attempt failed is not started on its own host."""
    view = failed_twice("qemu died", "Insufficient compute resources")
    verdict = decide_server(view, a_situation(source_is_back=True, nowhere="no host"))
    assert (verdict.fate, verdict.starts_at_home) == (Fate.IMMOVABLE, False)
    assert "may run on compute-1" in verdict.reason


@pytest.mark.parametrize("fault", ["Instance instance-1 already exists", "Conflict updating instance s1"])
def test_guest_stayed(fault):
    """Where the guest may run at the destination, nothing is asked for, and it is reported."""
    assert fate(failed(fault)) is Fate.IMMOVABLE


@pytest.mark.parametrize(
    "death", [{"dead_hosts": frozenset({"compute-1"})}, {"fencings": {"compute-1": (NOW - 400,)}}]
)
def test_guest_stayed_on_a_host_that_died(death):
    """A guest that stayed on a host that was fenced since runs nowhere."""
    assert fate(failed("Conflict updating instance s1"), **death) is Fate.READY


def exists_at_compute_1(*earlier):
    """Return a server that compute-1 refuses because it has such a guest."""
    fault = "Instance s1 already exists"
    last = a_record("failed", destination="compute-1", updated_at=NOW - 500)
    notes = ServerNotes(failures=(Failure("r1", "compute-1", fault),))
    return a_view(*earlier, last, server=a_server(vm_state="error", fault=fault), notes=notes)


def test_what_exists_there_died_with_the_host():
    """A guest that an attempt left on a host that was fenced since is dead: another host is named."""
    earlier = a_record("failed", uuid="r0", destination="compute-1", updated_at=NOW - 700)
    view = exists_at_compute_1(earlier)
    here = {"destinations": ("compute-1", "compute-2")}
    assert fate(view, **here) is Fate.IMMOVABLE
    verdict = decide_server(view, a_situation(fencings={"compute-1": (NOW - 600,)}, **here))
    assert "compute-2" == destination(verdict)


def test_every_other_attempt_names_a_host():
    """A destination that fails is not left to the scheduler for ever."""
    records = [
        a_record("error", uuid=f"r{n}", updated_at=NOW - 5000 - n, destination="compute-1") for n in (1, 0)
    ]
    notes = ServerNotes(failures=tuple(Failure(f"r{n}", "compute-1", "No valid host") for n in (0, 1)))
    view = a_view(*records, server=a_server(vm_state="error", fault="No valid host"), notes=notes)
    verdict = decide_server(view, a_situation(fenced_at=NOW - 6000, destinations=("compute-1", "compute-2")))
    assert "compute-2" == destination(verdict)
