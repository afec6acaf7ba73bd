# SPDX-License-Identifier: Apache-2.0
"""Decide what to do about one server of a failed host.

Invariants, checked by `nova_ha.decisions.invariants.check_invariants` after every step of every test:

* A request is sent only for a server that Nova lists on the failed host, with no record open and no
  request whose effect may still show (rules 11, 12, 14 of nova.md).
* An open record counts as dead only on evidence that nothing can come of it any more (rule 15).
* After a failure at a destination where the guest may have stayed, no other destination is asked for
  (rule 16).

Rules are tried in order, the first that knows the answer gives it.
"""

from __future__ import annotations

from typing import Callable, Optional

from nova_ha.clock import format_time
from nova_ha.decisions import faults
from nova_ha.decisions.dead_records import may_be_running, reason_all_dead
from nova_ha.decisions.immovable import reason_it_cannot_move, reason_to_ignore
from nova_ha.decisions.notes import ACCEPTED, IN_USE, NOT_SENT
from nova_ha.decisions.observation import ServerView
from nova_ha.decisions.plan import (
    Evacuate,
    Fate,
    LookCloser,
    NoteFailure,
    ResetToError,
    StopServer,
    Verdict,
)
from nova_ha.decisions.retry_place import fault_of, where_to_retry
from nova_ha.decisions.situation import Situation
from nova_ha.model import Evacuation

#: Failed attempts after which an admin should know of the next one; and after which a server stays where it
#: is, once its host is back and waits for the end.
ENOUGH_FAILURES = 3

#: The same for a server whose guest may run at the destination that fails: it is not started on its own host
#: then, and a database or RabbitMQ that comes and goes gets some minutes to come back.
ENOUGH_IN_DOUBT = 6

#: The same for one that fits only on hosts whose drivers cannot evacuate.
ENOUGH_OF_THE_SAME = 2

#: How long an evacuation may show no progress before its actions are asked for.
LOOK_AFTER = 10.0

_RUNNING = 1  # Nova's power_state of a guest that ran when its host was last heard

_AT_HOME = "its own host is back"


def decide_server(view: ServerView, situation: Situation) -> Verdict:
    """Return what to do about a server."""
    # Of thousands of servers most only wait for their turn, in every look.
    for rule in RULES_OF_UNTOUCHED if view.is_untouched else RULES:
        verdict = rule(view, situation)
        if verdict is not None:
            return verdict
    if situation.nowhere and _may_stay(view, situation):
        # Otherwise, after a whole site lost power, every host that is back would wait for another one.
        return Verdict(
            view, Fate.IMMOVABLE, f"{situation.nowhere}, and its own host is back", starts_at_home=_ran(view)
        )
    return _ready(view)


def _may_stay(view: ServerView, situation: Situation) -> bool:
    """Say whether a server may stay on its host because that is back.

    Not with an evacuation that is dead but open in Nova: the source's nova-compute destroys such a guest
    when it starts (rule 26).
    """
    return situation.source_is_back and not may_be_running(view, situation)


def _ran(view: ServerView) -> bool:
    """Say whether a server was running before its host failed."""
    if view.notes.was_off is not None:
        return not view.notes.was_off
    server = view.server
    if server is None:
        return False
    # Another evacuator's attempt may have put it into ERROR: that keeps the power state (nova.md 2.5).
    return server.vm_state == "active" or (server.vm_state == "error" and server.power_state == _RUNNING)


def _gone(view: ServerView, _situation: Situation) -> Verdict | None:
    """Forget a server that its owner deleted."""
    return Verdict(view, Fate.GONE, "deleted by its owner") if view.is_gone else None


def _elsewhere(view: ServerView, situation: Situation) -> Verdict | None:
    """Verify a server that is no longer on the failed host (rule 20)."""
    if view.is_here:
        return None
    if view.notes.must_be_stopped:
        return _stop_again(view)
    done = [r for r in view.records if r.succeeded and situation.is_about(r)]
    return Verdict(view, Fate.VERIFIED, f"on {done[-1].destination}") if done else _arriving(view, situation)


def _arriving(view: ServerView, situation: Situation) -> Verdict:
    """Follow a server that left the failed host while no record says yet that its evacuation is done."""
    quiet_since = max((r.updated_at for r in view.open_records), default=0.0)
    if view.server is None and situation.now - quiet_since < LOOK_AFTER:
        # Mostly it has arrived between the list of records and the list of servers: the next look shows it.
        return Verdict(view, Fate.EVACUATING, "it has left the host")
    if view.server is None:
        return Verdict(view, Fate.EVACUATING, "its host is being asked for", (LookCloser(view.id),))
    if view.server.host == situation.host:
        return Verdict(
            view, Fate.WAITING, "Nova's list does not show it, its own entry does", (LookCloser(view.id),)
        )
    if view.server.task_state is None and situation.now - quiet_since > situation.policy.settle_time:
        return Verdict(view, Fate.VERIFIED, f"on {view.server.host}")
    return Verdict(view, Fate.EVACUATING, f"arriving on {view.server.host}", (LookCloser(view.id),))


