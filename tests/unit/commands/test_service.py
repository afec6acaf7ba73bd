# SPDX-License-Identifier: Apache-2.0
"""nova-ha disable and enable: what an operator did is kept."""

from __future__ import annotations

import pytest

from nova_ha import record
from nova_ha.commands.evacuate import evacuate
from nova_ha.commands.return_host import return_host
from nova_ha.commands.service import disable, enable
from nova_ha.errors import NovaHaError
from nova_ha.testing.startup import start_compute


@pytest.fixture
def compute(commands):
    """Give Nova's row of a host."""
    return commands.world.cloud.computes["compute-0"]


def test_disable_and_enable(commands, compute):
    """A host is disabled with who did it and why, and enabled again by the same command."""
    assert 0 == disable(commands.here(), "compute-0", "new  memory", force=False)
    assert compute.disabled
    assert compute.disabled_reason.startswith("disabled with nova-ha by ")
    assert compute.disabled_reason.endswith(": new memory")
    assert 0 == enable(commands.here(), "compute-0", force=False)
    assert not compute.disabled


def test_an_operators_disabling_is_kept(commands, compute):
    """What somebody else has disabled is neither renamed nor enabled, unless that is wanted by name."""
    compute.disabled, compute.disabled_reason = True, "haunted"
    assert 0 == disable(commands.here(), "compute-0", "", force=False)
    assert "haunted" == compute.disabled_reason
    with pytest.raises(NovaHaError, match=r"somebody else has disabled it \(haunted\).*--force"):
        enable(commands.here(), "compute-0", force=False)
    assert compute.disabled
    assert 0 == enable(commands.here(), "compute-0", force=True)
    assert not compute.disabled


def test_a_marker_that_is_left_over(commands, compute):
    """The evacuator's own marker without a record may be undone."""
    compute.disabled, compute.disabled_reason = True, record.marker_reason("2026-01-01T00:00:00Z")
    assert 0 == enable(commands.here(), "compute-0", force=False)
    assert not compute.disabled


def test_a_fenced_host_is_not_enabled(commands, compute):
    """A host whose recovery is under way, or which has not returned, is not enabled, not even by force."""
    commands.die("compute-0")
    evacuate(commands.here(), "compute-0", "Ann pulled the plug", take_over=False)
    with pytest.raises(NovaHaError, match="it was fenced, and is not back in service"):
        enable(commands.here(), "compute-0", force=True)
    assert compute.disabled


def test_what_is_disabled_by_hand_is_no_marker(commands, compute):
    """A recovery leaves a host disabled that an operator has disabled with this command (rule R5)."""
    disable(commands.here(), "compute-0", "", force=False)
    assert not record.is_ours(compute.disabled_reason)


def test_disabled_during_a_recovery(commands, compute):
    """The marker gives way to the operator's reason, which keeps the time of the fencing (rules R2, R5)."""
    commands.die("compute-0")
    evacuate(commands.here(), "compute-0", "Ann pulled the plug", take_over=False)
    fenced_at = record.marked_at(compute.disabled_reason)
    assert 0 == disable(commands.here(), "compute-0", "bad memory", force=False)
    assert "it stays so when it is back" in commands.text
    assert compute.forced_down
    assert not record.is_ours(compute.disabled_reason)
    assert record.words_beside_marker(compute.disabled_reason).endswith(": bad memory")
    assert fenced_at is not None
    assert fenced_at == record.marked_at(compute.disabled_reason)


def test_disabled_again_during_a_recovery(commands, compute):
    """A second reason, by force, replaces the words of the first and not the time of the fencing."""
    commands.die("compute-0")
    evacuate(commands.here(), "compute-0", "Ann pulled the plug", take_over=False)
    fenced_at = record.marked_at(compute.disabled_reason)
    for force in (False, True):
        assert 0 == disable(commands.here(), "compute-0", f"force {force}", force=force)
    assert record.words_beside_marker(compute.disabled_reason).endswith(": force True")
    assert fenced_at == record.marked_at(compute.disabled_reason)


def test_host_disabled_during_its_recovery_returns(commands, compute):
    """The host is back in Nova and stays disabled, with the operator's words alone."""
    commands.die("compute-0")
    evacuate(commands.here(), "compute-0", "Ann pulled the plug", take_over=False)
    disable(commands.here(), "compute-0", "bad memory", force=False)
    start_compute(commands.world.cloud, "compute-0")
    assert 0 == return_host(commands.here(), "compute-0")
    assert (compute.disabled, compute.forced_down) == (True, False)
    assert compute.disabled_reason.endswith(": bad memory")


def test_left_over_marker_is_replaced(commands, compute):
    """A marker of a host that is in service again proves nothing, and is not kept beside the reason."""
    compute.disabled, compute.disabled_reason = True, record.marker_reason("2026-01-01T00:00:00Z")
    assert 0 == disable(commands.here(), "compute-0", "bad memory", force=False)
    assert compute.disabled_reason.startswith(record.BY_HAND)
    assert record.marked_at(compute.disabled_reason) is None


def test_reason_that_nova_would_not_keep(commands, compute):
    """A reason that is too long is refused before Nova is asked, with how much is too much."""
    with pytest.raises(NovaHaError, match=r"--reason: \d+ characters too long; Nova keeps 255"):
        disable(commands.here(), "compute-0", "x" * 255, force=False)
    assert not compute.disabled


def test_enabled_already(commands):
    """To enable a host that is enabled is no mistake."""
    assert 0 == enable(commands.here(), "compute-0", force=False)
    assert "enabled already" in commands.text


def test_down_cell(commands):
    """Nothing is changed where Nova does not see the host."""
    commands.world.cloud.cells_down.add("cell1")
    with pytest.raises(NovaHaError, match="its cell is down"):
        disable(commands.here(), "compute-0", "", force=False)
