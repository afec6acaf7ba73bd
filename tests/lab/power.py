# SPDX-License-Identifier: Apache-2.0
"""The power supply of the nodes, their network cables, and what else can befall a machine from outside.

A node is a set of nested namespaces. Power off: its cable is pulled first, so that no FIN or RST escapes that
a real power cut would not send, then its PID 1 is killed and with it everything inside.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

from tests.lab import boot, processes, watchdog
from tests.lab.errors import LabError
from tests.lab.layout import Node, RunFolder

_START_LIMIT = 20.0


def ip(*arguments: str) -> None:
    """Run iproute2's ip; raise LabError with its complaint."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def log(text: str) -> None:
    """Write one line with the time to the fabric's log."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    print(f"{stamp}.{time.time_ns() // 1_000_000 % 1000:03d}Z {text}", file=sys.stderr, flush=True)


class Machine:
    """One node: powered or not, frozen or not, its cable whole or cut (cut it stays, also over a reboot)."""

    def __init__(self, node: Node, run: RunFolder, kind: boot.Boot) -> None:
        self.node = node
        self._run = run
        self._kind = kind
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped_before: set[int] | None = None
        self._cable_up = True
        self._boots = 0
        self.init = 0

    @property
    def powered(self) -> bool:
        """Tell whether the machine is on; one that reboots is, so wait for it: a BMC must not say "off"."""
        with self._lock:
            return self._process is not None

    @property
    def condition(self) -> str:
        """Return one word for people: on, off or frozen."""
        if not self.powered:
            return "off"
        return "on" if self._stopped_before is None else "frozen"

    def on(self) -> None:
        """Switch the power on; nothing happens if it is on."""
        with self._lock:
            if not self.powered:
                self._boot()

    def off(self) -> None:
        """Cut the power; at once, whatever the node does; nothing happens if it is off."""
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return
            self._pull_cable()
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.init, signal.SIGKILL)
            process.wait()
            self._clear()
            log(f"node '{self.node.name}': off")

    def cable(self, up: bool) -> None:
        """Repair or cut the network cable."""
        with self._lock:
            self._cable_up = up
            if self.powered:
                ip("link", "set", self.node.cable, "up" if up else "down")

    def freeze(self) -> None:
        """Let the host hang: no process of it runs any more, but its kernel still answers the network."""
        with self._lock:
            self._must_be_on()
            if self._stopped_before is None:
                self._stopped_before = processes.stop_all(self.init)

    def thaw(self) -> None:
        """End a freeze."""
        with self._lock:
            self._must_be_on()
            if self._stopped_before is not None:
                processes.continue_all(self.init, self._stopped_before)
                self._stopped_before = None

    def kill(self, pattern: str, number: int) -> list[str]:
        """Send a signal to the processes whose command line matches; return their command lines."""
        with self._lock:
            self._must_be_on()
            return processes.kill_matching(self.init, pattern, number)

    def obey_watchdog(self) -> None:
        """Reset the machine if its watchdog has run out."""
        with self._lock:
            if self.powered and watchdog.has_run_out(self._run, self.node.name):
                log(f"node '{self.node.name}': reset by its watchdog")
                self.off()
                self.on()

    def _must_be_on(self) -> None:
        if not self.powered:
            raise LabError(f"node '{self.node.name}' is off: switch it on with 'python -m tests.lab on'")

    def _boot(self) -> None:
        started = time.monotonic()
        self._boots += 1
        watchdog.disarm(self._run, self.node.name)
        process = boot.start(self._kind, self.node, self._run)
        try:
            self.init = self._first_process(process)
            self._plug_cable()
        except LabError:
            process.kill()
            process.wait()
            raise
        self._process = process
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()
        log(f"node '{self.node.name}': on (boot {self._boots}, {time.monotonic() - started:.2f} s)")

    def _first_process(self, process: subprocess.Popen[bytes]) -> int:
        """Return the node's PID 1, once it is there."""
        deadline = time.monotonic() + _START_LIMIT
        while time.monotonic() < deadline and process.poll() is None:
            if init := boot.first_process(process):
                return init
            time.sleep(0.005)
        raise LabError(f"a node did not start within {_START_LIMIT:.0f} s (exit status {process.poll()})")

    def _plug_cable(self) -> None:
        cable, mac = self.node.cable, self.node.mac
        ip(
            "link",
            "add",
            cable,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "address",
            mac,
            "netns",
            str(self.init),
        )
        ip("link", "set", cable, "master", "br0", "up" if self._cable_up else "down")

    def _pull_cable(self) -> None:
        with contextlib.suppress(LabError):
            ip("link", "del", self.node.cable)

    def _clear(self) -> None:
        self._stopped_before = None
        self.init = 0

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Notice that the node ended by itself: reboot(2) boots it again, halt leaves it off."""
        ended = process.wait()
        with self._lock:
            if self._process is not process:
                return
            self._pull_cable()
            self._clear()
            self._process = None
            log(f"node '{self.node.name}': {self._ending(ended)}")
            if ended == self._kind.rebooted:
                self._boot()

    def _ending(self, ended: int) -> str:
        endings = {self._kind.rebooted: "reboots", self._kind.halted: "halted by itself, off"}
        return endings.get(ended, f"init ended with {ended}, off")