def _stop_again(view: ServerView) -> Verdict:
    """Shut a server off that was off: Nova forgets that when an evacuation fails on its way (rule 19)."""
    if view.server is None:
        return Verdict(view, Fate.STOPPING, "its power state is being asked for", (LookCloser(view.id),))
    if view.server.vm_state == "active" and view.server.task_state is None:
        return Verdict(
            view, Fate.STOPPING, "it was shut off before", (StopServer(view.id), LookCloser(view.id))
        )
    if view.server.vm_state == "stopped":
        return Verdict(view, Fate.VERIFIED, f"on {view.server.host}, shut off as before")
    return Verdict(view, Fate.STOPPING, f"it is {view.server.vm_state} now", (LookCloser(view.id),))


def _on_the_way(view: ServerView, _situation: Situation) -> Verdict | None:
    """Wait for the answer to a request that is being sent."""
    return Verdict(view, Fate.ASKED) if view.outstanding else None


def _under_way(view: ServerView, situation: Situation) -> Verdict | None:
    """Follow an evacuation that may still be running."""
    running = may_be_running(view, situation)
    if not running or reason_all_dead(view, situation):
        return None
    newest = running[-1]
    where = f"to {newest.destination}" if newest.destination else "waiting for a destination"
    age = situation.now - newest.updated_at
    look = (LookCloser(view.id),) if age > LOOK_AFTER or not newest.is_open else ()
    is_overdue = age > situation.policy.stuck_after
    if is_overdue:
        where += f"; Nova shows no progress since {format_time(newest.updated_at)}"
    is_stuck = is_overdue or len(_failures(view, situation)) >= ENOUGH_FAILURES
    return Verdict(view, Fate.EVACUATING, where, look, is_stuck=is_stuck, is_overdue=is_overdue)


def _settling(view: ServerView, situation: Situation) -> Verdict | None:
    """Wait for the trace of a request whose answer was lost, or that an earlier evacuator may have sent."""
    ask = view.notes.last_ask
    if ask is not None and ask.may_have_effect and not _has_trace(ask.known, view):
        until = ask.at + situation.policy.settle_time
        if situation.now < until:
            why = ask.text or ("Nova accepted it" if ask.outcome == ACCEPTED else "no answer was seen")
            return Verdict(view, Fate.SETTLING, f"the last request may have taken effect: {why}", at=until)
    # Also of one with records: they may be of attempts before the one whose trace is still to come.
    if situation.now < situation.takeover_until:
        why = "the evacuator that was at work before may have asked for it"
        return Verdict(view, Fate.SETTLING, why, at=situation.takeover_until)
    return None


def _has_trace(known: frozenset[str], view: ServerView) -> bool:
    return any(record.uuid not in known for record in view.records)


def _unneeded(view: ServerView, situation: Situation) -> Verdict | None:
    """Leave alone what needs no recovery, and report what cannot move."""
    if view.server is None:
        return Verdict(view, Fate.WAITING, "Nova has not shown it yet", (LookCloser(view.id),))
    ignored = reason_to_ignore(view.server)
    if ignored:
        return Verdict(view, Fate.IGNORED, ignored)
    if situation.policy.reset_states and view.server.status in ("PAUSED", "SUSPENDED", "RESCUE"):
        return Verdict(view, Fate.WAITING, "its state is being reset", (ResetToError(view.server),))
    has_history = bool(_failures(view, situation)) or bool(view.notes.asks) or view.notes.reset
    reason = reason_it_cannot_move(
        view.server, situation.groups.get(view.id), situation.policy, has_history=has_history
    )
    return Verdict(view, Fate.IMMOVABLE, reason) if reason else None


def _refused(view: ServerView, situation: Situation) -> Verdict | None:
    """Wait after a request that Nova refused, never received, or that left no trace in its time."""
    ask = view.notes.last_ask
    if ask is None or (ask.may_have_effect and _has_trace(ask.known, view)):
        return None
    if faults.can_never_move(ask.status, ask.text):
        return Verdict(view, Fate.IMMOVABLE, ask.text)
    if ask.outcome in (NOT_SENT, IN_USE):
        return _not_before(ask.at + 2.0, view, situation, ask.text)
    fruitless = sum(1 for earlier in view.notes.asks if earlier.outcome == ask.outcome)
    return _not_before(ask.at + situation.policy.retry_delay(fruitless), view, situation, ask.text)


