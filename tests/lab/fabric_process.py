# SPDX-License-Identifier: Apache-2.0
"""The fabric as the machine sees it: one process, whose death ends everything."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from tests.lab import layout, wire
from tests.lab.errors import LabError
from tests.lab.layout import RunFolder
from tests.lab.systemd import cgroups

_START_LIMIT = 30.0
_KILL_LIMIT = 30.0
_UNSHARE = (
    "unshare",
    "--net",
    "--mount",
    "--pid",
    "--ipc",
    "--uts",
    "--fork",
    "--kill-child=KILL",
    "--propagation",
    "private",
    "--mount-proc",
)


def start(run: RunFolder) -> subprocess.Popen[bytes]:
    """Start the fabric of the run and return its process once it answers.

    Raises:
        LabError: it did not start; the text has the last line of its log.
    """
    environment = {
        **layout.BASE_ENVIRONMENT,
        "PYTHONPATH": str(run.code),
        "NOVA_HA_CACHE": str(layout.cache_folder().absolute()),
    }
    command = [*_UNSHARE, "/usr/bin/python3", "-m", "tests.lab.fabric", str(run.path)]
    log = run.logs / "fabric.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=environment,
            cwd="/",
        )
    _wait_until_ready(run, process, log)
    return process


def _wait_until_ready(run: RunFolder, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        _remember(run, process.pid)
        try:
            wire.ask(run.path, {"op": "ping"}, timeout=5)
            return
        except LabError:
            time.sleep(0.02)
    stop(run)
    process.wait()
    last = (log.read_text().strip().splitlines() or ["its log is empty"])[-1]
    raise LabError(f"the fabric did not start: {last} (see {log})")


def _remember(run: RunFolder, unshare: int) -> None:
    """Write down which process is the fabric, with its start time: process ids are used again."""
    children = Path(f"/proc/{unshare}/task/{unshare}/children").read_text().split()
    if children and not run.fabric_process.exists():
        init = int(children[0])
        run.fabric_process.write_text(json.dumps({"pid": init, "start": _start_time(init)}))


def _start_time(pid: int) -> int | None:
    """Return when the process began, in clock ticks since the machine did; None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def find(run: RunFolder) -> int | None:
    """Return the fabric's process id on the machine; None if it does not run."""
    try:
        known = json.loads(run.fabric_process.read_text())
    except (OSError, ValueError):
        return None
    begun = _start_time(known["pid"])
    return known["pid"] if begun is not None and begun == known["start"] else None


def stop(run: RunFolder) -> None:
    """Kill the fabric and wait until the kernel has ended everything in it."""
    pid = find(run)
    if pid is not None:
        handle = os.pidfd_open(pid)
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        gone = select.select([handle], [], [], _KILL_LIMIT)[0]
        os.close(handle)
        if not gone:
            raise LabError(f"process {pid} (the fabric) did not end within {_KILL_LIMIT:.0f} s of SIGKILL")
    cgroups.remove(run.path)
    run.fabric_process.unlink(missing_ok=True)
    (run.path / wire.SOCKET_NAME).unlink(missing_ok=True)


def command_inside(fabric: int, node: int | None, argv: list[str], env: dict[str, str]) -> list[str]:
    """Return the command line that runs `argv` in the fabric, or in the node whose PID 1 is `node` there."""
    enter = ["nsenter", "--target", str(fabric), "--all"]
    if node is not None:
        enter += ["nsenter", "--target", str(node), "--all"]
    variables = {**layout.BASE_ENVIRONMENT, **env}
    return [*enter, "env", "-i", *(f"{name}={value}" for name, value in variables.items()), *argv]
