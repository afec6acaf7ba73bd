# SPDX-License-Identifier: Apache-2.0
"""PID 1 of a node: builds the node's view of the machine, starts its cluster software, collects orphans.

Started by power.py as `python -m tests.lab.node_init NODE RUN-FOLDER` in new net, mount, uts, ipc and pid
namespaces. Its standard output is the node's console.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.lab import layout, mounts, watchdog
from tests.lab.layout import RunFolder

# No systemd reads /etc/default/pacemaker here, so the daemons get their settings by environment.
PACEMAKER_SETTINGS = {
    "PCMK_logfile": "/var/log/pacemaker/pacemaker.log",
    "PCMK_logfacility": "none",
    "HA_LOGFACILITY": "none",
    "PCMK_ipc_type": "shared-mem",
}
_DEVICES = (
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
)


def _mount_kernel_files() -> None:
    mounts.mount("proc", "/proc", "proc", mounts.NOSUID | mounts.NODEV | mounts.NOEXEC)
    # Pacemaker's panic writes here: it must never reach the real machine.
    if Path("/proc/sysrq-trigger").exists():
        mounts.bind("/dev/null", "/proc/sysrq-trigger")
    mounts.bind_read_only("/proc/sys", "/proc/sys")
    mounts.mount("sysfs", "/sys", "sysfs", mounts.RDONLY | mounts.NOSUID | mounts.NODEV | mounts.NOEXEC)


def _mount_control_groups() -> None:
    """Show the machine's control groups, which podman wants; those of the lab it removes when it ends."""
    mounts.mount("cgroup2", "/sys/fs/cgroup", "cgroup2", mounts.NOSUID | mounts.NODEV | mounts.NOEXEC)


def _mount_volatile(run: RunFolder, node: str) -> None:
    """Mount what a power cut empties: /dev, /run and /tmp."""
    scratch = run.scratch(node)
    mounts.device_folder(scratch, _DEVICES)
    mounts.bind(scratch, "/dev", recursive=True)
    mounts.tmpfs("/run")
    for folder in ("lock", "resource-agents", "fence-agents"):
        Path("/run", folder).mkdir(mode=0o1777)
    mounts.private_tmp(run.kept_folders())


def _mount_disk(run: RunFolder, node: layout.Node) -> None:
    """Mount what a power cut leaves, and the shared storage of the compute nodes."""
    for folder in layout.PRIVATE_FOLDERS:
        mounts.bind(run.private(node.name, folder), folder)
    mounts.bind(run.private(node.name, "/etc/hostname"), "/etc/hostname")
    if node.role == "compute":
        mounts.bind(run.instances, layout.INSTANCES)


def _connect_network(address: str) -> None:
    """Configure eth0 as soon as the fabric has plugged in the cable."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    while not Path("/sys/class/net/eth0").exists():
        time.sleep(0.01)
    subprocess.run(["ip", "addr", "add", f"{address}/24", "dev", "eth0"], check=True)
    subprocess.run(["ip", "link", "set", "eth0", "up"], check=True)


def _wait_for_corosync() -> None:
    for _ in range(100):
        if subprocess.run(["corosync-cfgtool", "-s"], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    print("corosync does not answer after 10 s", flush=True)


def _start_cluster(role: str, with_sbd: bool) -> None:
    environment = {
        **layout.BASE_ENVIRONMENT,
        **PACEMAKER_SETTINGS,
        **(watchdog.SETTINGS if with_sbd else {}),
    }
    if role == "controller":
        subprocess.run(["corosync"], env=environment, check=False)
        _wait_for_corosync()
    if with_sbd:
        watchdog.start_sbd(environment)
    daemon = "pacemakerd" if role == "controller" else "pacemaker-remoted"
    pid = subprocess.Popen([daemon], env=environment).pid
    Path(f"/run/{daemon}.pid").write_text(f"{pid}\n")


def _reap_for_ever() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            time.sleep(1)


def main(name: str, folder: str) -> None:
    """Boot the node."""
    run, node = RunFolder(Path(folder)), layout.node_named(name)
    socket.sethostname(name)
    _mount_kernel_files()
    if node.role == "compute":
        _mount_control_groups()
    _mount_disk(run, node)
    _mount_volatile(run, name)
    _connect_network(node.address)
    print(f"{time.time():.3f} {name} boots", flush=True)
    _start_cluster(node.role, with_sbd=json.loads(run.description.read_text())["watchdog"])
    _reap_for_ever()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
