# SPDX-License-Identifier: Apache-2.0
"""Is nova-compute able to work? Only what it was seen to have and has lost counts against it."""

from __future__ import annotations

import calendar
import time

import pytest

from nova_ha.compute import wedged
from nova_ha.compute.compute_health import Look, Memory, after, complaint
from nova_ha.errors import ClusterError
from nova_ha.runner import CommandFailed, Result

BROKER = "10.0.0.1:5672"
CUT_OFF = "nova-compute has had no connection to RabbitMQ for 120 s, though 10.0.0.1:5672 answers"


def judged(*looks, log_silence=300.0):
    """Return the first complaint during these looks; None when there is none."""
    memory = Memory("1 2", looks[0].now, sizes=looks[0].sizes)
    for look in looks:
        memory = after(memory, look)
        found = complaint(memory, look, log_silence)
        if found:
            return found
    return None


def connections(*seen, step=60.0):
    """Return looks, one a minute: connected or not, and which broker answers."""
    return [Look(step * number, connected, broker) for number, (connected, broker) in enumerate(seen)]


LOST, AWAY = (False, BROKER), (False, None)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(True, None)] * 9, None),
        ([(True, None), LOST, LOST, LOST], CUT_OFF),
        ([(True, None), LOST, LOST, (True, None), LOST, LOST], None),
        ([(True, None), LOST, LOST], None),
        ([(True, None), *[AWAY] * 60], None),
        ([(True, None), *[AWAY] * 9, LOST, LOST, (True, None)], None),
        ([(True, None), LOST, LOST, AWAY, LOST, LOST], None),
        ([(True, None), LOST, LOST, (None, None), LOST, LOST], None),
        ([LOST] * 9, None),
        ([(None, None)] * 9, None),
    ],
)
def test_connection(seen, expected):
    """Only a lost connection counts, and only after a while in which a broker answered at every look."""
    assert expected == judged(*connections(*seen))


def test_one_look_after_a_pause_condemns_nobody():
    """After a pause (maintenance mode, a stopped machine) one more look is needed."""
    memory = after(Memory("1 2", 0.0), Look(0.0, connected=True))
    memory = after(memory, Look(9000.0, connected=False, broker=BROKER))
    assert complaint(memory, Look(9000.0), 300.0) is None
    memory = after(memory, Look(9001.0, connected=False, broker=BROKER))
    assert complaint(memory, Look(9001.0), 300.0) is None


def logs(*seen, step=60.0):
    """Return looks, one a minute: how long the log is, and how many heartbeat lines are new."""
    return [Look(step * n, None, None, (("f", size),), lines) for n, (size, lines) in enumerate(seen)]


REGULAR = [(10, 1), (20, 1), (30, 1), (40, 1)]


@pytest.mark.parametrize(
    ("seen", "silence", "expected"),
    [
        ([*REGULAR, *[(40, 0)] * 5], 300, None),
        (
            [*REGULAR, *[(40, 0)] * 6],
            300,
            "nothing new in its log for 360 s, where it wrote something every 60",
        ),
        ([*REGULAR, *[(40, 0)] * 2, (50, 0), *[(50, 0)] * 5], 300, None),
        ([*REGULAR, *[(40, 0)] * 6], 0, None),
        ([(10, 1), (20, 1), *[(20, 0)] * 60], 300, None),
        ([(10, 0), (20, 0), (30, 0), *[(30, 0)] * 60], 300, None),
        ([(10, 3), *[(10, 0)] * 9, (20, 1), *[(20, 0)] * 9, (30, 1), *[(30, 0)] * 19], 300, None),
    ],
)
def test_log(seen, silence, expected):
    """A log that was written regularly and is not any more condemns; one that never was, says nothing."""
    found = judged(*logs(*seen), log_silence=float(silence))
    assert (found is None) if expected is None else expected in found


def test_while_the_control_plane_is_away_nobody_is_condemned():
    """Without conductors there are errors in the log and no heartbeat lines: nova-compute does not hang."""
    errors = [(50 + n, 0) for n in range(60)]
    assert judged(*logs(*REGULAR, *errors)) is None


VALUE = "2026-11-22T06:40:12Z no heartbeat in Nova since 2026-11-22T06:38:10Z"
TOLD_AT = calendar.timegm((2026, 11, 22, 6, 40, 12))


@pytest.mark.parametrize(
    ("value", "started", "expected"),
    [
        (None, 0, None),
        ("", 0, None),
        ("nonsense", 0, None),
        ("yes, very", 0, None),
        (VALUE, TOLD_AT + 1, None),
        (VALUE, TOLD_AT, None),
        (
            VALUE,
            TOLD_AT - 1,
            f"nova-compute is wedged, says the evacuator at {VALUE.replace(' ', ': ', 1)}",
        ),
        (
            VALUE.partition(" ")[0],
            0,
            "nova-compute is wedged, says the evacuator at 2026-11-22T06:40:12Z: no heartb",
        ),
    ],
)
def test_wedged(value, started, expected):
    """What the evacuator says condemns the nova-compute that ran at that moment, and no later one."""
    found = wedged.why(value, started)
    assert (found is None) if expected is None else found.startswith(expected)


class Says:
    """An attrd_updater that says this, or fails so."""

    def __init__(self, text, returncode=0):
        self.text, self.returncode = text, returncode

    def run(self, *command, timeout):
        """Answer."""
        assert ("attrd_updater", "--name", "nova-ha-wedged", "--node", "c") == command[:5]
        if isinstance(self.text, Exception):
            raise self.text
        return Result(command, self.returncode, self.text, f"within {timeout:g} s")


def answer(*attributes):
    """Return what attrd_updater prints."""
    inner = "".join(f'<attribute host="{host}" value="{value}"/>' for host, value in attributes)
    return f'<pacemaker-result>{inner}<status code="0"/></pacemaker-result>'


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Says(answer(("c", VALUE))), VALUE),
        (Says(answer(("d", VALUE))), None),
        (Says("", 105), None),
        (Says("<broken"), None),
        (Says(CommandFailed("attrd_updater did not end")), None),
        (Says(ClusterError("odd")), None),
    ],
)
def test_attribute(said, expected):
    """The attribute of this very node counts; whatever is no clear answer means that there is none."""
    assert expected == wedged.value_of(said, "c")


def test_when_a_process_started(tmp_path):
    """The start of a process is told in the time of the clock on the wall; of a dead one there is none."""
    started = wedged.started_at(1)
    assert 0 < started <= time.time()
    assert wedged.started_at(2**22 + 1) is None
