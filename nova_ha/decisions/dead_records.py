# SPDX-License-Identifier: Apache-2.0
"""Tell which of a server's evacuations may still be running, and which are dead though open in Nova.

Rule 15 of nova.md: a second request while an earlier evacuation runs makes the guest run twice, with no error
anywhere. So an open record counts as dead only on evidence that nothing can come of it any more.
"""

from __future__ import annotations

from nova_ha.decisions.observation import ServerView
from nova_ha.decisions.situation import Situation
from nova_ha.model import Attempt, Evacuation

#: Seconds after its fencing in which a host may still be chosen, until Nova sees it as down; it is off then.
_CHOSEN_WHEN_DEAD = 5.0


def may_be_running(view: ServerView, situation: Situation) -> tuple[Evacuation, ...]:
    """Return the records whose evacuation may still be running.

    Those that are open, and those that ended well although the server is still here: the source's
    nova-compute, started too early, marks running evacuations as completed (nova.md 3).
    """
    return tuple(
        r for r in view.records if r.is_open or (r.succeeded and view.is_here and situation.is_about(r))
    )


def reason_all_dead(view: ServerView, situation: Situation) -> str | None:
    """Return why nothing can come of any open record any more (rule 15), or None when something may."""
    reasons = [_reason_dead(record, view, situation) for record in may_be_running(view, situation)]
    return None if None in reasons else "; ".join(dict.fromkeys(r for r in reasons if r))


def _reason_dead(record: Evacuation, view: ServerView, situation: Situation) -> str | None:
    """Return why nothing can come of an open record any more."""
    if record.status == "pre-migrating":
        return _reason_destination_died(record, situation)
    if record.status not in ("accepted", "done", "completed"):
        return None
    if not view.attempts or not _last_ask_is_among_attempts(view):
        return None
    if all(attempt.is_over for attempt in view.attempts):
        return "Nova's conductor or destination gave up"
    waiting = [attempt for attempt in view.attempts if not attempt.is_over]
    unbegun = all(not attempt.events for attempt in waiting)
    since = max(record.updated_at, *(attempt.started_at for attempt in waiting), _asked_at(view))
    if unbegun:
        return _reason_message_lost(since, situation)
    return _reason_begun_by_the_dead(waiting, situation) or _reason_never_claimed(since, waiting, situation)


def _reason_message_lost(since: float, situation: Situation) -> str | None:
    """Say that no conductor began an evacuation, although all were up long enough (rule 15 b).

    A message that waited for conductors is taken when they come up: only since then can it be lost.
    """
    if situation.conductors_since is None:
        return None
    if situation.now - max(since, situation.conductors_since) <= situation.policy.dead_after:
        return None
    return f"no conductor began it in {situation.policy.dead_after:.0f} s"


def _reason_begun_by_the_dead(waiting: list[Attempt], situation: Situation) -> str | None:
    """Say that whoever began an evacuation is dead now, and its guest with it, though no claim names it.

    So it is when the claim could not be written because the database was away. Only hosts that are dead at
    this moment count: one that was fenced and is back may have begun it since.
    """
    begun = [{e.host for e in a.events if e.name == "compute_rebuild_instance"} for a in waiting]
    if not all(hosts and hosts <= situation.dead_hosts for hosts in begun):
        return None
    names = sorted(host for hosts in begun for host in hosts if host)
    return f"its destination {names[0]} was fenced"


def _reason_never_claimed(since: float, waiting: list[Attempt], situation: Situation) -> str | None:
    """Say that the destination died before it claimed an evacuation that the conductor had sent to it.

    Nothing names that destination. So it takes both: no claim for a long time, and another host that died
    since the conductor chose one: a host that had died before, and is back, takes the message yet. What may
    remain is a message in the queue of a host that never returned; if it does, Nova refuses that message by
    the server's task state, and may set the server to ERROR (nova.md 3, R:E15).
    """
    sent = all(
        event.name == "rebuild_server" and event.result == "Success" for a in waiting for event in a.events
    )
    chosen = max(event.at for a in waiting for event in a.events)
    times = {host: max(situation.fencings.get(host, (chosen,))) for host in situation.dead_hosts}
    times.update((host, max(found)) for host, found in situation.fencings.items())
    others = {host for host, time in times.items() if time >= chosen - _CHOSEN_WHEN_DEAD} - {situation.host}
    if not sent or not others or situation.now - max(since, chosen) <= situation.policy.dead_after:
        return None
    return f"no destination claimed it in {situation.policy.dead_after:.0f} s, and {min(others)} was fenced"


def _reason_destination_died(record: Evacuation, situation: Situation) -> str | None:
    """Say that the nova-compute that claimed an evacuation is gone, and its guest with it.

    The destination is down now, or was fenced after it claimed and may be back: what it was doing is lost
    with it.
    """
    if record.destination in situation.dead_hosts or situation.was_fenced_since(record):
        return f"its destination {record.destination} was fenced"
    return None


def _asked_at(view: ServerView) -> float:
    ask = view.notes.last_ask
    return ask.at if ask else 0.0


def _last_ask_is_among_attempts(view: ServerView) -> bool:
    """Say whether Nova's list of actions knows the last request; if not, the list may be older than it."""
    ask = view.notes.last_ask
    if ask is None or ask.request_id is None:
        return True
    return any(attempt.request_id == ask.request_id for attempt in view.attempts or ())
