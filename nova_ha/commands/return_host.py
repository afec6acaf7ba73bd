# SPDX-License-Identifier: Apache-2.0
"""``nova-ha return HOST``: bring a host back into service whose recovery is complete.

In a cluster with NovaEvacuate that happens by itself when the node is back; this watches, and says what it
waits for. Exit status: 0 the host is in service, or as an operator wants it; 1 refused; 130 interrupted.
"""

from __future__ import annotations

from nova_ha.commands.recovery_loop import Teller
from nova_ha.commands.surroundings import Surroundings
from nova_ha.commands.watch import watch_until
from nova_ha.commands.workplace import Workplace
from nova_ha.errors import NovaHaError

BACK, INTERRUPTED = 0, 130


def return_host(here: Surroundings, host: str) -> int:
    """Bring a host back; return the exit status."""
    work = Workplace(here, host)
    if work.entry is None or not work.entry.fenced:
        return _without_record(work)
    _refuse_too_early(work)
    try:
        _bring_back(work)
    except KeyboardInterrupt:
        here.say(f"interrupted; go on with: nova-ha return {host}")
        return INTERRUPTED
    entry = work.current()
    sentence = entry.state if entry is not None else None
    here.say(f"{work.target.host}: {sentence or 'its recovery is over, and Nova may use it again'}")
    return BACK


def _without_record(work: Workplace) -> int:
    """Say what is the case with a host that has no record."""
    service, host = work.target.service, work.target.host
    if not service.forced_down:
        work.here.say(f"{host}: nothing to do: no record of it, and it is not forced down in Nova")
        return BACK
    if service.is_ours or service.marked_at is not None:
        raise NovaHaError(
            f"{host}: forced down by a nova-ha whose record is not on this machine; return it there, or "
            f"verify its servers here first: nova-ha evacuate {host} --take-over"
        )
    raise NovaHaError(
        f"{host}: forced down by somebody else, and nova-ha leaves that as it is; when the host is well: "
        f"openstack compute service set --up {host} nova-compute"
    )


def _refuse_too_early(work: Workplace) -> None:
    """Refuse while servers may still be evacuated from the host, and while it is off."""
    entry, host = work.entry, work.target.host
    if entry is None:
        return
    if entry.recovery_is_open:
        raise NovaHaError(
            f"{host}: its recovery is not complete; a nova-compute that starts now would destroy servers. "
            f"First: nova-ha evacuate {host}"
        )
    if work.is_pacemaker and not entry.online:
        raise NovaHaError(
            f"{host}: the node {entry.name} is offline in Pacemaker; power it on, and what follows happens "
            "by itself"
        )


def _bring_back(work: Workplace) -> None:
    """Wait for the cluster's evacuator, or do it here."""

    def is_back() -> bool:
        entry = work.current()
        return entry is None or not entry.fenced

    if work.has_evacuator:
        watch_until(work, is_back)
        return
    if not work.is_pacemaker:
        work.ledger.say_that_host_is_back(work.name)
    while not is_back():
        with work.alone() as is_alone:
            if is_alone:
                work.loop(Teller(work.here.say)).run(is_back)
                return
        watch_until(work, lambda: is_back() or work.is_free())
