# SPDX-License-Identifier: Apache-2.0
"""Nova's hypervisor driver for the lab: every guest is a process, its disk a file that it locks and writes.

Nova's own fake driver keeps guests in memory and gives its node a new uuid at each start, so that a restarted
nova-compute refuses to work. This one asks the processes of its node what runs, and its node's uuid follows
from the node's name. Whatever is not about guests is inherited from the fake driver.
"""

from __future__ import annotations

import time
import uuid as uuid_library
from pathlib import Path
from typing import Any

import nova.conf
from nova import exception
from nova.compute import power_state
from nova.virt import fake, hardware, node
from oslo_config import cfg
from oslo_log import log as logging

from . import control, events, guests
from .domains import DISK, RESCUE_DISK, Domain, Domains, Storage

LOG = logging.getLogger(__name__)
CONF = nova.conf.CONF
CONF.register_opts([cfg.StrOpt("shared", help="Folder that all nodes of the lab share.")], group="lab")
# In what a flavor says about the disk: names.LOCAL_DISK_SPEC.
DISK_SPEC = "lab:disk"


class SpawnFailed(exception.NovaException):
    """The control file told this spawn to fail."""

    msg_fmt = "The lab lets the spawn of server %(uuid)s fail on %(host)s: %(kind)s."


def node_uuid(name: str) -> str:
    """Return the uuid of a compute node, the same at every start."""
    return str(uuid_library.uuid5(uuid_library.NAMESPACE_DNS, f"{name}.lab"))


