# SPDX-License-Identifier: Apache-2.0
"""Prepare the machine for the lab: check it, install packages, fetch pacemaker_remoted and sbd."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.lab import layout
from tests.lab.errors import LabError
from tests.lab.systemd import cgroups

APT_PACKAGES = (
    "corosync",
    "pacemaker",
    "pacemaker-cli-utils",
    "resource-agents",
    "pcs",
    "fence-agents",
    "ipmitool",
    "openipmi",
    # The certificates of the BMCs.
    "openssl",
    # Nodes whose nova-compute is in a container.
    "podman",
    "crun",
    # Nodes that run systemd.
    "systemd-container",
    "iproute2",
    "procps",
    "util-linux",
    "libxml2-utils",
    # What sbd needs besides.
    "libaio1",
    # What the examples are tried with.
    "crmsh",
    "shellcheck",
    # cibsecret refuses to say what it keeps unless it finds ssh.
    "openssh-client",
    # What the product's package is built with.
    "debhelper",
    "dh-python",
    "pybuild-plugin-pyproject",
    "python3-all",
    # What the product runs on in the nodes.
    "python3-keystoneauth1",
    "python3-novaclient",
    "python3-yaml",
)
_POLICY = Path("/usr/sbin/policy-rc.d")
_PROBE = """
set -e
mkdir -p "$1/top" "$1/low" "$1/merged"
mount -t tmpfs tmpfs "$1/low"
mount -t overlay overlay -o "lowerdir=$1/top:$1/low" "$1/merged"
ip link add probe0 type bridge
ip link add probe1 type veth peer name probe2
"""


def check_machine() -> None:
    """Raise LabError, naming the fix, unless the lab can run here."""
    if os.geteuid() != 0:
        raise LabError("the lab creates namespaces and networks: run it as root (sudo)")
    release = _os_release()
    if (release.get("ID"), release.get("VERSION_ID")) != ("debian", "12"):
        found = release.get("PRETTY_NAME", "an unknown system")
        raise LabError(
            f"the lab needs the packages of Debian 12, this is {found}: use a Debian 12 machine or VM"
        )


def _os_release() -> dict[str, str]:
    path = Path("/etc/os-release")
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: value.strip().strip('"') for name, _, value in pairs}


def check_namespaces() -> None:
    """Raise LabError unless namespaces, overlays, bridges and virtual cables can be created."""
    with tempfile.TemporaryDirectory(prefix="nova-ha-probe-") as folder:
        command = ["unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        done = subprocess.run(
            [*command, "sh", "-c", _PROBE, "probe", folder], capture_output=True, text=True, check=False
        )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LabError(
            f"this machine does not let root create namespaces, overlays and virtual networks ({reason}): "
            "use a virtual machine, or start the container with --privileged"
        )


def missing_packages(wanted: Iterable[str]) -> list[str]:
    """Return those packages that are not installed."""
    return [name for name in wanted if _installed_version(name) is None]


def _installed_version(package: str) -> str | None:
    done = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", package],
        capture_output=True,
        text=True,
        check=False,
    )
    status, _, version = done.stdout.partition(" ")
    return version if done.returncode == 0 and status == "installed" else None


def install_packages(wanted: Iterable[str]) -> None:
    """Install what is missing of `wanted` with apt, without letting any package start its service."""
    missing = missing_packages(wanted)
    if not missing:
        return
    print(f"installing {len(missing)} packages: {' '.join(missing)}", flush=True)
    _apt_get("update")
    with _no_services():
        _apt_get("install", "--yes", "--no-install-recommends", *missing)


def _apt_get(*arguments: str, cwd: Path | None = None) -> None:
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=900", "-qq", *arguments]
    environment = {**os.environ, **layout.BASE_ENVIRONMENT, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LabError(f"{' '.join(command)}: {reason}: check the machine's apt sources and its way to them")


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Deny service starts during an installation: corosync, pcsd and others must not run on the machine."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def pacemaker_remoted() -> Path:
    """Return the cached pacemaker_remoted that fits the installed Pacemaker.

    Debian's packages pacemaker and pacemaker-remote conflict, so the second one is only unpacked.
    """
    version = _pacemaker_version()
    return _program("pacemaker-remoted", f"pacemaker-remote={version}", "pacemaker-remote", version)


def sbd() -> Path:
    """Return the cached sbd that is linked with the installed Pacemaker's libraries.

    Only unpacked: once it is installed, corosync.service does not start without it, neither on this machine
    nor on the lab's nodes that run systemd.
    """
    return _program("sbd", "sbd", "sbd", _pacemaker_version())


def _pacemaker_version() -> str:
    version = _installed_version("pacemaker")
    if version is None:
        raise LabError("package pacemaker is not installed: run 'python -m tests.lab prepare'")
    return version


def _program(name: str, package: str, *where: str) -> Path:
    """Return a program in /usr/sbin of a package that is only unpacked, in a folder of the cache."""
    folder = layout.cache_folder().joinpath(*where)
    program = folder / "usr" / "sbin" / name
    if not program.exists():
        _unpack(package, folder)
    return program


def pacemaker_remote_unit() -> Path:
    """Return the unit file of pacemaker_remoted, as Debian's package has it."""
    return pacemaker_remoted().parents[2] / "lib/systemd/system/pacemaker_remote.service"


def _unpack(package: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        _apt_get("download", package, cwd=Path(scratch))
        archive = next(Path(scratch).glob("*.deb"))
        unpacked = Path(scratch) / "unpacked"
        subprocess.run(["dpkg-deb", "--extract", archive, unpacked], check=True)
        shutil.rmtree(folder, ignore_errors=True)
        unpacked.rename(folder)


def prepare_machine(systemd: bool = False) -> None:
    """Check the machine and bring everything here that the cluster half of the lab needs."""
    check_machine()
    if systemd:
        cgroups.check()
    install_packages(APT_PACKAGES)
    check_namespaces()
    pacemaker_remoted()
    sbd()
