# SPDX-License-Identifier: Apache-2.0
"""The lab as code sees it.

Example:
    with Lab(".lab", controllers=3, computes=3) as lab:
        lab.power_off("compute-0")
        lab.wait_until("compute-0 is fenced", lambda: lab.fencings("compute-0"))
"""

from __future__ import annotations

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lab import fabric_process, layout, overlays, prepare
from tests.lab.cluster import examples, node_files
from tests.lab.cluster.configuration import cluster_configuration
from tests.lab.cluster.status import ClusterStatus, parse
from tests.lab.errors import LabError
from tests.lab.layout import RunFolder
from tests.lab.machine_room import MachineRoom
from tests.lab.systemd import nodes as systemd_nodes
from tests.lab.waiting import wait_until

DEFAULT_DIRECTORY = layout.checkout() / ".lab"


class Lab(MachineRoom):
    """One lab; it lives in `directory` and outlives this object unless used as a context manager.

    Args:
        directory: the run folder; logs stay there after the lab is down.
        controllers: 1 or 3.
        computes: 0 to 12.
        with_openstack: run the OpenStack control plane too.
        with_product: configure nova-ha's resources; as with_openstack unless said.
        by_examples: let pcs-examples configure the cluster, with stand-ins for the services of compute nodes.
        watchdog: every node has a watchdog and sbd; with by_examples, pcs-examples' watchdog fencing.
        systemd: nodes run systemd, and there is no cluster until somebody makes one (tests/lab/systemd).
    """

    def __init__(
        self,
        directory: Path | str = DEFAULT_DIRECTORY,
        controllers: int = 3,
        computes: int = 3,
        with_openstack: bool = True,
        with_product: bool | None = None,
        by_examples: bool = False,
        watchdog: bool = False,
        systemd: bool = False,
    ) -> None:
        layout.check_size(controllers, computes)
        super().__init__(RunFolder(Path(directory).absolute()))
        self.directory = self.folder.path
        self.logs = self.folder.logs
        self.controllers = layout.controllers(controllers)
        self.computes = layout.computes(computes)
        self.with_openstack = with_openstack
        self.with_product = with_openstack if with_product is None else with_product
        self.by_examples = by_examples
        self.watchdog = watchdog
        self.systemd = systemd
        self._prepared = False
        self._openstack: Any = None
        self._fabric: subprocess.Popen[bytes] | None = None

    @classmethod
    def attach(cls, directory: Path | str = DEFAULT_DIRECTORY) -> Lab:
        """Return the lab that lives in `directory`; raise LabError if there is none."""
        try:
            known = json.loads(RunFolder(Path(directory).absolute()).description.read_text())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise LabError(
                f"there is no lab in {directory}: start one with 'python -m tests.lab up'"
            ) from error
        del known["checkout"]
        return cls(directory, **known)

    @property
    def nodes(self) -> list[str]:
        """Return the names of all nodes, controllers first."""
        return [node.name for node in (*self.controllers, *self.computes)]

    @property
    def openstack(self) -> Any:
        """Return the lab's OpenStack (tests.lab.openstack.stack.OpenStack)."""
        if self._openstack is None:
            self._openstack = import_module("tests.lab.openstack.stack").OpenStack(self)
        return self._openstack

    # --- life

    def prepare(self) -> None:
        """Prepare the machine and an empty run folder; files may be added to `folder.overlay` until `up`."""
        if self.running:
            raise LabError(f"a lab runs in {self.folder.path}: end it with 'python -m tests.lab down'")
        prepare.prepare_machine(self.systemd)
        self._empty_folder()
        node_files.write_all(self.folder, [*self.controllers, *self.computes], clustered=not self.systemd)
        if self.by_examples:
            examples.install(self.folder, self.controllers, self.computes, self.watchdog)
        daemons = [prepare.pacemaker_remoted(), *([prepare.sbd()] if self.watchdog else [])]
        overlays.fill(self.folder, daemons)
        if self.with_openstack:
            self.openstack.prepare()
        self._prepared = True

    def up(self) -> None:
        """Start everything and wait until the cluster is settled; a failure leaves nothing but the logs."""
        if not self._prepared:
            self.prepare()
        self._prepared = False
        try:
            self._start()
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """End the lab: every process, mount and namespace of it is gone afterwards, its logs stay."""
        fabric_process.stop(self.folder)
        if self._fabric is not None:
            self._fabric.wait()
            self._fabric = None

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def _start(self) -> None:
        self._fabric = fabric_process.start(self.folder)
        if self.with_openstack:
            for node in self.nodes:
                self.openstack.configure_node(node)
        with ThreadPoolExecutor() as pool:
            openstack = pool.submit(self._start_openstack)
            list(pool.map(self.power_on, self.nodes))
            self._wait_nodes()
            openstack.result()
        if not self.systemd:
            self.configure_cluster()
            self.wait_cluster()

    def _start_openstack(self) -> None:
        if self.with_openstack:
            self.openstack.start()
            self.openstack.wait_ready()

    def _wait_nodes(self) -> None:
        if self.systemd:
            systemd_nodes.wait_booted(self)
        else:
            self.wait_until("all controllers are online", self._controllers_are_online, 180)

    def _controllers_are_online(self) -> bool:
        """Tell whether it is time for fencing devices: the cluster would fence a controller not seen yet."""
        status = self.cluster_status()
        names = {node.name for node in self.controllers}
        return status is not None and status.has_quorum and names <= status.online

    def _empty_folder(self) -> None:
        """Delete what an earlier run left; only a folder that a lab has made is ever emptied."""
        folder = self.folder.path
        if folder.exists() and not folder.is_dir():
            raise LabError(f"{folder} is not a folder: name another one with --dir")
        if folder.is_dir() and any(folder.iterdir()) and not self.folder.description.exists():
            raise LabError(f"{folder} is not empty and no lab made it: name another one with --dir")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder.logs.mkdir()
        self.folder.description.write_text(json.dumps(self._description()))
        own = Path(__file__).parent
        shutil.copytree(own, self.folder.code / "tests" / "lab", ignore=shutil.ignore_patterns("__pycache__"))

    def _description(self) -> dict[str, Any]:
        return {
            "controllers": len(self.controllers),
            "computes": len(self.computes),
            "with_openstack": self.with_openstack,
            "with_product": self.with_product,
            "by_examples": self.by_examples,
            "watchdog": self.watchdog,
            "systemd": self.systemd,
            "checkout": str(layout.checkout()),
        }

    # --- the cluster

    def configure_cluster(self) -> None:
        """Give the cluster its configuration."""
        if self.by_examples:
            self.run_on_controller(*examples.command("apply.sh"), timeout=examples.PATIENCE)
            return
        document = cluster_configuration(self.controllers, self.computes, self.with_product)
        self.run_on_controller("cibadmin", "--modify", "--allow-create", "--xml-pipe", stdin=document)

    def run_on_controller(self, *argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command on the first controller that is on and not frozen."""
        conditions = self.conditions()
        for node in self.controllers:
            if conditions[node.name] == "on":
                return self.run(node.name, *argv, **options)
        raise LabError("no controller is on: switch one on with 'python -m tests.lab on controller-0'")

    def cluster_status(self) -> ClusterStatus | None:
        """Return what the cluster says about itself; None if it does not answer."""
        done = self.run_on_controller("crm_mon", "--one-shot", "--inactive", "--output-as=xml", check=False)
        return parse(done.stdout) if done.returncode == 0 else None

    def wait_cluster(self, timeout: float = 300) -> None:
        """Wait until every node is online and every resource runs where it should."""
        reason = "the cluster does not answer"

        def settled() -> bool:
            nonlocal reason
            status = self.cluster_status()
            if status is not None:
                reason = status.unsettled(self.nodes, [node.name for node in self.computes])
            return not reason

        try:
            wait_until("the cluster settles", settled, timeout)
        except LabError as error:
            raise LabError(
                f"the cluster did not settle within {timeout:.0f} s: {reason} (logs: {self.logs})"
            ) from error

    def fencings(self, node: str) -> list[str]:
        """Return the successful fencing actions against a node so far, such as "reboot by ...".

        Raises:
            LabError: no controller says it within a minute.
        """
        history = wait_until(f"the fencings of {node}", lambda: self._fencing_history(node), 60)
        return [
            f"{event.get('action')} by {event.get('delegate')} at {event.get('completed')}"
            for event in ET.fromstring(history).iter("fence_event")
            if event.get("status") == "success"
        ]

    def _fencing_history(self, node: str) -> str:
        """Return Pacemaker's XML; "" if it does not answer, or its controller goes off."""
        ask = ("stonith_admin", "--history", node, "--verbose", "--output-as=xml")
        try:
            done = self.run_on_controller(*ask, check=False, timeout=20)
        except LabError:
            return ""
        return done.stdout if done.returncode == 0 else ""

    def wait_until(self, what: str, condition: Callable[[], Any], timeout: float = 60) -> Any:
        """Ask `condition` until its answer is true and return it; raise LabError after `timeout` seconds."""
        return wait_until(what, condition, timeout)
