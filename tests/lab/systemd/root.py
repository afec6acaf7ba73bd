# SPDX-License-Identifier: Apache-2.0
"""The files of a node with systemd: the machine's, with a layer of the node's own above them.

The layer lies in the fabric's memory, because an overlay cannot have a layer inside of another one, and the
run folder is inside of "/". It survives the node's power cycles and ends with the lab. What must survive the
lab, or is looked at from outside, is bound over it (KEPT_OUTSIDE).
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tests.lab import layout, mounts, prepare
from tests.lab.layout import Node, RunFolder
from tests.lab.systemd import units

# What the packages of this machine have installed there is what a node begins with.
_AS_INSTALLED = (
    "/etc/corosync",
    "/etc/pacemaker",
    "/etc/nova-ha",
    "/var/lib/corosync",
    "/var/lib/pacemaker",
    "/var/lib/pcsd",
)
KEPT_OUTSIDE = tuple(folder for folder in layout.PRIVATE_FOLDERS if folder not in _AS_INSTALLED)
_LAYERS = Path("/run/lab-nodes")
# What a package of Debian starts by itself once it is installed.
_ENABLED = {
    "controller": ("pcsd", "corosync", "pacemaker"),
    "compute": ("pcsd", "pacemaker_remote", *units.SERVICES),
}
# Debian's packages pacemaker, which needs corosync, and pacemaker-remote cannot be installed together.
_NOT_INSTALLED: dict[str, tuple[str, ...]] = {
    "controller": (),
    "compute": (
        "lib/systemd/system/corosync.service",
        "lib/systemd/system/pacemaker.service",
        "etc/corosync/corosync.conf",
    ),
}
_NO_COLOURS = "[Manager]\nShowStatus=no\n"
_CONSOLE = "[Journal]\nStorage=volatile\nForwardToConsole=yes\nMaxLevelConsole=info\n"


def of(node: Node, run: RunFolder) -> Path:
    """Return the folder with the node's files; only inside of the fabric's own mount namespace."""
    folder = _LAYERS / node.name / "root"
    if not folder.exists():
        _mount(folder)
        _identify(folder, node, run)
        _forget_enabled(folder)
        _install_units(folder, node)
    return folder


def _mount(folder: Path) -> None:
    upper, work = folder.with_name("upper"), folder.with_name("work")
    for part in (folder, upper, work):
        part.mkdir(parents=True)
    # As a root folder: what the machine's umask would make of it, services of other users could not enter.
    upper.chmod(0o755)
    mounts.mount("overlay", folder, "overlay", data=f"lowerdir=/,upperdir={upper},workdir={work}")


def _identify(folder: Path, node: Node, run: RunFolder) -> None:
    """Give the node a name and an identity of its own, and nothing of the machine's network and disks."""
    etc = folder / "etc"
    _write(etc / "hostname", f"{node.name}\n")
    _write(etc / "machine-id", hashlib.md5(node.name.encode(), usedforsecurity=False).hexdigest() + "\n")
    _write(etc / "hosts", run.hosts.read_text())
    _write(etc / "resolv.conf", "")
    _write(etc / "fstab", "")


def _write(path: Path, text: str) -> None:
    # Unlinked first: it may be a link that leads out of the node.
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o644)


def _forget_enabled(folder: Path) -> None:
    """Let nothing start that somebody has enabled on this machine."""
    shutil.rmtree(folder / "etc/systemd/system")
    shutil.rmtree(folder / "var/log/journal", ignore_errors=True)
    generators = folder / "etc/systemd/system-generators"
    generators.mkdir(parents=True, exist_ok=True)
    # Makes units of everything in /etc/init.d.
    _link(generators / "systemd-sysv-generator", "/dev/null")
    # Empties /tmp at each boot, which is empty then but for the run folder, if that lies there.
    _link(folder / "etc/tmpfiles.d/tmp.conf", "/dev/null")


def _install_units(folder: Path, node: Node) -> None:
    """Install and enable what a node of its role has."""
    packaged, own = folder / "lib/systemd/system", folder / "etc/systemd/system"
    _write(folder / "etc/systemd/system.conf", _NO_COLOURS)
    _write(folder / "etc/systemd/journald.conf", _CONSOLE)
    for name, text in units.network(node).items():
        _write(packaged / name, text)
    _enable(own, "lab-network", "network-online.target")
    if node.role == "compute":
        for name, text in units.services().items():
            _write(packaged / name, text)
        _write(packaged / "pacemaker_remote.service", prepare.pacemaker_remote_unit().read_text())
    for name in _NOT_INSTALLED[node.role]:
        (folder / name).unlink(missing_ok=True)
    # A login prompt on the console, which nobody sees.
    _link(own / "getty.target", "/dev/null")
    for name in _ENABLED[node.role]:
        _enable(own, name, "multi-user.target")
    _link(own / "default.target", "/lib/systemd/system/multi-user.target")


def _enable(own: Path, name: str, target: str) -> None:
    _link(own / f"{target}.wants" / f"{name}.service", f"/lib/systemd/system/{name}.service")


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
