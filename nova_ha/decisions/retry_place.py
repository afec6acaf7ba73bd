# SPDX-License-Identifier: Apache-2.0
"""Say where a server may be asked for next: anywhere, once no guest can run where an attempt failed.

Rule 16 of nova.md over all attempts of a recovery, not only the last: one that found no room says nothing
about the guest that an earlier one may have left at its destination.

After a fault that tells nothing only that destination is asked for again, as often as it takes, until one of
these answers: the server arrives; Nova refuses because such a guest exists there; an attempt that has looked
for such a guest, and found none, fails without having started one; the destination is fenced. The same fault
twice is no answer: where a database or RabbitMQ comes and goes, one attempt fails before its guest is started
and the next, with the same words, after that.
"""

from __future__ import annotations

from collections.abc import Sequence

from nova_ha.decisions import faults
from nova_ha.decisions.faults import RetryPlace
from nova_ha.decisions.observation import ServerView
from nova_ha.decisions.situation import Situation
from nova_ha.model import Evacuation


def where_to_retry(failures: Sequence[Evacuation], view: ServerView, situation: Situation) -> RetryPlace:
    """Return where a server may be asked for next.

    Args:
        failures: its failed attempts in this recovery, oldest first.
        view: the server.
        situation: the rest.
    """
    doubtful = [f for number, f in enumerate(failures) if _may_leave_a_guest(f, failures[number + 1 :], view)]
    if not doubtful:
        return RetryPlace()
    last = doubtful[-1]
    fault = fault_of(last, view)
    is_dead = last.destination in situation.dead_hosts or situation.was_fenced_since(last)
    if is_dead or (faults.says_it_exists(fault) and _is_leftover(last, view, situation)):
        return RetryPlace()
    return RetryPlace(destination=last.destination, guest_stayed=faults.says_it_stayed(fault))


def fault_of(record: Evacuation, view: ServerView) -> str | None:
    """Return why an attempt failed, as noted when it was new, else as the server shows it now.

    None means that Nova put the server back as it was: only the claim had failed (nova.md 2.6).
    """
    for noted in view.notes.failures:
        if noted.record == record.uuid:
            return noted.fault
    if view.server is None or view.server.vm_state != "error":
        return None
    return view.server.fault or "Nova shows no fault"


def _may_leave_a_guest(record: Evacuation, later: Sequence[Evacuation], view: ServerView) -> bool:
    """Say whether an attempt may have left its guest at its destination.

    The fault of one that another evacuator saw is not known here. Where that evacuator asked for another
    host after it, it knew that nothing was left.
    """
    if _was_looked_for(record, later, view):
        return False
    is_noted = any(noted.record == record.uuid for noted in view.notes.failures)
    if later and not is_noted:
        return record.status == "failed" and later[0].destination == record.destination
    return not faults.leaves_nothing(record, fault_of(record, view))


def _was_looked_for(record: Evacuation, later: Sequence[Evacuation], view: ServerView) -> bool:
    """Say whether a later attempt has seen that no guest was left at an attempt's destination.

    Of those that are not noted only the last one's fault is known: it is the one that the server shows.
    """
    noted = {failure.record for failure in view.notes.failures}
    known = [other for other in later if other.uuid in noted or other is later[-1]]
    there = [other for other in known if other.destination == record.destination]
    return any(faults.found_nothing(fault_of(other, view)) for other in there)


def _is_leftover(last: Evacuation, view: ServerView, situation: Situation) -> bool:
    """Say whether the guest that exists at a destination died there, before that host was fenced.

    It is defined there, and nothing starts it: Nova thinks that the server is elsewhere.
    """
    exists = {noted.record for noted in view.notes.failures if faults.says_it_exists(noted.fault)}
    earlier = [
        r for r in view.records if r.destination == last.destination and r.uuid not in {*exists, last.uuid}
    ]
    return bool(earlier) and all(situation.was_fenced_since(record) for record in earlier)
