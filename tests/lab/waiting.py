# SPDX-License-Identifier: Apache-2.0
"""Wait for what happens in the lab, with a limit; the fabric's background processes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.lab import wire
from tests.lab.errors import LabError
from tests.lab.layout import RunFolder

_POLL = 0.25


def wait_until(what: str, condition: Callable[[], Any], timeout: float) -> Any:
    """Ask `condition` until its answer is true and return it; raise LabError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > deadline:
            raise LabError(f"waited {timeout:.0f} s in vain: {what}")
        time.sleep(_POLL)


@dataclass(frozen=True)
class FabricProcess:
    """A background process of the fabric."""

    run: RunFolder
    name: str
    pid: int

    def poll(self) -> int | None:
        """Return the exit status, None while it runs."""
        status: int | None = wire.ask(self.run.path, {"op": "exit_status", "name": self.name})
        return status

    def send_signal(self, number: int = signal.SIGTERM) -> None:
        """Send a signal to the process and to what it started."""
        wire.ask(self.run.path, {"op": "signal", "name": self.name, "number": number})

    def wait(self, timeout: float = 30) -> int:
        """Return the exit status once it ends; raise LabError if it does not within `timeout` seconds."""
        ended: tuple[int] = wait_until(f"process '{self.name}' ends", lambda: _wrapped(self.poll()), timeout)
        return ended[0]


def _wrapped(status: int | None) -> tuple[int] | None:
    """Make an exit status of 0 true."""
    return None if status is None else (status,)
