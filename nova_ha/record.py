# SPDX-License-Identifier: Apache-2.0
"""The record of a fencing: what is written on a node's own entry in Pacemaker's CIB, and what it means.

Four permanent node attributes, each with a single writer, so that no writer can undo another's news:

``nova-ha-fenced``     ``fenced 2026-11-22T06:40:12Z``: the node was fenced then. The time is the identity of
                       the recovery. Written by ``fence_compute off`` (or by the evacuator for another proof).
``nova-ha-evacuated``  the same time: the recovery of that fencing is complete. Written by the evacuator.
``nova-ha-state``      a sentence for people, such as ``evacuating 12/20 by controller-1``. Only whom it names
                       is read back: the evacuator whose requests another one must expect to show up in Nova.
``nova-ha-servers``    ``2026-11-22T06:40:12Z off:UUID left:UUID``: what Nova cannot tell of single servers,
                       and another controller's journal does not know. Belongs to the fencing of that time.

One more attribute is transient, so that Pacemaker drops it with the node's connection:

``nova-ha-wedged``     ``2026-11-22T06:40:12Z no heartbeat in Nova since 2026-11-22T06:38:10Z (restart 1)``:
                       the node's nova-compute did not report to Nova then. NovaCompute's monitor has one that
                       was started before that time restarted. Written by the evacuator.

A recovery is *open* as long as the first exists and the second does not name its time. This module is
imported by the hot paths: it needs nothing but the language.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

FENCED = "nova-ha-fenced"
EVACUATED = "nova-ha-evacuated"
STATE = "nova-ha-state"
SERVERS = "nova-ha-servers"

#: Transient attribute of a compute node whose nova-compute is wedged: its process may live, and Nova gets no
#: heartbeat. Value: a time, a blank, and a sentence. Written by the evacuator, read by NovaCompute's monitor.
WEDGED = "nova-ha-wedged"

#: Facts about a server: it was shut off before Nova forgot that (rule 19); its state was reset by nova-ha; it
#: stays on its host, which is back, and is to be started there; Nova has taken the request to start it there;
#: its recovery was closed without success.
OFF, RESET, START, STARTED, LEFT = "off:", "reset:", "start:", "started:", "left:"

#: Begins the sentence that stays on a host's entry when not all of its servers could be recovered.
NOT_RECOVERED = "up: not recovered: "

#: Begin the sentences that are to be removed when what they tell is over: nothing else would.
PASSING = ("lost", "wedged")

#: A fact about the host: the evacuator has seen that Pacemaker remembers the fencing, which it may forget.
PROVEN = "proven:pacemaker"

_WORD = "fenced "

#: Begins every ``disabled_reason`` that nova-ha writes; nothing else is ever undone by nova-ha (rule R5).
MARKER = "nova-ha: "
_LOST = f"{MARKER}lost "

#: Begins every ``disabled_reason`` of ``nova-ha disable``: a person's, so no `MARKER`. During a recovery our
#: marker stays at its end, in brackets: it is the second ledger of the recovery.
BY_HAND = "disabled with nova-ha by "
_BESIDE = f" ({MARKER}{_WORD}"


def record_value(fenced_at: str) -> str:
    """Return the value of `FENCED` for a node fenced at that time (``2026-11-22T06:40:12Z``)."""
    return _WORD + fenced_at


def fenced_at(value: str | None) -> str | None:
    """Return the time in a value of `FENCED`; None without a record.

    A value in another form (a person's, a later version's) is returned whole: it still says that the node was
    fenced, and only a recovery whose mark has the very same text closes it.
    """
    if not value:
        return None
    return value.removeprefix(_WORD)


def is_open(fenced: str | None, evacuated: str | None) -> bool:
    """Say whether a recovery is open, from the values of `FENCED` and `EVACUATED`."""
    time = fenced_at(fenced)
    return time is not None and evacuated != time


def servers_value(fenced_at: str, facts: Iterable[str]) -> str:
    """Return a value of `SERVERS`."""
    return " ".join([fenced_at, *sorted(facts)])


def facts_of(servers: str | None, fenced_at: str | None) -> frozenset[str]:
    """Return the facts in a value of `SERVERS` that hold for that fencing.

    Of a fencing before it, which was not followed by a return (that removes the value), hold still how a
    server was before the host failed: evacuations that were begun then may end only now.
    """
    words = (servers or "").split()
    if not words or words[0] == fenced_at:
        return frozenset(words[1:])
    return frozenset(word for word in words[1:] if word.startswith((OFF, RESET)))


def servers_with(fact: str, facts: Iterable[str]) -> tuple[str, ...]:
    """Return the servers about which a fact is known."""
    return tuple(sorted(item[len(fact) :] for item in facts if item.startswith(fact)))


def marker_reason(fenced_at: str) -> str:
    """Return the ``disabled_reason`` of a service that was disabled because its host was fenced then."""
    return f"{MARKER}fenced {fenced_at}"


def by_hand_reason(account: str, text: str, fenced_at: str | None) -> str:
    """Return the ``disabled_reason`` of a service that somebody disabled with ``nova-ha disable``.

    Args:
        account: who did it, and where.
        text: why; may be empty.
        fenced_at: time of the fencing whose marker it replaces; None without one.
    """
    words = f"{BY_HAND}{account}{f': {text}' if text else ''}"
    return words if fenced_at is None else beside_marker(words, fenced_at)


def beside_marker(words: str, fenced_at: str) -> str:
    """Return a person's ``disabled_reason`` that keeps our marker beside the words."""
    return f"{words}{_BESIDE}{fenced_at})"


