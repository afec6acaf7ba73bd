# SPDX-License-Identifier: Apache-2.0
"""Know the server groups whose members must not share a host, or must share one."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from nova_ha.clock import Clock
from nova_ha.errors import AccessDenied, NovaHaError
from nova_ha.model import ServerGroup
from nova_ha.ports import NovaPort

_log = logging.getLogger(__name__)

#: How long the list of server groups is believed; a member that joins meanwhile costs a retry, nothing else.
KEPT = 60.0

_HARD = frozenset(("affinity", "anti-affinity"))


def hard_groups_by_member(groups: Iterable[ServerGroup]) -> dict[str, ServerGroup]:
    """Return the groups with a hard policy, by the ids of their members; Nova lets a server be in one."""
    return {member: group for group in groups if group.policy in _HARD for member in group.members}


class HardGroups:
    """The hard server groups, asked for while they are needed, and not at every look."""

    def __init__(self, nova: NovaPort, clock: Clock) -> None:
        self._nova = nova
        self._clock = clock
        self._known: dict[str, ServerGroup] = {}
        self._asked_at = float("-inf")

    def by_member(self, *, is_needed: bool) -> dict[str, ServerGroup]:
        """Return them by the ids of their members; what was known before while they are not needed."""
        now = self._clock.now()
        if not is_needed or now - self._asked_at < KEPT:
            return self._known
        try:
            groups = self._nova.server_groups()
        except AccessDenied as error:
            _log.warning("server groups cannot be read, members may need a second attempt: %s", error)
            groups = ()
        except NovaHaError as error:
            _log.info("server groups cannot be read now: %s", error)
            return self._known
        self._known, self._asked_at = hard_groups_by_member(groups), now
        return self._known
