# SPDX-License-Identifier: Apache-2.0
"""How a node comes to life when its power is switched on: the plain kind, and what every kind can do."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from tests.lab.layout import Node, RunFolder

_NAMESPACES = ("--net", "--mount", "--uts", "--ipc", "--pid")


class Boot(Protocol):
    """One kind of node.

    Attributes:
        rebooted: how the started process ends when the node reboots by itself, as Popen.returncode.
        halted: the same when the node switches itself off.
    """

    rebooted: int
    halted: int

    def command(self, node: Node, run: RunFolder) -> list[str]:
        """Return the command line that boots the node and lives as long as it does."""


class PlainBoot:
    """A node whose PID 1 is node_init.py: cluster software and nothing else."""

    # What nodes tell about reboot(2): their PID 1 "dies" of one of these signals, see pid_namespaces(7).
    rebooted = -signal.SIGHUP
    halted = -signal.SIGINT

    def command(self, node: Node, run: RunFolder) -> list[str]:
        """Return unshare(1) with node_init.py."""
        init = [sys.executable, "-m", "tests.lab.node_init", node.name, str(run.path)]
        return ["unshare", *_NAMESPACES, "--fork", "--kill-child=KILL", "--propagation", "private", *init]


def start(boot: Boot, node: Node, run: RunFolder) -> subprocess.Popen[bytes]:
    """Start what boots the node; its output is the node's console."""
    with (run.logs / node.name / "console.log").open("ab") as console:
        return subprocess.Popen(
            boot.command(node, run),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
        )


def first_process(process: subprocess.Popen[bytes]) -> int | None:
    """Return the node's PID 1 as the fabric sees it; None as long as there is none.

    systemd-nspawn starts a helper first that shares our namespaces, and PID 1 leaves our network only
    after it was started (seen once in thirty boots): a cable plugged in before that would end in the fabric.
    """
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return next((int(pid) for pid in children if _is_apart(pid)), None)


def _is_apart(pid: str) -> bool:
    """Tell whether a process lives in a process namespace and in a network of its own."""
    try:
        return all(_namespace(pid, kind) != _namespace("self", kind) for kind in ("pid", "net"))
    except OSError:
        return False


def _namespace(pid: str, kind: str) -> str:
    return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
