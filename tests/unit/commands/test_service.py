# SPDX-License-Identifier: Apache-2.0
"""nova-ha disable and enable: what an operator did is kept."""

from __future__ import annotations

import pytest

from nova_ha import record
from nova_ha.commands.evacuate import evacuate
from nova_ha.commands.service import disable, enable
from nova_ha.errors import NovaHaError


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


def test_enabled_already(commands):
    """To enable a host that is enabled is no mistake."""
    assert 0 == enable(commands.here(), "compute-0", force=False)
    assert "enabled already" in commands.text


def test_down_cell(commands):
    """Nothing is changed where Nova does not see the host."""
    commands.world.cloud.cells_down.add("cell1")
    with pytest.raises(NovaHaError, match="its cell is down"):
        disable(commands.here(), "compute-0", "", force=False)
