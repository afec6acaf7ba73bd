# SPDX-License-Identifier: Apache-2.0
"""Say which servers of a failed host need no recovery, and which cannot be evacuated as they are."""

from __future__ import annotations

from nova_ha.decisions.policy import Policy
from nova_ha.model import Server, ServerGroup

#: What Nova's evacuate accepts (nova.md 2.2); every other state is refused with 409.
_ACCEPTED = frozenset({"active", "stopped", "error"})

#: Task states of a server that another host may be running too (nova.md 5).
_BETWEEN_HOSTS = ("migrating", "resize_")

_REMEDY = {
    "paused": "its memory is lost; set reset_states=1 to recover it from its disk",
    "suspended": "its memory image is lost; set reset_states=1 to recover it from its disk",
    "rescued": "set reset_states=1 to recover it from its disk",
}


def reason_to_ignore(server: Server) -> str | None:
    """Return why a server needs no recovery, or None when it does."""
    if server.task_state in ("deleting", "soft-deleting"):
        return "its owner is deleting it; an evacuation would bring it back (nova.md 5)"
    if server.vm_state in ("building", "soft-delete", "deleted", "shelved_offloaded"):
        return f"it is {server.vm_state}"
    if not server.launched:
        return "it never ran"
    return None


def reason_it_cannot_move(
    server: Server, group: ServerGroup | None, policy: Policy, *, has_history: bool
) -> str | None:
    """Return why a server cannot be evacuated as it is, or None when it can.

    Args:
        server: what Nova says.
        group: its hard server group, if it has one.
        policy: the admin's settings.
        has_history: whether this recovery has asked for it, so that an ERROR is of its own making.
    """
    if server.vm_state not in _ACCEPTED:
        remedy = _REMEDY.get(server.vm_state, "start, confirm or unshelve it when its host is back")
        return f"Nova does not evacuate a server that is {server.vm_state}; {remedy}"
    if server.task_state and server.task_state.startswith(_BETWEEN_HOSTS):
        return f"it was on its way between hosts ({server.task_state}) and may run on the other one"
    if server.vm_state == "error" and not has_history and not policy.evacuate_error:
        return "it was in ERROR before its host failed; set evacuate_error=1 to recover such servers"
    if group is not None and group.policy == "affinity":
        return f"hard affinity (group {group.id}) allows no other host; remove it from its group"
    return _reason_its_disk_is_lost(server, policy)


def _reason_its_disk_is_lost(server: Server, policy: Policy) -> str | None:
    if policy.shared_storage or policy.rebuild_from_image:
        return None
    if server.is_volume_backed and not server.local_disk:
        return None
    return "its disk is on the failed host; set rebuild_from_image=1 to have it rebuilt, without its data"
