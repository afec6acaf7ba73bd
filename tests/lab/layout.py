# SPDX-License-Identifier: Apache-2.0
"""Names, addresses and folders of the lab: the one place that knows them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError

NETWORK = "10.77.0"
FABRIC_ADDRESS = f"{NETWORK}.1"
FABRIC_MAC = "52:54:00:4d:00:01"
POWER_PORT = 7999
BMC_USER = "admin"
BMC_PASSWORD = "secret"
CONTROLLER_CHOICES = (1, 3)
MOST_COMPUTES = 12

NODE_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
BASE_ENVIRONMENT = {"PATH": NODE_PATH, "HOME": "/root", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}

# What a node keeps over a power cycle: its "disk". /var/log/... lies in the log folder of the run.
PRIVATE_FOLDERS = (
    "/etc/corosync",
    "/etc/pacemaker",
    "/etc/nova",
    "/etc/nova-ha",
    "/var/lib/containers",
    "/var/lib/corosync",
    "/var/lib/pacemaker",
    "/var/lib/pcsd",
    "/var/lib/nova",
    "/var/lib/nova-ha",
    "/var/lib/lab",
    "/var/log/corosync",
    "/var/log/pacemaker",
    "/var/log/pcsd",
    "/var/log/nova",
    "/var/log/nova-ha",
    "/var/log/lab",
)
INSTANCES = "/var/lib/nova/instances"


@dataclass(frozen=True)
class Node:
    """Identify one machine of the lab; `bmc_address` is the address of its BMC."""

    name: str
    role: str
    address: str
    bmc_address: str

    @property
    def mac(self) -> str:
        """Return the MAC address, the same after every power cycle, as on a real machine."""
        return f"52:54:00:4d:00:{int(self.address.rpartition('.')[2]):02x}"

    @property
    def cable(self) -> str:
        """Return the name of the fabric's end of the node's network cable."""
        return f"v-{self.name}"


def controllers(count: int) -> list[Node]:
    """Return the controllers of a lab with `count` of them."""
    return [
        Node(f"controller-{i}", "controller", f"{NETWORK}.{10 + i}", f"{NETWORK}.{220 + i}")
        for i in range(count)
    ]


def computes(count: int) -> list[Node]:
    """Return the compute nodes of a lab with `count` of them."""
    return [
        Node(f"compute-{i}", "compute", f"{NETWORK}.{100 + i}", f"{NETWORK}.{200 - i}") for i in range(count)
    ]


def check_size(controller_count: int, compute_count: int) -> None:
    """Raise LabError unless the lab can have this many nodes."""
    if controller_count not in CONTROLLER_CHOICES:
        raise LabError(f"controllers={controller_count}: the lab has 1 or 3 controllers")
    if not 0 <= compute_count <= MOST_COMPUTES:
        raise LabError(f"computes={compute_count}: the lab has 0 to {MOST_COMPUTES} compute nodes")


def node_named(name: str) -> Node:
    """Return the node called `name`; raise LabError if no lab has such a node."""
    for node in controllers(max(CONTROLLER_CHOICES)) + computes(MOST_COMPUTES):
        if node.name == name:
            return node
    raise LabError(f"no node is called '{name}': use controller-0..2 or compute-0..{MOST_COMPUTES - 1}")


def checkout() -> Path:
    """Return the folder of the checkout this package lies in."""
    return Path(__file__).resolve().parents[2]


def cache_folder() -> Path:
    """Return the folder for what is prepared once: $NOVA_HA_CACHE or ~/.cache/nova-ha."""
    return Path(os.environ.get("NOVA_HA_CACHE") or Path.home() / ".cache" / "nova-ha")


@dataclass(frozen=True)
class RunFolder:
    """Know where everything of one run lies."""

    path: Path

    @property
    def description(self) -> Path:
        """Return the file that says what lab this is; it also marks the folder as ours to empty."""
        return self.path / "lab.json"

    @property
    def fabric_process(self) -> Path:
        """Return the file with the process id and start time of the fabric."""
        return self.path / "fabric.json"

    @property
    def code(self) -> Path:
        """Return the copy of the lab's code that a running lab uses, so that edits do not alter it."""
        return self.path / "code"

    @property
    def overlay(self) -> Path:
        """Return the folder whose bin, sbin, ocf and dist-packages appear in every node."""
        return self.path / "overlay"

    @property
    def mount_points(self) -> Path:
        """Return the folder of empty mount points that the machine itself may lack."""
        return self.path / "mount-points"

    @property
    def hosts(self) -> Path:
        """Return the /etc/hosts of all nodes."""
        return self.path / "hosts"

    @property
    def logs(self) -> Path:
        """Return the folder with the logs of everything."""
        return self.path / "logs"

    @property
    def instances(self) -> Path:
        """Return the storage that every compute node sees as /var/lib/nova/instances."""
        return self.path / "shared" / "instances"

    def kept_folders(self) -> list[Path]:
        """Return the folders that must stay visible in the lab even if they lie below /tmp, outer ones first.

        Entries of the cache may be links that lead elsewhere.
        """
        cache = cache_folder()
        linked = [entry.resolve() for entry in cache.iterdir()] if cache.is_dir() else []
        source = Path(json.loads(self.description.read_text())["checkout"])
        return sorted({self.path, source, cache, cache.resolve(), *linked})

    def disk(self, node: str) -> Path:
        """Return the folder with what `node` keeps over a power cycle."""
        return self.path / "nodes" / node / "disk"

    def scratch(self, node: str) -> Path:
        """Return an empty folder on which `node` builds its /dev."""
        return self.path / "nodes" / node / "dev"

    def bmc(self, node: str) -> Path:
        """Return the folder of the node's BMC."""
        return self.path / "bmc" / node

    def private(self, node: str, folder: str) -> Path:
        """Return where the private folder (an absolute path inside of the node) really lies."""
        if folder.startswith("/var/log/"):
            return self.logs / node / folder.removeprefix("/var/log/")
        return self.disk(node) / folder.lstrip("/")