class LabDriver(fake.FakeDriver):
    """A hypervisor whose guests are processes of the compute node."""

    def init_host(self, host: str) -> None:
        super().init_host(host)
        state = Path(CONF.state_path)
        self.shared = Path(CONF.lab.shared)
        self.domains = Domains(state / "domains")
        self.storage = Storage(Path(CONF.instances_path), state / "local-instances")
        if node.read_local_node_uuid() is None:
            node.write_local_node_uuid(node_uuid(host))
        self._adopt()

    def _adopt(self) -> None:
        """Take over the guests that run already: they outlive nova-compute."""
        mine = [guest for guest in guests.running() if guest.host == self._host]
        for guest in mine:
            if self.domains.get(guest.uuid) is None:
                folder = str(Path(guest.disk).parent)
                self.domains.define(Domain(guest.uuid, f"instance-{guest.uuid}", folder))
        LOG.info("Adopted %d running of %d defined guests", len(mine), len(self.domains.all()))

    # What Nova asks about the node.

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        found: dict[str, Any] = super().get_available_resource(nodename)
        if found:
            found["uuid"] = node_uuid(nodename)
        return found

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        return {node_uuid(name): name for name in self.get_available_nodes(refresh)}

    def get_host_ip_addr(self) -> str:
        return str(CONF.my_ip)

    def manage_image_cache(self, context: Any, all_instances: Any) -> None:
        """Do nothing: there is no image cache."""

    # What Nova asks about guests.

    def list_instances(self) -> list[str]:
        return [domain.name for domain in self.domains.all()]

    def list_instance_uuids(self) -> list[str]:
        return [domain.uuid for domain in self.domains.all()]

    def get_info(self, instance: Any, use_cache: bool = True) -> hardware.InstanceInfo:
        self._domain(instance)
        process = self._process(instance.uuid)
        if process is None:
            return hardware.InstanceInfo(state=power_state.SHUTDOWN)
        return hardware.InstanceInfo(state=power_state.PAUSED if process.stopped else power_state.RUNNING)

    def _domain(self, instance: Any) -> Domain:
        found = self.domains.get(instance.uuid)
        if found is None:
            raise exception.InstanceNotFound(instance_id=instance.uuid)
        return found

    def _process(self, uuid: str) -> guests.GuestProcess | None:
        mine = [guest for guest in guests.running() if (guest.uuid, guest.host) == (uuid, self._host)]
        return mine[0] if mine else None

    def _note(self, event: str, uuid: str, **fields: object) -> None:
        events.append(str(self.shared / events.EVENTS_FILE), event, uuid=uuid, host=self._host, **fields)

    # Life of a guest.

    def spawn(self, context: Any, instance: Any, image_meta: Any, injected_files: Any, admin_password: Any,
              allocations: Any, network_info: Any = None, block_device_info: Any = None,
              power_on: bool = True, accel_info: Any = None) -> None:  # fmt: skip
        plan = control.plan_spawn(self.shared, instance.display_name or "", instance.uuid, self._host)
        self._note("spawn", instance.uuid, seconds=plan.seconds, fails=plan.fails)
        control.wait(self.shared, plan.seconds, time.monotonic, time.sleep)
        if plan.fails == "before":
            raise SpawnFailed(uuid=instance.uuid, host=self._host, kind=control.KINDS["before"])
        self._define(instance)
        if power_on:
            self._start(instance)
        if plan.fails == "after":
            raise SpawnFailed(uuid=instance.uuid, host=self._host, kind=control.KINDS["after"])

    def _define(self, instance: Any) -> None:
        local = instance.flavor.extra_specs.get(DISK_SPEC) == "local"
        folder = self.storage.present(instance.uuid) or self.storage.folder(instance.uuid, local=local)
        self.storage.create(folder, instance.flavor.ephemeral_gb)
        self.domains.define(Domain(instance.uuid, instance.name, str(folder)))

    def _start(self, instance: Any, disk: str = DISK) -> None:
        if self._process(instance.uuid):
            return
        folder = Path(self._domain(instance).folder)
        journal = self.shared / events.EVENTS_FILE
        guests.start(instance.uuid, self._host, folder / DISK, folder / disk, journal)
        self._note("started", instance.uuid)

    def _end(self, uuid: str) -> None:
        process = self._process(uuid)
        if process:
            guests.end(process)
            self._note("ended", uuid)

    def destroy(self, context: Any, instance: Any, network_info: Any, block_device_info: Any = None,
                destroy_disks: bool = True, destroy_secrets: bool = True) -> None:  # fmt: skip
        self._end(instance.uuid)
        self.domains.forget(instance.uuid)
        self._note("destroyed", instance.uuid, disks=destroy_disks)
        if destroy_disks:
            self.storage.delete(instance.uuid)

    def cleanup(self, context: Any, instance: Any, network_info: Any, block_device_info: Any = None,
                destroy_disks: bool = True, migrate_data: Any = None, destroy_vifs: bool = True,
                destroy_secrets: bool = True) -> None:  # fmt: skip
        if self.domains.get(instance.uuid):
            raise exception.InstanceExists(name=instance.name)
        if destroy_disks:
            self.storage.delete(instance.uuid)

    # Power.

    def power_off(self, instance: Any, timeout: int = 0, retry_interval: int = 0) -> None:
        self._domain(instance)
        self._end(instance.uuid)

    def power_on(self, context: Any, instance: Any, network_info: Any, block_device_info: Any = None,
                 accel_info: Any = None, share_info: Any = None) -> None:  # fmt: skip
        self._start(instance)

    def reboot(self, context: Any, instance: Any, network_info: Any, reboot_type: str,
               block_device_info: Any = None, bad_volumes_callback: Any = None, accel_info: Any = None,
               share_info: Any = None) -> None:  # fmt: skip
        self._define(instance)
        self._end(instance.uuid)
        self._start(instance)

    def pause(self, instance: Any) -> None:
        guests.freeze(self._live(instance))

    def unpause(self, instance: Any) -> None:
        guests.thaw(self._live(instance))

    def _live(self, instance: Any) -> guests.GuestProcess:
        process = self._process(instance.uuid)
        if process is None:
            raise exception.InstanceNotRunning(instance_id=instance.uuid)
        return process

    def suspend(self, context: Any, instance: Any) -> None:
        """End the guest; like a managed save, it leaves no process and the disk unlocked."""
        self.power_off(instance)

    def resume(self, context: Any, instance: Any, network_info: Any, block_device_info: Any = None,
               share_info: Any = None) -> None:  # fmt: skip
        self._start(instance)

    def resume_state_on_host_boot(self, context: Any, instance: Any, network_info: Any, share_info: Any,
                                  block_device_info: Any = None) -> None:  # fmt: skip
        self._start(instance)

    def rescue(self, context: Any, instance: Any, network_info: Any, image_meta: Any, rescue_password: Any,
               block_device_info: Any, share_info: Any) -> None:  # fmt: skip
        """Run the guest from another disk; it still holds the lock of its own."""
        self._end(instance.uuid)
        self._start(instance, RESCUE_DISK)

    def unrescue(self, context: Any, instance: Any) -> None:
        self._end(instance.uuid)
        (Path(self._domain(instance).folder) / RESCUE_DISK).unlink(missing_ok=True)
        self._start(instance)

    def soft_delete(self, instance: Any) -> None:
        self.power_off(instance)

    def restore(self, instance: Any) -> None:
        self._start(instance)

    # Moves: at no moment two processes.

    def migrate_disk_and_power_off(self, context: Any, instance: Any, dest: str, flavor: Any,
                                   network_info: Any, block_device_info: Any = None, timeout: int = 0,
                                   retry_interval: int = 0) -> str:  # fmt: skip
        self.power_off(instance)
        return ""

    def confirm_migration(self, context: Any, migration: Any, instance: Any, network_info: Any) -> None:
        if migration.source_compute != migration.dest_compute:
            self.destroy(context, instance, network_info, destroy_disks=False)

    def finish_revert_migration(self, context: Any, instance: Any, network_info: Any, migration: Any,
                                block_device_info: Any = None, power_on: bool = True,
                                share_info: Any = None) -> None:  # fmt: skip
        self._define(instance)
        if power_on:
            self._start(instance)

    def live_migration(self, context: Any, instance: Any, dest: str, post_method: Any, recover_method: Any,
                       block_migration: bool = False, migrate_data: Any = None) -> None:  # fmt: skip
        self._end(instance.uuid)
        self.domains.forget(instance.uuid)
        post_method(context, instance, dest, block_migration, migrate_data)

    def post_live_migration_at_source(self, context: Any, instance: Any, network_info: Any) -> None:
        """Do nothing: there are no interfaces to unplug."""

    def post_live_migration_at_destination(self, context: Any, instance: Any, network_info: Any,
                                           block_migration: bool = False,
                                           block_device_info: Any = None) -> None:  # fmt: skip
        self._define(instance)
        self._start(instance)

    # Where disks are.

    def instance_on_disk(self, instance: Any) -> bool:
        return self.storage.present(instance.uuid) is not None

    def check_instance_shared_storage_local(self, context: Any, instance: Any) -> dict[str, str] | None:
        folder = self.storage.present(instance.uuid)
        if folder is None:
            return None
        probe = folder / f"probe-{self._host}"
        probe.touch()
        return {"filename": str(probe)}

    def check_instance_shared_storage_remote(self, context: Any, data: dict[str, str]) -> bool:
        return Path(data["filename"]).exists()

    def check_instance_shared_storage_cleanup(self, context: Any, data: dict[str, str]) -> None:
        Path(data["filename"]).unlink(missing_ok=True)
