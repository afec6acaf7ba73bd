# SPDX-License-Identifier: Apache-2.0
"""``nova-ha evacuate HOST``: recover the servers of a host that is off, by the same rules as the evacuator.

Three ways, which differ in who sends the requests. There is never more than one for a host.

* In a Pacemaker cluster with the resource NovaEvacuate: its evacuator. This writes the record and watches.
* In a Pacemaker cluster without: this process, for this host alone; its record is in the CIB.
* For a host that no Pacemaker knows (keepalived, monit, an admin): this process; the record is in a file of
  this machine (`pacemaker.standalone_cluster`), and nova-ha's marker in Nova tells other machines of it.

Exit status: 0 every server is recovered; 1 refused or failed, nothing is under way that this has begun; 5
some servers could not be recovered, each is named; 130 interrupted: call it again, it goes on where it was.
"""

from __future__ import annotations

from nova_ha import record
from nova_ha.commands.evacuate_rules import Circumstances, Decision, Way, decide, must_listen
from nova_ha.commands.listen import LISTEN, is_heard
from nova_ha.commands.recovery_loop import Teller
from nova_ha.commands.surroundings import Surroundings
from nova_ha.commands.watch import watch_until
from nova_ha.commands.workplace import Workplace
from nova_ha.decisions.plan import Fate, Verdict
from nova_ha.model import ClusterNode

RECOVERED, LEFT_BEHIND, INTERRUPTED = 0, 5, 130


def evacuate(here: Surroundings, host: str, statement: str, *, take_over: bool) -> int:
    """Recover a host; return the exit status.

    Args:
        here: the surroundings.
        host: its name, in Nova or in Pacemaker.
        statement: who has made sure that it is off, and how; empty when nobody has.
        take_over: whether whoever else has begun is dead.
    """
    work = Workplace(here, host)
    situation = _situation(work, statement, take_over=take_over)
    decision = decide(situation)
    if decision.way is Way.COMPLETE:
        here.say(f"{work.target.host}: every server has been recovered; {_what_next(work)}")
        return RECOVERED
    try:
        _begin(work, decision)
        return _watch_evacuator(work) if work.has_evacuator else _recover(work, take_over=take_over)
    except KeyboardInterrupt:
        here.say(f"interrupted; what is under way in Nova goes on. Go on with: nova-ha evacuate {host}")
        return INTERRUPTED


def _situation(work: Workplace, statement: str, *, take_over: bool) -> Circumstances:
    """Return what the decision depends on, after having listened for heartbeats if that is needed."""
    here, target = work.here, work.target
    situation = Circumstances(
        host=target.host,
        service=target.service,
        entry=work.entry,
        is_pacemaker=work.is_pacemaker,
        is_quorate=work.is_quorate,
        has_evacuator=work.has_evacuator,
        is_heard=False,
        statement=statement,
        take_over=take_over,
        me=work.owner,
        now=here.clock.now(),
    )
    if not must_listen(situation):
        return situation
    here.say(f"{target.host}: listening for {LISTEN:.0f} s whether its nova-compute still reports to Nova")
    heard = is_heard(here.nova, here.clock, target.host)
    # Somebody else may have begun meanwhile.
    entry = work.current()
    return Circumstances(**{**vars(situation), "entry": entry, "is_heard": heard, "now": here.clock.now()})


def _begin(work: Workplace, decision: Decision) -> None:
    """Write the record, if there is none yet."""
    if decision.way is Way.BEGIN:
        work.begin(decision.fenced_at, decision.proof, is_foreign=decision.is_foreign)
        work.here.say(f"{work.target.host}: recorded as off at {decision.fenced_at} ({decision.proof})")
    else:
        work.here.say(f"{work.target.host}: going on with the recovery that was begun")


def _watch_evacuator(work: Workplace) -> int:
    """Watch the evacuator of the cluster at work."""
    work.here.say(f"{work.target.host}: the cluster's evacuator recovers it; Ctrl-C ends only the watching")
    watch_until(work, lambda: not work.is_open())
    return _outcome(work)


def _outcome(work: Workplace) -> int:
    """Say what another process has left on the host's entry."""
    entry, host = work.current(), work.target.host
    left = _left_behind(entry) if entry is not None else ()
    for server_id in left:
        work.here.say(f"not recovered: server {server_id}")
    how = f"{len(left)} servers are not recovered" if left else "every server is recovered"
    work.here.say(f"{host}: {how}; {_what_next(work)}")
    return LEFT_BEHIND if left else RECOVERED


def _left_behind(entry: ClusterNode) -> tuple[str, ...]:
    """Return the servers that could not be recovered; once the host is back, only the sentence names them."""
    sentence = entry.state or ""
    if not entry.fenced and sentence.startswith(record.NOT_RECOVERED):
        return tuple(sentence[len(record.NOT_RECOVERED) :].split(", "))
    return record.servers_with(record.LEFT, entry.facts)


def _recover(work: Workplace, *, take_over: bool) -> int:
    """Do it here, unless another command on this machine does it together with other hosts."""
    while True:
        with work.alone() as is_alone:
            if is_alone:
                work.claim(take_over=take_over)
                teller = Teller(work.here.say)
                work.loop(teller).run(lambda: not work.is_open())
                return _conclude(work, teller.verdicts.get(work.target.host, ()))
        work.here.say(f"{work.target.host}: another nova-ha on this machine is at work; watching it")
        watch_until(work, lambda: not work.is_open() or work.is_free())
        if not work.is_open():
            return _outcome(work)


def _conclude(work: Workplace, verdicts: tuple[Verdict, ...]) -> int:
    """Say how it ended, and what comes next; return the exit status."""
    left = [verdict for verdict in verdicts if verdict.fate is Fate.IMMOVABLE]
    for verdict in left:
        work.here.say(f"not recovered: {verdict.sentence}")
    moved = sum(1 for verdict in verdicts if verdict.fate is Fate.VERIFIED)
    work.here.say(f"{work.target.host}: {moved} servers recovered, {len(left)} not; {_what_next(work)}")
    return LEFT_BEHIND if left else RECOVERED


def _what_next(work: Workplace) -> str:
    """Return what brings the host back."""
    if work.has_evacuator:
        return "when the node is back, the rest happens by itself"
    return f"when the host is repaired: start its nova-compute, then nova-ha return {work.target.host}"
