# SPDX-License-Identifier: Apache-2.0
"""Faults of the API: what the caller sees, and what happened all the same."""

from __future__ import annotations

import pytest

from nova_ha import errors
from nova_ha.testing.faults import Fault

AMBIGUOUS = errors.AmbiguousAnswer


@pytest.mark.parametrize(
    ("kind", "error", "records"),
    [
        ("unreachable", errors.NovaUnavailable, 0),
        ("timeout", AMBIGUOUS, 0),
        ("timeout-after", AMBIGUOUS, 1),
        ("http-500", AMBIGUOUS, 0),
        ("http-500-after", AMBIGUOUS, 1),
        ("http-409", AMBIGUOUS, 0),
        ("in-use", errors.StillInUse, 0),
        ("http-404", errors.NotFound, 0),
        ("http-401", errors.AccessDenied, 0),
        ("http-403", errors.AccessDenied, 0),
    ],
)
def test_evacuate_that_fails(host, kind, error, records):
    """Each failure of an evacuate request has its own error, which does not tell whether it had an effect."""
    host.die()
    host.fault("evacuate", kind, last=1)
    with pytest.raises(error):
        host.evacuate()
    assert len(host.records) == records


def test_200_then_nothing(host):
    """An accepted request may leave no trace at all."""
    host.die()
    host.fault("evacuate", "ok-nothing")
    assert host.evacuate().startswith("req-")
    host.run(600.0)
    assert (host.records, host.nova.attempts(host.server.id)) == ([], ())


def test_effect_after_the_answer_was_given_up(host):
    """A request that a proxy holds back has its effect long after its sender heard of a timeout."""
    host.die()
    host.fault("evacuate", "timeout-late", seconds=30.0, delay=40.0)
    with pytest.raises(AMBIGUOUS):
        host.evacuate()
    host.run(39.0)
    assert host.records == []
    host.run(2.0)
    assert [status for status, _ in host.records] == ["pre-migrating"]


def test_effect_after_the_sender_was_killed(host):
    """A request whose sender dies has its effect all the same; the sender's death gave the answer up."""
    host.die()
    host.fault("evacuate", "timeout-late", seconds=100.0, delay=10.0)
    sender = host.world.clock.spawn(host.evacuate)
    host.run(50.0)
    sender.kill()
    host.run(9.0)
    assert host.records == []
    host.run(2.0)
    assert [status for status, _ in host.records] == ["pre-migrating"]


@pytest.mark.parametrize("kind", ["unreachable", "timeout", "http-500", "http-503"])
def test_read_that_fails(host, kind):
    """A read that fails may be repeated, whatever the reason."""
    host.fault("reads", kind)
    with pytest.raises(errors.NovaUnavailable):
        host.nova.servers("compute-0")


def test_empty_list(host):
    """A list may be empty although there are servers."""
    host.fault("servers", "empty", last=1)
    assert host.nova.servers("compute-0") == ()
    assert len(host.nova.servers("compute-0")) == 1


def test_dropped_filter(host):
    """With its filter dropped a list has the servers of all hosts, of which the port keeps the host's."""
    host.world.cloud.add_server("other", "compute-1")
    host.fault("servers", "unfiltered")
    assert len(host.nova.api.servers("compute-0")) == 2
    assert [server.name for server in host.nova.servers("compute-0")] == ["web"]


def test_missing_host_attribute(host):
    """Without the host attribute nothing may be concluded."""
    host.fault("reads", "no-host")
    with pytest.raises(errors.UntrustworthyAnswer):
        host.nova.servers("compute-0")
    with pytest.raises(errors.UntrustworthyAnswer):
        host.nova.server(host.server.id)


def test_slow_answer(host):
    """A slow answer takes its time, and the world goes on."""
    host.fault("services", "slow", seconds=7.0)
    begun = host.world.clock.monotonic()
    host.nova.services()
    assert host.world.clock.monotonic() - begun == pytest.approx(7.0, abs=0.1)


def test_nth_call_and_window(host):
    """A fault can be bound to a count of calls, a time and a subject."""
    host.fault("servers", "empty", first=2, last=2, subject="compute-0")
    host.fault("services", "unreachable", since=10.0, until=20.0)
    assert [len(host.nova.servers("compute-0")) for _ in range(3)] == [1, 0, 1]
    host.run(10.0)
    with pytest.raises(errors.NovaUnavailable):
        host.nova.services()
    host.run(10.0)
    assert len(host.nova.services()) == 3


@pytest.mark.parametrize(("call", "kind"), [("evacuate", "explode"), ("dance", "slow")])
def test_misspelt_fault(call, kind):
    """A fault that means nothing is refused."""
    with pytest.raises(ValueError, match="unknown"):
        Fault(call, kind)


def test_stop_and_reset(host):
    """Stopping is idempotent; resetting erases the task state."""
    host.nova.stop(host.server.id)
    host.nova.stop(host.server.id)
    assert host.now.status == "SHUTOFF"
    host.server.task_state = "rebuilding"
    host.nova.reset_to_error(host.server.id)
    assert (host.now.status, host.now.task_state) == ("ERROR", None)
