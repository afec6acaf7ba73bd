# SPDX-License-Identifier: Apache-2.0
"""What can be done to the nodes of a lab, and run inside of them, while its fabric lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab import fabric_process, wire
from tests.lab.errors import LabError
from tests.lab.layout import RunFolder
from tests.lab.waiting import FabricProcess

_TIMED_OUT = 124  # what timeout(1) returns


class MachineRoom:
    """The hands of somebody who stands before the machines: power, cables, BMCs, and a shell on each.

    Args:
        folder: the run folder of the lab.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    @property
    def fabric_pid(self) -> int:
        """Return the process id of the fabric on the machine."""
        pid = fabric_process.find(self.folder)
        if pid is None:
            raise LabError(
                f"the lab in {self.folder.path} is not running: start it with 'python -m tests.lab up'"
            )
        return pid

    @property
    def running(self) -> bool:
        """Tell whether the fabric runs."""
        return fabric_process.find(self.folder) is not None

    # --- what happens to nodes

    def power_on(self, node: str) -> None:
        """Switch a node on."""
        self._ask("on", node=node)

    def power_off(self, node: str) -> None:
        """Cut a node's power: it is silent at once, no FIN or RST leaves it."""
        self._ask("off", node=node)

    def reboot(self, node: str) -> None:
        """Press a node's reset button."""
        self._ask("reboot", node=node)

    def freeze(self, node: str) -> None:
        """Let a node hang: its processes stop, its kernel still answers pings and acknowledges TCP."""
        self._ask("freeze", node=node)

    def thaw(self, node: str) -> None:
        """End a freeze."""
        self._ask("thaw", node=node)

    def cable(self, node: str, up: bool) -> None:
        """Repair or cut the network cable of a node; a cut one stays cut over power cycles."""
        self._ask("cable", node=node, up=up)

    def bmc(self, node: str, mode: str) -> None:
        """Make the BMC of a node behave: normal, silent, refuse, lies-off or stays-off."""
        self._ask("bmc_mode", node=node, mode=mode)

    def kill_process(self, node: str, pattern: str, number: int = signal.SIGKILL) -> list[str]:
        """Send a signal to a node's processes whose command line matches `pattern`; return these lines.

        Raises:
            LabError: no process matches.
        """
        killed: list[str] = self._ask("kill", node=node, pattern=pattern, number=number)
        if not killed:
            raise LabError(f"no process on '{node}' has a command line that matches '{pattern}'")
        return killed

    def conditions(self) -> dict[str, str]:
        """Return for each node: on, off or frozen."""
        answer: dict[str, str] = self._ask("list")
        return answer

    def disk(self, node: str) -> Path:
        """Return the folder with a node's private /etc/... and /var/lib/... folders."""
        return self.folder.disk(node)

    def _ask(self, operation: str, **arguments: Any) -> Any:
        return wire.ask(self.folder.path, {"op": operation, **arguments})

    # --- running things inside

    def command(self, node: str | None, *argv: str, env: Mapping[str, str] | None = None) -> list[str]:
        """Return the command line that runs `argv` in a node, or in the fabric if `node` is None."""
        init = None if node is None else self._ask("pid", node=node)
        return fabric_process.command_inside(self.fabric_pid, init, list(argv), dict(env or {}))

    def run(
        self,
        node: str,
        *argv: str,
        check: bool = True,
        timeout: float = 60,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a node and return its output as text.

        Raises:
            LabError: the node is off, the command takes more than `timeout` seconds or, with `check`, fails.
        """
        return self._run(node, argv, check, timeout, env, stdin)

    def run_fabric(
        self,
        *argv: str,
        check: bool = True,
        timeout: float = 60,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the fabric, where OpenStack runs; otherwise as `run`."""
        return self._run(None, argv, check, timeout, env, stdin)

    def _run(
        self,
        node: str | None,
        argv: tuple[str, ...],
        check: bool,
        timeout: float,
        env: Mapping[str, str] | None,
        stdin: str,
    ) -> subprocess.CompletedProcess[str]:
        # timeout(1) inside: to kill nsenter from outside would leave the command running.
        command = self.command(node, "timeout", "--kill-after=2", str(timeout), *argv, env=env)
        try:
            # The longer limit is for what the command left behind with our pipes in its hands.
            done = subprocess.run(
                command, input=stdin, capture_output=True, text=True, check=False, timeout=timeout + 5
            )
        except subprocess.TimeoutExpired:
            done = subprocess.CompletedProcess(command, _TIMED_OUT)
        if done.returncode == _TIMED_OUT:
            raise LabError(f"'{' '.join(argv)}' on {node or 'fabric'} did not end within {timeout:.0f} s")
        if check and done.returncode:
            reason = done.stderr.strip() or done.stdout.strip() or "no output"
            raise LabError(
                f"'{' '.join(argv)}' on {node or 'fabric'} exited with {done.returncode}: {reason}"
            )
        return done

    def popen_fabric(
        self, argv: Sequence[str], name: str, env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> FabricProcess:
        """Start a background process in the fabric; its output goes to NAME.log, it dies with the fabric."""
        pid = self._ask("start_process", name=name, argv=list(argv), env=dict(env or {}), cwd=cwd)
        return FabricProcess(self.folder, name, pid)

    def exec(self, node: str | None, argv: list[str]) -> None:
        """Replace this program by a command (or a shell) in a node, or in the fabric if `node` is None."""
        env = {"TERM": os.environ.get("TERM", "dumb"), "PS1": f"{node or 'fabric'}# "}
        command = self.command(node, *(argv or ["bash", "--norc"]), env=env)
        sys.stdout.flush()
        os.execvp(command[0], command)
