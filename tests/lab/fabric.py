# SPDX-License-Identifier: Apache-2.0
"""The fabric: PID 1 of the lab's namespaces, power supply and network of all nodes.

Kill it and nothing is left.

Started by lab.py as `python -m tests.lab.fabric RUN-FOLDER` in new net, mount, pid, ipc and uts namespaces.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.lab import layout, mounts, overlays, wire
from tests.lab.background import Background
from tests.lab.boot import Boot, PlainBoot
from tests.lab.cluster.bmc import Bmc
from tests.lab.errors import LabError
from tests.lab.layout import RunFolder
from tests.lab.power import Machine, ip, log
from tests.lab.systemd.boot import SystemdBoot

#: Seconds between looks at the watchdogs.
_WATCH_EVERY = 0.25

# What everybody in the fabric's network may ask; the rest is for the machine's root on the unix socket only.
_POWER_OPERATIONS = frozenset({"list", "status", "on", "off", "reboot", "bmc_power", "bmc_set"})


class Fabric:
    """Answer the requests to the lab: each public method is one operation."""

    def __init__(self, run: RunFolder, nodes: list[layout.Node], kind: Boot) -> None:
        self._background = Background(run.logs)
        self._machines = {node.name: Machine(node, run, kind) for node in nodes}
        self._bmcs = {name: Bmc(machine, run, self._background) for name, machine in self._machines.items()}

    def start_bmcs(self) -> None:
        for bmc in self._bmcs.values():
            bmc.start()

    def watch(self) -> None:
        """Reset nodes whose watchdogs run out, for ever."""
        while True:
            for machine in self._machines.values():
                machine.obey_watchdog()
            time.sleep(_WATCH_EVERY)

    def handle(self, request: dict[str, Any]) -> Any:
        """Carry out one request."""
        operation = str(request.pop("op", ""))
        method = getattr(self, f"op_{operation}", None)
        if method is None:
            raise LabError(f"unknown operation '{operation}'")
        result = method(**request)
        if operation in ("on", "off", "reboot", "cable", "freeze", "thaw", "kill", "bmc_set", "bmc_mode"):
            log(f"request {operation} {request}")
        return result

    def handle_power(self, request: dict[str, Any]) -> Any:
        """Carry out one request that came over the network."""
        if request.get("op") not in _POWER_OPERATIONS:
            raise LabError(f"operation '{request.get('op')}' is not possible over the network")
        return self.handle(request)

    def op_ping(self) -> str:
        return "ready"

    def op_list(self) -> dict[str, str]:
        return {name: machine.condition for name, machine in self._machines.items()}

    def op_status(self, node: str) -> str:
        return self._machine(node).condition

    def op_pid(self, node: str) -> int:
        machine = self._machine(node)
        if not machine.powered:
            raise LabError(f"node '{node}' is off")
        return machine.init

    def op_on(self, node: str) -> None:
        self._machine(node).on()

    def op_off(self, node: str) -> None:
        self._machine(node).off()

    def op_reboot(self, node: str) -> None:
        self._machine(node).off()
        self._machine(node).on()

    def op_cable(self, node: str, up: bool) -> None:
        self._machine(node).cable(up)

    def op_freeze(self, node: str) -> None:
        self._machine(node).freeze()

    def op_thaw(self, node: str) -> None:
        self._machine(node).thaw()

    def op_kill(self, node: str, pattern: str, number: int = signal.SIGKILL) -> list[str]:
        return self._machine(node).kill(pattern, number)

    def op_bmc_power(self, node: str) -> bool:
        return self._bmc(node).is_on()

    def op_bmc_set(self, node: str, what: str) -> None:
        self._bmc(node).set_power(what)

    def op_bmc_mode(self, node: str, mode: str) -> None:
        self._bmc(node).set_mode(mode)

    def op_start_process(
        self, name: str, argv: list[str], env: dict[str, str] | None = None, cwd: str | None = None
    ) -> int:
        return self._background.start(name, argv, env, cwd)

    def op_exit_status(self, name: str) -> int | None:
        return self._background.exit_status(name)

    def op_signal(self, name: str, number: int) -> None:
        self._background.signal(name, number)

    def _machine(self, node: str) -> Machine:
        if node not in self._machines:
            raise LabError(f"this lab has no node '{node}'; it has {', '.join(self._machines)}")
        return self._machines[node]

    def _bmc(self, node: str) -> Bmc:
        self._machine(node)
        return self._bmcs[node]


def _mount_everything(run: RunFolder) -> None:
    """Give the namespaces their own /run and /tmp, and put the lab's files over those of the machine."""
    mounts.tmpfs("/run")
    for folder in ("lock", "resource-agents", "fence-agents"):
        Path("/run", folder).mkdir(mode=0o1777)
    overlays.mount_all(run)
    mounts.bind(run.hosts, "/etc/hosts")
    mounts.private_tmp(run.kept_folders())


def _build_network(nodes: list[layout.Node]) -> None:
    """Create the bridge all nodes hang on, with the fabric's and the BMCs' addresses."""
    ip("link", "set", "lo", "up")
    # A fixed MAC: a bridge otherwise takes its lowest port's, which changes as nodes come and go, and every
    # node's ARP entry for the fabric would be wrong for up to a minute.
    ip(
        "link",
        "add",
        "br0",
        "address",
        layout.FABRIC_MAC,
        "type",
        "bridge",
        "stp_state",
        "0",
        "forward_delay",
        "0",
    )
    ip("addr", "add", f"{layout.FABRIC_ADDRESS}/24", "dev", "br0")
    for node in nodes:
        ip("addr", "add", f"{node.bmc_address}/32", "dev", "br0")
    ip("link", "set", "br0", "up")


def _serve(run: RunFolder, nodes: list[layout.Node], kind: Boot) -> None:
    fabric = Fabric(run, nodes, kind)
    fabric.start_bmcs()
    threading.Thread(target=fabric.watch, daemon=True).start()
    wire.serve_tcp(layout.FABRIC_ADDRESS, layout.POWER_PORT, fabric.handle_power)
    log("fabric: ready")
    wire.serve_unix(run.path, fabric.handle)


def _reap_until_end_of(child: int) -> None:
    """Be PID 1: collect orphans, and end with the one child that matters."""
    while os.wait()[0] != child:
        pass


def main(folder: str) -> None:
    """Set up the namespaces, then serve in a child while PID 1 only collects orphans."""
    run = RunFolder(Path(folder))
    description = json.loads(run.description.read_text())
    nodes = layout.controllers(description["controllers"]) + layout.computes(description["computes"])
    socket.sethostname("fabric")
    _mount_everything(run)
    _build_network(nodes)
    kind = SystemdBoot() if description["systemd"] else PlainBoot()
    child = os.fork()
    if child == 0:
        _serve(run, nodes, kind)
    _reap_until_end_of(child)


if __name__ == "__main__":
    main(sys.argv[1])
