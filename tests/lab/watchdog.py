# SPDX-License-Identifier: Apache-2.0
"""The nodes' hardware watchdogs: a file on the node's disk that sbd writes to, and the power supply looks at.

The machine has no /dev/watchdog. sbd is content with any file if it need not set a timeout there (``-T``): it
writes a byte a second as long as it is, and a "V" when it is ended as it should be. A frozen node writes
nothing, and the power supply is outside of it, as a watchdog's timer is.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.lab.layout import RunFolder

_FOLDER, _NAME = "/var/lib/lab", "watchdog"
#: Seconds without a byte until a node is reset.
TIMEOUT = 5.0
#: What /etc/default/sbd of Debian says, and Pacemaker's daemons read as well; but nothing is flushed, because
#: that would write out everything of the machine, and control groups are the machine's, too.
SETTINGS = {
    "SBD_PACEMAKER": "yes",
    "SBD_STARTMODE": "always",
    "SBD_DELAY_START": "no",
    "SBD_WATCHDOG_DEV": f"{_FOLDER}/{_NAME}",
    "SBD_WATCHDOG_TIMEOUT": f"{TIMEOUT:.0f}",
    "SBD_TIMEOUT_ACTION": "noflush,reboot",
    "SBD_MOVE_TO_ROOT_CGROUP": "no",
    "SBD_SYNC_RESOURCE_STARTUP": "yes",
}
#: Where Pacemaker looks for sbd, which must be /usr/sbin/sbd.
_PID_FILE = Path("/run/sbd.pid")
_START_LIMIT = 10.0


def start_sbd(environment: Mapping[str, str]) -> None:
    """Start sbd in this node, and wait until Pacemaker can see it.

    It returns only when it has found a cluster, and on compute nodes it looks for pacemaker_remoted, which
    is started after it.
    """
    subprocess.Popen(["sbd", "-T", "-p", str(_PID_FILE), "watch"], env=environment)
    deadline = time.monotonic() + _START_LIMIT
    while not _PID_FILE.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def disarm(run: RunFolder, node: str) -> None:
    """Make the watchdog that of a machine that has just been switched on: nobody has armed it."""
    _file(run, node).write_bytes(b"")


def has_run_out(run: RunFolder, node: str) -> bool:
    """Tell whether the watchdog is armed and nobody has written to it for too long."""
    path = _file(run, node)
    if path.read_bytes()[-1:] in (b"", b"V"):
        return False
    return time.time() - path.stat().st_mtime > TIMEOUT


def _file(run: RunFolder, node: str) -> Path:
    return run.private(node, _FOLDER) / _NAME
