# SPDX-License-Identifier: Apache-2.0
"""Nova's fake driver, with guests that outlive nova-compute and failures at chosen points.

`FLEET` is the truth: which guests each host was told to run, whatever Nova believes.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nova import exception
from nova.compute import power_state, resource_tracker
from nova.virt import fake

#: Where an evacuation can be made to fail, with its meaning.
POINTS = {
    "claim": "the destination's claim of resources fails",
    "before": "the guest does not start",
    "after": "the guest starts and goes on, and the hypervisor fails when Nova asks for its state",
}
_PATIENCE = 120.0


@dataclass
class Fleet:
    """All hypervisors.

    Attributes:
        guests: what each host has defined: guests by uuid, by host.
        failures: (point, server) that fail until they are mended.
        held: servers whose spawn waits.
        waiting: servers whose spawn does wait, each with its hosts.
        dead: incarnations of nova-compute that were killed.
        starts: every start of a guest, in order.
    """

    guests: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: set[tuple[str, str]] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    waiting: dict[str, list[str]] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)
    starts: list[tuple[str, str]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def running_on(self, server_id: str) -> list[str]:
        """Return the hosts on which a guest runs."""
        found = ((host, guests.get(server_id)) for host, guests in sorted(self.guests.items()))
        return [host for host, guest in found if guest is not None and guest.state == power_state.RUNNING]

    def defined_on(self, server_id: str) -> list[str]:
        """Return the hosts that know a guest, running or not."""
        return [host for host, guests in sorted(self.guests.items()) if server_id in guests]

    def power_off(self, host: str) -> None:
        """End every guest of a host; what is defined stays on its disk."""
        for guest in self.guests.get(host, {}).values():
            guest.state = power_state.SHUTDOWN

    def change(self, action: Callable[[], object]) -> None:
        """Change something that a spawn may wait for."""
        with self.changed:
            action()
            self.changed.notify_all()

    def wait_while_held(self, server_id: str, host: str, incarnation: int) -> None:
        """Wait inside of a spawn; for ever when nova-compute is killed meanwhile."""
        with self.changed:
            self.waiting.setdefault(server_id, []).append(host)
            self.changed.wait_for(lambda: server_id not in self.held or incarnation in self.dead, _PATIENCE)
            self.waiting[server_id].remove(host)
        if incarnation in self.dead:
            # A process that is gone writes nothing any more; a thread can only fall silent.
            threading.Event().wait()

    def fails(self, point: str, server_id: str) -> bool:
        """Say whether that point fails for a server."""
        return (point, server_id) in self.failures


FLEET = Fleet()


class ContractDriver(fake.FakeDriver):
    """One host's hypervisor."""

    vcpus = 1000
    memory_mb = 800000
    local_gb = 600000

    def init_host(self, host: str) -> None:
        """Find the guests again that ran before nova-compute started."""
        super().init_host(host)
        self.instances = FLEET.guests.setdefault(host, {})

    def get_available_resource(self, nodename: str) -> Any:
        """Add a uuid that is the same after each start; Nova refuses a host whose node changed."""
        found = super().get_available_resource(nodename)
        if found:
            found["uuid"] = _node_uuid(nodename)
        return found

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:  # noqa: FBT001, FBT002 - Nova's signature
        """Return this host's only node."""
        return {_node_uuid(name): name for name in self.get_available_nodes(refresh)}

    def spawn(self, context: Any, instance: Any, *arguments: Any, **options: Any) -> None:
        """Start a guest, unless it is held or made to fail."""
        FLEET.wait_while_held(instance.uuid, self._host, id(self))
        if FLEET.fails("before", instance.uuid):
            raise exception.NovaException("The hypervisor was told to fail before the start")
        super().spawn(context, instance, *arguments, **options)
        FLEET.starts.append((instance.uuid, self._host))

    def get_info(self, instance: Any, use_cache: bool = True) -> Any:  # noqa: FBT001, FBT002 - Nova's signature
        """Return a guest's state, unless that is made to fail."""
        if FLEET.fails("after", instance.uuid):
            raise exception.NovaException("The hypervisor was told to fail after the start")
        return super().get_info(instance, use_cache)

    def pause(self, instance: Any) -> None:
        """Pause a guest; Nova's fake driver does nothing."""
        self.instances[instance.uuid].state = power_state.PAUSED

    def unpause(self, instance: Any) -> None:
        """End the pause of a guest."""
        self.instances[instance.uuid].state = power_state.RUNNING

    def instance_on_disk(self, instance: Any) -> bool:
        """Say that every host sees the disk: storage is shared."""
        return True

    def check_instance_shared_storage_local(self, context: Any, instance: Any) -> dict[str, str]:
        """Return what the other host shall look for."""
        return {"filename": instance.uuid}

    def check_instance_shared_storage_remote(self, context: Any, data: Any) -> bool:
        """Say that it is there."""
        return True

    def check_instance_shared_storage_cleanup(self, context: Any, data: Any) -> None:
        """Nothing was made."""


def _node_uuid(nodename: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, nodename))


def fail_claims() -> None:
    """Let the destination's claim fail where `FLEET` says so; everything after the exception is Nova's own."""
    original = resource_tracker.ResourceTracker.rebuild_claim

    def rebuild_claim(self: Any, context: Any, instance: Any, *arguments: Any, **options: Any) -> Any:
        if FLEET.fails("claim", instance.uuid):
            raise exception.ComputeResourcesUnavailable(reason="the claim was told to fail")
        return original(self, context, instance, *arguments, **options)

    resource_tracker.ResourceTracker.rebuild_claim = rebuild_claim
