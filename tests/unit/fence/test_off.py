# SPDX-License-Identifier: Apache-2.0
"""What the fence agent does when a node was fenced."""

from __future__ import annotations

import threading

import pytest

from nova_ha.errors import (
    AccessDenied,
    ClusterError,
    ClusterUnavailable,
    HostNameError,
    NovaUnavailable,
    OutOfTime,
)
from tests.unit.fence.invented import FENCED_AT, service


def test_off_records_and_tells(make, cluster, nova):
    """Fencing is recorded, and Nova is told in one call, with the same time in both."""
    make().off("compute-0")
    assert FENCED_AT == cluster.nodes["compute-0"].fenced_at
    assert cluster.nodes["compute-0"].recovery_is_open
    assert [("compute-0", f"nova-ha: fenced {FENCED_AT}")] == nova.told


def test_off_records_before_it_tells(make, cluster, nova):
    """Nova is told only when the record is there: its loss would be worse."""
    seen = []
    nova.tell_down = lambda *_: seen.append(cluster.nodes["compute-0"].fenced_at)
    make().off("compute-0")
    assert [FENCED_AT] == seen


def test_off_again_is_a_new_fencing(make, cluster, clock):
    """A node that is fenced while its recovery is open gets the newer time."""
    make().off("compute-0")
    clock.sleep(3600)
    make().off("compute-0")
    assert "2025-11-22T13:00:00Z" == cluster.nodes["compute-0"].fenced_at


def test_off_keeps_a_persons_disable(make, nova):
    """A service that a person has disabled is only forced down, so that its reason stays."""
    nova.list = [service(status="disabled", disabled_reason="new disks")]
    make().off("compute-0")
    assert [("compute-0", None)] == nova.told


def test_off_renews_our_disable(make, nova):
    """A service that nova-ha has disabled before gets the newer reason."""
    nova.list = [service(status="disabled", disabled_reason="nova-ha: fenced 2025-01-01T00:00:00Z")]
    make().off("compute-0")
    assert [("compute-0", f"nova-ha: fenced {FENCED_AT}")] == nova.told


def test_off_renews_the_marker_beside_a_persons_words(make, nova):
    """What was disabled during a recovery tells of the newer fencing afterwards, in the person's words."""
    words = "disabled with nova-ha by root@c1: bad memory"
    nova.list = [
        service(status="disabled", disabled_reason=f"{words} (nova-ha: fenced 2025-01-01T00:00:00Z)")
    ]
    make().off("compute-0")
    assert [("compute-0", f"{words} (nova-ha: fenced {FENCED_AT})")] == nova.told


def test_off_is_patient_with_nova(make, nova, clock):
    """A Nova that comes back within the patience is told."""
    nova.trouble = NovaUnavailable("not now")
    clock.at[5] = lambda: setattr(nova, "trouble", None)
    make().off("compute-0")
    assert 1 == len(nova.told)
    assert 5 <= clock.passed < 10


@pytest.mark.parametrize(
    "trouble", [NovaUnavailable("not now"), AccessDenied("no"), HostNameError("which?"), ValueError("odd")]
)
def test_off_succeeds_without_nova(make, cluster, nova, clock, caplog, trouble):
    """Fencing succeeds, within the patience, whatever is wrong with Nova; a warning says what."""
    nova.trouble = trouble
    make().off("compute-0")
    assert "Nova will be told later: " in caplog.text
    assert str(trouble) in caplog.text
    assert FENCED_AT == cluster.nodes["compute-0"].fenced_at
    assert clock.passed <= 20


def test_off_succeeds_when_nova_hangs(make, cluster, nova, caplog):
    """Fencing does not wait for a call to Nova that never returns."""
    hangs = threading.Event()
    nova.services = hangs.wait
    make(nova_wait="100ms").off("compute-0")
    hangs.set()
    assert "no answer within 0.1 s" in caplog.text
    assert FENCED_AT == cluster.nodes["compute-0"].fenced_at


def test_off_is_patient_with_the_cluster(make, cluster, nova, clock):
    """A cluster that answers again within the patience gets the record."""
    cluster.down = True
    clock.at[30] = lambda: setattr(cluster, "down", False)
    make().off("compute-0")
    assert cluster.nodes["compute-0"].recovery_is_open
    assert 1 == len(nova.told)


def test_off_fails_without_the_cluster(make, cluster, nova, clock):
    """Fencing that cannot be recorded fails in the end, and Nova is told nothing."""
    cluster.down = True
    with pytest.raises(ClusterUnavailable):
        make().off("compute-0")
    assert 45 <= clock.passed <= 50
    assert [] == nova.told


def test_off_fails_for_an_unknown_node(make, cluster, clock):
    """A node that Pacemaker does not know cannot be recorded, and no patience helps."""
    with pytest.raises(ClusterError, match="knows no node 'compute-9'"):
        make().off("compute-9")
    assert 0.0 == clock.passed


def test_off_shares_its_time(make, cluster, nova, clock):
    """Patience with the cluster leaves less for Nova, so that fencing as a whole keeps its time."""
    cluster.down = True
    clock.at[45] = lambda: setattr(cluster, "down", False)
    nova.trouble = NovaUnavailable("not now")
    make().off("compute-0")
    assert clock.passed <= 50


def test_off_recovers_inline(make, nova):
    """With record_only=0 the recovery runs within the action, after the record, up to its limit."""
    calls = []
    make(recover=lambda node, until: calls.append((node, until)), record_only="0", recover_wait="600").off(
        "compute-0"
    )
    assert [("compute-0", 600.0)] == calls
    assert 1 == len(nova.told)


def test_off_fails_when_inline_recovery_fails(make):
    """With record_only=0 a recovery that is not finished makes fencing fail."""

    def recover(_node, until):
        assert float("inf") == until
        raise OutOfTime("not complete")

    with pytest.raises(OutOfTime):
        make(recover=recover, record_only="0").off("compute-0")
