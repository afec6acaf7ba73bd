# SPDX-License-Identifier: Apache-2.0
"""Is a nova-compute whose process lives able to work? Decided from what was seen, one look after the other.

Whatever cannot be seen counts as healthy: a restart of nova-compute mends nothing that is wrong elsewhere,
and every compute node would do it at the same time (rule R7). So a process is told to be unhealthy only for
having lost what it was seen to have: a connection, a log that was written regularly.

Time counts while it is watched: of a longer pause between two looks (maintenance mode, a machine that was
stopped) only `_LONGEST_STEP` counts, so that no single look condemns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_LONGEST_STEP = 120.0
#: Seconds that nova-compute has to connect again while a broker answers: oslo.messaging notices a dead
#: connection within heartbeat_timeout_threshold=60 s, and tries again every rabbit_interval_max=30 s at
#: least.
RECONNECT = 90.0
#: So many looks show that the log is written regularly; a first line is written when nova-compute starts.
_ENOUGH_BEATS = 3
#: Once in every period a line may be late by almost a whole one.
_GAPS = 2.0


@dataclass(frozen=True)
class Memory:
    """What is known of one process from the looks before.

    Attributes:
        process: id and start time of the process; what is known of another one does not hold.
        looked_at: when it was looked at, seconds of a clock that never jumps.
        connected: whether it was ever seen with a connection to a broker.
        cut_off: since how many seconds it has none though a broker answers; None when that is not so.
        sizes: size of each of its log files, by identity of the file.
        beats: at how many looks there were new heartbeat lines.
        quiet: since how many seconds its logs have not grown.
        gap: the longest time in which they did not grow, once heartbeat lines were seen.
    """

    process: str
    looked_at: float
    connected: bool = False
    cut_off: float | None = None
    sizes: tuple[tuple[str, int], ...] = ()
    beats: int = 0
    quiet: float = 0.0
    gap: float = 0.0


@dataclass(frozen=True)
class Look:
    """What one look has shown.

    Attributes:
        now: when, seconds of a clock that never jumps.
        connected: whether there is a connection to a broker; None when that cannot be seen.
        broker: the broker that answers; asked for only when there is no connection, and one is missed.
        sizes: as in `Memory`.
        lines: how many heartbeat lines are new since the look before.
    """

    now: float
    connected: bool | None = None
    broker: str | None = None
    sizes: tuple[tuple[str, int], ...] = ()
    lines: int = 0


def after(memory: Memory, look: Look) -> Memory:
    """Return what is known after a look."""
    step = min(max(0.0, look.now - memory.looked_at), _LONGEST_STEP)
    grown = look.sizes != memory.sizes
    quiet = 0.0 if grown else memory.quiet + step
    gap = max(memory.gap, memory.quiet + step) if grown and memory.beats else memory.gap
    return replace(
        memory,
        looked_at=look.now,
        connected=memory.connected or look.connected is True,
        cut_off=_cut_off(memory, look, step),
        sizes=look.sizes,
        beats=memory.beats + (look.lines > 0),
        quiet=quiet,
        gap=gap,
    )


def _cut_off(memory: Memory, look: Look, step: float) -> float | None:
    if look.connected is not False or look.broker is None or not memory.connected:
        return None
    return 0.0 if memory.cut_off is None else memory.cut_off + step


def complaint(memory: Memory, look: Look, log_silence: float) -> str | None:
    """Return why the process is unhealthy, as a sentence for an admin; None when it is not.

    Args:
        memory: what is known after the look.
        look: the look.
        log_silence: seconds without anything new in its log; 0 means that the log says nothing.
    """
    if memory.cut_off is not None and memory.cut_off >= RECONNECT:
        return (
            f"nova-compute has had no connection to RabbitMQ for {memory.cut_off:.0f} s, "
            f"though {look.broker} answers"
        )
    limit = max(log_silence, _GAPS * memory.gap)
    if log_silence and memory.beats >= _ENOUGH_BEATS and memory.quiet > limit:
        return (
            f"nova-compute hangs: nothing new in its log for {memory.quiet:.0f} s, "
            f"where it wrote something every {max(1.0, memory.gap):.0f} s"
        )
    return None
