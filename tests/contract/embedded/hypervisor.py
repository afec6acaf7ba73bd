# SPDX-License-Identifier: Apache-2.0
"""Nova's fake driver, with guests that outlive nova-compute.

`GUESTS` is the truth: which guests each host was told to run, whatever Nova believes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from nova import exception
from nova.compute import power_state
from nova.virt import fake

from tests.contract.embedded.moments import MOMENTS


class Guests:
    """All guests of all hosts; one that was powered off stays defined, as in libvirt."""

    def __init__(self) -> None:
        self._by_host: dict[str, dict[str, Any]] = {}

    def of(self, host: str) -> dict[str, Any]:
        """Return a host's guests, by server."""
        return self._by_host.setdefault(host, {})

    def running_on(self, server_id: str) -> list[str]:
        """Return the hosts on which a guest runs."""
        return [host for host, guest in self._all(server_id) if guest.state == power_state.RUNNING]

    def defined_on(self, server_id: str) -> list[str]:
        """Return the hosts that know a guest."""
        return [host for host, _guest in self._all(server_id)]

    def power_off(self, host: str) -> None:
        """End every guest of a host."""
        for guest in self.of(host).values():
            guest.state = power_state.SHUTDOWN

    def forget(self) -> None:
        """Forget every guest, as a new installation of every host would."""
        for guests in self._by_host.values():
            guests.clear()

    def _all(self, server_id: str) -> Iterator[tuple[str, Any]]:
        for host, guests in sorted(self._by_host.items()):
            if server_id in guests:
                yield host, guests[server_id]


GUESTS = Guests()


class ContractDriver(fake.FakeDriver):
    """One host's hypervisor."""

    vcpus = 1000
    memory_mb = 800000
    local_gb = 600000

    def init_host(self, host: str) -> None:
        """Find the guests again that were there before nova-compute started."""
        super().init_host(host)
        self.instances = GUESTS.of(host)

    def get_available_resource(self, nodename: str) -> Any:
        """Add a uuid that is the same after each start; Nova refuses a host whose node changed."""
        found = super().get_available_resource(nodename)
        return found and {**found, "uuid": _node_uuid(nodename)}

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        """Return this host's only node."""
        return {_node_uuid(name): name for name in self.get_available_nodes(refresh)}

    def spawn(self, context: Any, instance: Any, *arguments: Any, **options: Any) -> None:
        """Start a guest, unless it is held or made to fail."""
        MOMENTS.hold("spawn", instance.uuid, self)
        if MOMENTS.fails("spawn", instance.uuid):
            raise exception.NovaException("The hypervisor was told to fail before the start")
        super().spawn(context, instance, *arguments, **options)

    def get_info(self, instance: Any, use_cache: bool = True) -> Any:
        """Return a guest's state, unless that is made to fail."""
        if instance.uuid in self.instances and MOMENTS.fails("state", instance.uuid):
            raise exception.NovaException("The hypervisor was told to fail after the start")
        return super().get_info(instance, use_cache)

    def pause(self, instance: Any) -> None:
        """Pause a guest; Nova's own fake driver does nothing."""
        self.instances[instance.uuid].state = power_state.PAUSED

    def instance_on_disk(self, _instance: Any) -> bool:
        """Say that every host sees the disk: storage is shared."""
        return True

    def check_instance_shared_storage_local(self, _context: Any, instance: Any) -> dict[str, str]:
        """Return what the other host shall look for."""
        return {"filename": instance.uuid}

    def check_instance_shared_storage_remote(self, _context: Any, _data: Any) -> bool:
        """Say that it is there."""
        return True

    def check_instance_shared_storage_cleanup(self, _context: Any, _data: Any) -> None:
        """Remove nothing: nothing was made."""


def _node_uuid(nodename: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, nodename))
