# SPDX-License-Identifier: Apache-2.0
"""The cloud of one run: control plane from the prepared database, compute nodes' files, auditor."""

from __future__ import annotations

import shutil
import subprocess
from functools import cached_property

from tests.lab.errors import LabError
from tests.lab.prepare import install_packages

from . import config, tls
from .audit_status import AuditStatus, read_status
from .client import Client
from .fabric import Fabric
from .nodes import NodeFiles
from .prepare import prepared
from .runner import Runner
from .services import Places, rabbitmq_files
from .venv import clean_environment, venv

APT_PACKAGES = (
    "mariadb-server",
    "rabbitmq-server",
    "python3-venv",
    "python3-keystoneauth1",
    "python3-novaclient",
    "python3-yaml",
    # TLS in front of Keystone and Nova, and its certificates.
    "python3-cryptography",
    "stunnel4",
)


class OpenStack:
    """OpenStack in one lab. Services are stopped and started again by name, see services.py."""

    def __init__(self, fabric: Fabric):
        self.fabric = fabric

    @cached_property
    def runner(self) -> Runner:
        """Return what starts and stops the services."""
        folder = self.fabric.directory / "openstack"
        return Runner(self.fabric, Places(venv(), folder / "etc", folder / "state", self.fabric.logs))

    @cached_property
    def nodes(self) -> NodeFiles:
        """Return what writes the nodes' files."""
        return NodeFiles(self.fabric.directory, venv())

    @cached_property
    def client(self) -> Client:
        """Return the admin's client of this cloud."""
        return Client(self.fabric)

    def prepare(self) -> None:
        """Write every file that the control plane and the nodes need; before any node is on.

        Raises:
            LabError: packages or databases could not be prepared, or an earlier run left its state here.
        """
        install_packages(APT_PACKAGES)
        source, places = prepared(), self.runner.places
        if places.state.exists():
            raise LabError(f"{places.state} is of an earlier run: take that lab down first")
        places.state.mkdir(parents=True)
        copy = ["/bin/cp", "-a", "--reflink=auto", "--sparse=always"]
        subprocess.run([*copy, str(source / "mariadb"), str(places.database)], check=True)
        for kept in ("keystone", tls.FOLDER):
            shutil.copytree(source / kept, places.etc / kept)
        config.write_control_plane(places.etc, places.state / "nova", source / "images", places.venv)
        rabbitmq_files(places)
        tls.write_front_ends(places.etc)
        self.nodes.shared_files()

    def configure_node(self, name: str) -> None:
        """Write the node's own configuration to its disk; the node may be on or off."""
        self.nodes.configure(name)

    def start(self, name: str | None = None) -> None:
        """Start one service, or all of them and the auditor; return once ready.

        Raises:
            LabError: no such service, or it was not ready in time; the text names it and its log.
        """
        if name:
            self.runner.start(name)
            return
        self.runner.start_many(self.runner.services.values())
        self.start_auditor()

    def wait_ready(self) -> None:
        """Wait until the auditor has seen the processes and Nova.

        Raises:
            LabError: it did not within two minutes.
        """
        self.fabric.wait_until("the auditor sees Nova", lambda: self.audit().sees_nova, 120)

    def stop(self, name: str | None = None, *, kill: bool = False) -> None:
        """End one service (with SIGKILL at once if `kill`), or kill all of them.

        Raises:
            LabError: no such service.
        """
        if name:
            self.runner.stop(name, kill=kill)
        else:
            self.runner.kill_all()

    def is_running(self, name: str) -> bool:
        """Say whether a service's process exists."""
        return self.runner.is_running(name)

    def start_auditor(self) -> None:
        """Start the auditor, in the fabric, where it sees the processes of every node."""
        python = str(self.runner.places.venv / "bin" / "python")
        argv = [python, "-m", "tests.lab.openstack.auditor", str(self.fabric.directory)]
        env = {**clean_environment(), "PYTHONPATH": str(self.nodes.code)}
        self.fabric.popen_fabric(argv, "auditor", env)

    def audit(self) -> AuditStatus:
        """Return what the auditor says now."""
        return read_status(self.fabric.logs)

    def boot(self, count: int, host: str | None = None) -> None:
        """Boot servers and wait until they are ACTIVE."""
        self.client.boot(count, host=host)

    def report(self) -> str:
        """Return one line that says how long each service took to be ready, slowest first."""
        ordered = sorted(self.runner.seconds.items(), key=lambda item: -item[1])
        return ", ".join(f"{name} {taken:.1f} s" for name, taken in ordered)
