# SPDX-License-Identifier: Apache-2.0
"""``nova-ha disable HOST`` and ``nova-ha enable HOST``: keep servers off a host, and let them in again.

The reason that `disable` writes is not the evacuator's marker: a host that an operator has disabled stays so
after a recovery (rule R5), also when that was done during the recovery. The fencing of which the marker told,
which the recovery may need still (rule R2), is kept at the reason's end until the host is back. `enable`
undoes what `disable` has written, and a marker that is left over; what somebody else has disabled only with
``--force``.
"""

from __future__ import annotations

from nova_ha import record
from nova_ha.commands.surroundings import Surroundings
from nova_ha.commands.workplace import Workplace
from nova_ha.errors import NovaHaError

#: Characters that Nova keeps of a reason (schema of ``PUT /os-services``: ``maxLength`` 255).
LONGEST_REASON = 255


def disable(here: Surroundings, host: str, reason: str, *, force: bool) -> int:
    """Disable a host; return the exit status."""
    work = Workplace(here, host)
    service, name = work.target.service, work.target.host
    _refuse_unknown(work)
    if service.status == "disabled" and not service.is_ours and not force:
        here.say(
            f"{name}: it is disabled already ({service.disabled_reason or 'no reason given'}); that is kept"
        )
        return 0
    is_out = _is_out(work)
    here.nova.disable(service, _reason(here.account, reason, service.marked_at if is_out else None))
    what = "it stays so when it is back" if is_out else "its servers stay, and no new ones come"
    here.say(f"{name}: disabled; {what}. Undo it {'then ' if is_out else ''}with: nova-ha enable {host}")
    return 0


def _reason(account: str, reason: str, fenced_at: str | None) -> str:
    text = record.by_hand_reason(account, " ".join(reason.split()), fenced_at)
    if len(text) > LONGEST_REASON:
        raise NovaHaError(
            f"--reason: {len(text) - LONGEST_REASON} characters too long; Nova keeps {LONGEST_REASON}, and "
            "who has disabled it is among them"
        )
    return text


def enable(here: Surroundings, host: str, *, force: bool) -> int:
    """Enable a host; return the exit status."""
    work = Workplace(here, host)
    service, name = work.target.service, work.target.host
    _refuse_unknown(work)
    if _is_out(work):
        raise NovaHaError(f"{name}: it was fenced, and is not back in service; see: nova-ha return {host}")
    if service.status == "enabled":
        here.say(f"{name}: it is enabled already")
        return 0
    reason = service.disabled_reason or ""
    if not (reason.startswith(record.BY_HAND) or record.is_ours(reason) or force):
        raise NovaHaError(
            f"{name}: somebody else has disabled it ({reason or 'no reason given'}), and that is kept; add "
            "--force to enable it all the same"
        )
    here.nova.enable(service)
    here.say(f"{name}: enabled")
    return 0


def _is_out(work: Workplace) -> bool:
    """Say whether it was fenced, and is not back in service."""
    return work.target.service.forced_down or bool(work.entry is not None and work.entry.fenced)


def _refuse_unknown(work: Workplace) -> None:
    if not work.target.service.is_known:
        raise NovaHaError(f"{work.target.host}: its cell is down; try again when Nova reaches its database")
