# SPDX-License-Identifier: Apache-2.0
"""``nova-ha disable HOST`` and ``nova-ha enable HOST``: keep servers off a host, and let them in again.

The reason that `disable` writes is not the evacuator's marker: a host that an operator has disabled stays so
after a recovery (rule R5). `enable` undoes what `disable` has written, and a marker that is left over; what
somebody else has disabled only with ``--force``.
"""

from __future__ import annotations

from nova_ha import record
from nova_ha.commands.surroundings import Surroundings
from nova_ha.commands.workplace import Workplace
from nova_ha.errors import NovaHaError

#: Begins every reason that `disable` writes; no `record.MARKER`, see above.
BY_HAND = "disabled with nova-ha by "


def disable(here: Surroundings, host: str, reason: str, *, force: bool) -> int:
    """Disable a host; return the exit status."""
    work = Workplace(here, host)
    service, name = work.target.service, work.target.host
    _refuse_unknown(work)
    if service.status == "disabled" and not force:
        here.say(
            f"{name}: it is disabled already ({service.disabled_reason or 'no reason given'}); that is kept"
        )
        return 0
    text = " ".join(reason.split())
    here.nova.disable(service, f"{BY_HAND}{here.account}{f': {text}' if text else ''}")
    here.say(f"{name}: disabled; its servers stay, and no new ones come. Undo it with: nova-ha enable {host}")
    return 0


def enable(here: Surroundings, host: str, *, force: bool) -> int:
    """Enable a host; return the exit status."""
    work = Workplace(here, host)
    service, name = work.target.service, work.target.host
    _refuse_unknown(work)
    if service.forced_down or (work.entry is not None and work.entry.fenced):
        raise NovaHaError(f"{name}: it was fenced, and is not back in service; see: nova-ha return {host}")
    if service.status == "enabled":
        here.say(f"{name}: it is enabled already")
        return 0
    reason = service.disabled_reason or ""
    if not (reason.startswith(BY_HAND) or record.is_ours(reason) or force):
        raise NovaHaError(
            f"{name}: somebody else has disabled it ({reason or 'no reason given'}), and that is kept; add "
            "--force to enable it all the same"
        )
    here.nova.enable(service)
    here.say(f"{name}: enabled")
    return 0


def _refuse_unknown(work: Workplace) -> None:
    if not work.target.service.is_known:
        raise NovaHaError(f"{work.target.host}: its cell is down; try again when Nova reaches its database")
