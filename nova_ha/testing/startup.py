# SPDX-License-Identifier: Apache-2.0
"""What nova-compute does when it starts, stops and dies, above all on an evacuated host (nova.md 3)."""

from __future__ import annotations

from nova_ha.testing.cloud import Cloud, Compute, Record, Server

_LEFT = ("accepted", "pre-migrating", "done")
_REPORT_DELAY = 5.0
_REBOOTING = "rebooting_hard"


def start_compute(cloud: Cloud, host: str) -> None:
    """Start nova-compute: destroy evacuated guests, mend what is left, begin to report."""
    compute = cloud.computes[host]
    if compute.alive_since is not None:
        return
    compute.incarnation += 1
    left = _evacuations(cloud, host)
    cloud.log.add(host, "nova-compute starts")
    for record in left.values():
        _forget(cloud, host, record)
    _mend_servers(cloud, host, set(left))
    compute.frozen = compute.hangs > 0
    if compute.frozen:
        compute.hangs -= 1
        cloud.log.add(host, "nova-compute hangs")
        return
    compute.alive_since = cloud.clock.monotonic() + _REPORT_DELAY
    _take_messages(compute)


def stop_compute(cloud: Cloud, host: str) -> None:
    """Let nova-compute die: what it was doing is lost."""
    compute = cloud.computes[host]
    if compute.alive_since is not None:
        compute.last_report = cloud.last_report(compute)
    compute.alive_since = None
    compute.frozen = False
    compute.incarnation += 1


def freeze_compute(cloud: Cloud, host: str) -> None:
    """Let nova-compute hang."""
    compute = cloud.computes[host]
    if compute.alive_since is not None:
        compute.last_report = cloud.last_report(compute)
        compute.alive_since, compute.frozen = None, True


def thaw_compute(cloud: Cloud, host: str) -> None:
    """Let a hung nova-compute go on where it was."""
    compute = cloud.computes[host]
    if compute.frozen:
        compute.alive_since, compute.frozen = cloud.clock.monotonic(), False
        _take_messages(compute)


def reboot_server(cloud: Cloud, server: Server) -> None:
    """Begin a hard reboot of a server on its host: Nova shows that at once, before it answers."""
    compute = cloud.computes[server.host or ""]
    incarnation = compute.incarnation
    server.task_state = _REBOOTING

    def end() -> None:
        is_void = server.deleted or server.task_state != _REBOOTING
        if compute.incarnation == incarnation and not is_void:
            server.task_state = None
            _start_anew(cloud, server, compute)

    cloud.clock.after(compute.spawn_seconds, end)


def _start_anew(cloud: Cloud, server: Server, compute: Compute) -> None:
    """End a server's guest and start it again, if that succeeds there."""
    for host in cloud.hypervisors.hosts_of(server.id):
        cloud.hypervisors.end(host, server.id, "hard reboot")
    if compute.fails is not None:
        cloud.log.add(compute.host, f"guest {server.id} did not start (hard reboot)")
        server.vm_state, server.power_state, server.fault = "error", 4, "VolumeAttachFailed"
        return
    cloud.hypervisors.start(compute.host, server.id, "hard reboot")
    server.vm_state, server.power_state = "active", 1


def _take_messages(compute: Compute) -> None:
    """Take what RabbitMQ has kept."""
    messages, compute.inbox[:] = list(compute.inbox), []
    for message in messages:
        message()


def _evacuations(cloud: Cloud, host: str) -> dict[str, Record]:
    """Return one record for each evacuated server.

    Nova builds a dictionary by server from the records, which its database returns in the order of their ids:
    of two records of a server only the newest is kept and becomes ``completed`` (34.0.0, compute/manager.py,
    _destroy_evacuated_instances). The others wait for further starts.
    """
    records = [record for record in cloud.records_of(host) if record.status in _LEFT]
    return {record.server_id: record for record in records}


def _forget(cloud: Cloud, host: str, record: Record) -> None:
    """Destroy the local guest, whether or not its evacuation ever happened, and complete the record."""
    server_id = record.server_id
    if cloud.hypervisors.is_defined(host, server_id):
        cloud.hypervisors.destroy(host, server_id, "nova-compute's start found an evacuation")
        _accuse_if_lost(cloud, host, record)
    if not cloud.servers[server_id].deleted:
        cloud.allocations.get(host, set()).discard(server_id)
        cloud.set_record(record, "completed")


def _accuse_if_lost(cloud: Cloud, host: str, record: Record) -> None:
    """Note a violation when the server had not moved and nothing is under way that would move it (R:E06b)."""
    server = cloud.servers[record.server_id]
    if server.host == host and not server.deleted and not cloud.is_moving(server.id):
        cloud.hypervisors.accuse(
            f"guest {server.id} was destroyed on {host} and exists nowhere",
            f"nova-compute started while record {record.number} was {record.status}",
        )


def _mend_servers(cloud: Cloud, host: str, evacuated: set[str]) -> None:
    """Give servers that stayed a state that is true: an interrupted rebuild is ERROR, a dead guest is off."""
    for server in cloud.servers.values():
        if server.host != host or server.deleted or server.id in evacuated:
            continue
        if (server.task_state or "").startswith("rebuild") and server.vm_state in ("active", "stopped"):
            server.vm_state, server.task_state = "error", None
        elif (server.task_state or "").startswith("reboot"):
            server.vm_state, server.task_state, server.power_state = "stopped", None, 4
        elif server.vm_state == "active" and host not in cloud.hypervisors.hosts_of(server.id):
            server.vm_state, server.power_state = "stopped", 4