def _failed(view: ServerView, situation: Situation) -> Verdict | None:
    """Retry after a failed attempt, where that is safe (rule 16)."""
    failures = _failures(view, situation)
    if not failures:
        return None
    last = failures[-1]
    fault = fault_of(last, view)
    unnoted = last.uuid not in {noted.record for noted in view.notes.failures}
    note = (NoteFailure(view.id, last, fault),) if unnoted else ()
    where = where_to_retry(failures, view, situation)
    its_guest = f"its guest may run on {where.destination}, though Nova says {situation.host}"
    if where.guest_stayed:
        return Verdict(view, Fate.IMMOVABLE, f"{its_guest}: {fault}", note)
    if _no_driver_can(failures, view) and where.destination is None:
        why = "the hosts that it fits on cannot evacuate servers, as with ironic"
        # As in _may_stay: beside an evacuation that Nova has left open it must not run at home as well.
        may_start = _ran(view) and not may_be_running(view, situation)
        return Verdict(view, Fate.IMMOVABLE, f"{why}: {fault}", note, starts_at_home=may_start)
    enough = ENOUGH_IN_DOUBT if where.destination else ENOUGH_FAILURES
    if _may_stay(view, situation) and (situation.nowhere or len(failures) >= enough):
        why = f"{len(failures)} attempts failed, and {its_guest if where.destination else _AT_HOME}"
        may_start = _ran(view) and where.destination is None
        return Verdict(view, Fate.IMMOVABLE, f"{why}: {fault}", note, starts_at_home=may_start)
    due = last.updated_at + situation.policy.retry_delay(len(failures))
    if note or situation.now < due:
        why = f"attempt {len(failures)} failed: {fault or last.status}"
        if where.destination and len(failures) > 1:
            # For as long as it takes (`retry_place`), so an admin must see what is waited for.
            why += f"; its guest may run there, so {where.destination} is asked again at {format_time(due)}"
        return Verdict(view, Fate.RETRYING, why, note, at=due)
    return _ready(view, where.destination or _another_destination(failures, fault, situation))


def _no_driver_can(failures: list[Evacuation], view: ServerView) -> bool:
    """Say whether the last attempts all found a driver that cannot; one alone may be of a mixed cloud."""
    last = failures[-ENOUGH_OF_THE_SAME:]
    is_enough = len(last) == ENOUGH_OF_THE_SAME
    return is_enough and all(faults.driver_cannot_evacuate(fault_of(record, view)) for record in last)


def _another_destination(failures: list[Evacuation], fault: str | None, situation: Situation) -> str | None:
    """Return a host to name where the scheduler may choose again what failed, or None.

    It is named in every other attempt only: Nova puts a server for which a named host has no room into
    ERROR like any.
    """
    if len(failures) % 2 and not faults.says_it_exists(fault):
        return None
    failed = {record.destination for record in failures}
    others = [host for host in situation.destinations if host not in failed]
    return others[len(failures) // 2 % len(others)] if others else None


def _not_before(due: float, view: ServerView, situation: Situation, why: str) -> Verdict | None:
    return Verdict(view, Fate.RETRYING, why, at=due) if situation.now < due else None


def _ready(view: ServerView, destination: str | None = None) -> Verdict:
    """Offer a request; `nova_ha.decisions.admission` says whether it is sent now."""
    if view.server is None:
        return Verdict(view, Fate.WAITING, "Nova has not shown it yet", (LookCloser(view.id),))
    step = Evacuate(view.server, destination, tuple(record.uuid for record in view.records))
    return Verdict(view, Fate.READY, steps=(step,))


def _failures(view: ServerView, situation: Situation) -> list[Evacuation]:
    """Return this recovery's failed attempts, oldest first."""
    failed = [r for r in view.records if not r.is_open and not r.succeeded and situation.is_about(r)]
    return sorted(failed, key=lambda record: record.updated_at)


# "Verdict | None" would be evaluated here, which Python 3.9 cannot.
RULES: tuple[Callable[[ServerView, Situation], Optional[Verdict]], ...] = (  # noqa: UP045 (see above)
    _gone,
    _elsewhere,
    _on_the_way,
    _under_way,
    _settling,
    _unneeded,
    _refused,
    _failed,
)

#: Those that may have an answer for a server that nobody has asked for.
RULES_OF_UNTOUCHED = (_settling, _unneeded)
