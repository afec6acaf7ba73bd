# SPDX-License-Identifier: Apache-2.0
"""Put the product and the lab's own programs where nodes expect them, without touching the machine's files.

`fill` copies them into the run folder before the lab starts; `mount_all` lays these copies over the machine's
folders, read-only, inside the fabric. Edits to the checkout therefore do not reach a running lab.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.lab import layout, mounts, product
from tests.lab.layout import RunFolder

OVERLAID = {
    "bin": "/usr/bin",
    "sbin": "/usr/sbin",
    "ocf": "/usr/lib/ocf/resource.d",
    "dist-packages": "/usr/lib/python3/dist-packages",
}
_WITH_MOUNT_POINTS = ("/etc", "/var/lib", "/var/log")


def fill(run: RunFolder, daemons: Iterable[Path]) -> None:
    """Put the product, the lab's fencing programs and the fetched daemons into the run's overlay folder."""
    for folder in OVERLAID:
        (run.overlay / folder).mkdir(parents=True, exist_ok=True)
    product.install(layout.checkout(), run.overlay)
    cluster = Path(__file__).parent / "cluster"
    _install(Path(__file__).parent / "systemd" / "lab-service", run.overlay / "bin")
    _install(cluster / "lab-chassis", run.overlay / "bin")
    _install(cluster / "fence_lab", run.overlay / "sbin")
    _install(cluster / "Service", run.overlay / "ocf" / "lab")
    for daemon in daemons:
        _install(daemon, run.overlay / "sbin")
    _make_mount_points(run)


def _install(program: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(program, folder / program.name)
    (folder / program.name).chmod(0o755)


def _make_mount_points(run: RunFolder) -> None:
    """Create an empty folder for each node-private one: the machine may lack it and is not to get it."""
    for folder in layout.PRIVATE_FOLDERS:
        (run.mount_points / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for name in ("hostname", "hosts"):
        (run.mount_points / "etc" / name).touch()


def mount_all(run: RunFolder) -> None:
    """Lay everything over the machine's folders; only inside of the fabric's own mount namespace."""
    for name, target in OVERLAID.items():
        mounts.overlay(run.overlay / name, target)
    for target in _WITH_MOUNT_POINTS:
        mounts.overlay(run.mount_points / target.lstrip("/"), target)