def words_beside_marker(disabled_reason: str | None) -> str | None:
    """Return the person's words in a ``disabled_reason`` that keeps our marker; None in any other."""
    reason = disabled_reason or ""
    if not (reason.startswith(BY_HAND) and reason.endswith(")") and _BESIDE in reason):
        return None
    return reason.rpartition(_BESIDE)[0]


def marked_at(disabled_reason: str | None) -> str | None:
    """Return the time in our marker of a fencing, alone or beside a person's words; None without one."""
    reason = disabled_reason or ""
    if is_ours(reason):
        return None if is_lost(reason) else reason[len(marker_reason("")) :].strip()
    words = words_beside_marker(reason)
    return None if words is None else reason[len(words) + len(_BESIDE) : -1]


def lost_reason(noticed_at: str) -> str:
    """Return the ``disabled_reason`` of a service whose host Pacemaker has lost; it proves no fencing."""
    return _LOST + noticed_at


def is_lost(disabled_reason: str | None) -> bool:
    """Say whether a ``disabled_reason`` tells of a host that was lost, and was not fenced by then."""
    return bool(disabled_reason) and str(disabled_reason).startswith(_LOST)


def lost_at(disabled_reason: str | None) -> str:
    """Return the time in a `lost_reason`; empty when it is none."""
    return str(disabled_reason)[len(_LOST) :].strip() if is_lost(disabled_reason) else ""


def is_passing(state: str | None) -> bool:
    """Say whether a value of `STATE` is about something that passes without a recovery."""
    return bool(state) and str(state).startswith(PASSING)


def is_ours(disabled_reason: str | None) -> bool:
    """Say whether a ``disabled_reason`` was written by nova-ha."""
    return bool(disabled_reason) and str(disabled_reason).startswith(MARKER)


_TOLD = " (restart "


def wedged_value(published_at: str, last_heartbeat: str, count: int) -> str:
    """Return a value of `WEDGED`, published for the count-th time since the last heartbeat."""
    return f"{published_at} no heartbeat in Nova since {last_heartbeat}{_TOLD}{count})"


def wedged_at(value: str | None) -> str | None:
    """Return when a value of `WEDGED` was published."""
    return value.partition(" ")[0] if value else None


def wedged_count(value: str | None) -> int:
    """Return how often it was published since the last heartbeat; 0 when it is not there."""
    if not value:
        return 0
    count = value.rpartition(_TOLD)[2].rstrip(")")
    return int(count) if count.isdigit() else 1


_BY = " by "


def state_text(word: str, progress: str = "", owner: str = "", reason: str = "") -> str:
    """Return a value of `STATE`: ``evacuating 12/20 by controller-1: reason``."""
    text = f"{word} {progress}".strip()
    if owner:
        text += _BY + owner
    return f"{text}: {reason}" if reason else text


def owner_of(state: str | None) -> str | None:
    """Return the evacuator that a value of `STATE` names as sending requests for this node, or None."""
    head = (state or "").split(": ", 1)[0]
    return head.rpartition(_BY)[2] if _BY in head else None
