# SPDX-License-Identifier: Apache-2.0
"""The cloud of one run: its control plane from the prepared database, and its compute nodes' files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.lab.errors import LabError

from . import config
from .fabric import Fabric
from .nodes import NodeFiles
from .runner import Runner
from .services import Places, rabbitmq_files


class OpenStack(Runner):
    """The control plane of one lab; services are stopped and started again by name."""

    def __init__(self, fabric: Fabric, venv: Path, prepared: Path):
        folder = fabric.directory / "openstack"
        super().__init__(fabric, Places(venv, folder / "etc", folder / "state", fabric.logs))
        self.prepared = prepared
        self.nodes = NodeFiles(fabric.directory, venv)

    def lay_out(self) -> None:
        """Write every file the control plane and the nodes need; before any node is on.

        Raises:
            LabError: an earlier run left its state here.
        """
        state = self.places.state
        if state.exists():
            raise LabError(f"{state} is of an earlier run: take that lab down first")
        state.mkdir(parents=True)
        copy = ["/bin/cp", "-a", "--reflink=auto", "--sparse=always"]
        subprocess.run([*copy, str(self.prepared / "mariadb"), str(state / "mariadb")], check=True)
        shutil.copytree(self.prepared / "keystone", self.places.etc / "keystone")
        config.write_control_plane(self.places.etc, state / "nova", self.prepared / "images", self.places.venv)
        rabbitmq_files(self.places)
        self.nodes.shared_files()

    def start_all(self) -> None:
        """Start every service in parallel; return once all are ready.

        Raises:
            LabError: a service was not ready in time; the text names it and its log.
        """
        self.start_many(self.services.values())

    def configure_node(self, name: str) -> None:
        """Write the node's Nova configuration to its disk; the node may be on or off."""
        self.nodes.configure(name)

    def report(self) -> str:
        """Return one line that says how long each service took to be ready, slowest first."""
        ordered = sorted(self.seconds.items(), key=lambda item: -item[1])
        return ", ".join(f"{name} {taken:.1f} s" for name, taken in ordered)
