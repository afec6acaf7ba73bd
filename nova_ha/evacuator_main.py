# SPDX-License-Identifier: Apache-2.0
"""The evacuator's process: ``python3 -m nova_ha.evacuator_main DIRECTORY``, settings as JSON on its stdin.

Started and watched by the agent NovaEvacuate; `nova_ha.agents.rundir` says what the two tell each other.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from nova_ha.agents.rundir import DEGRADED, OK, RunDirectory
from nova_ha.clock import Clock, SystemClock
from nova_ha.decisions.policy import Policy
from nova_ha.errors import NovaHaError
from nova_ha.evacuation.dispatch import ThreadDispatcher
from nova_ha.evacuation.evacuator import Evacuator
from nova_ha.evacuation.journal import FileJournal, check_writable
from nova_ha.openstack.nova import connect
from nova_ha.pacemaker.cluster import Pacemaker
from nova_ha.ports import ClusterPort
from nova_ha.runner import SystemRunner
from nova_ha.settings.option import Value

#: By its name in the package: run as a program this module is called ``__main__``.
_log = logging.getLogger("nova_ha.evacuator_main")

LOG_FILE = Path("/var/log/nova-ha/evacuator.log")
JOURNAL = Path("/var/lib/nova-ha")

#: How often the cluster is glanced at for a new record; a glance is one stat() of a file.
GLANCE = 0.2

#: As many as there can be requests beside the loop: two of each kind.
ASIDE_THREADS = 6

#: How long the answers to requests that are on their way are waited for when the process is told to end.
LAST_ANSWERS = 20.0


class StatusFile:
    """Tells the agent's monitor that the loop lives, and after each pass what is stuck."""

    def __init__(self, directory: RunDirectory) -> None:
        self._directory = directory

    def write(self, troubles: tuple[str, ...]) -> None:
        """Write the status; its time of change is the heartbeat."""
        self._directory.write_status(DEGRADED if troubles else OK, _one_sentence(troubles))

    def beat(self) -> None:
        """Say that the loop lives; an answer that comes in a thread beside it is no sign of that."""
        if threading.current_thread() is threading.main_thread():
            self._directory.touch_status()


def _one_sentence(troubles: tuple[str, ...]) -> str:
    """Return the first troubles in a sentence short enough for ``pcs status``."""
    shown = "; ".join(troubles[:3])
    return f"{shown}; and {len(troubles) - 3} more" if len(troubles) > 3 else shown  # noqa: PLR2004 - as above


class Loop:
    """Passes over and over, early when the cluster's configuration changes, until told to stop."""

    def __init__(self, evacuator: Evacuator, cluster: ClusterPort, clock: Clock) -> None:
        self._evacuator = evacuator
        self._cluster = cluster
        self._clock = clock
        self._stopping = threading.Event()

    def stop(self, *_: object) -> None:
        """End the loop after the pass that is under way."""
        self._stopping.set()

    def run(self) -> None:
        """Make passes until told to stop."""
        while not self._stopping.is_set():
            token = self._cluster.change_token()
            self._wait(self._evacuator.cycle(), token)

    def _wait(self, seconds: float, token: object) -> None:
        """Wait until the next pass is due, or something has changed since the last one began."""
        end = self._clock.monotonic() + seconds
        while not self._stopping.is_set():
            left = end - self._clock.monotonic()
            if left <= 0 or self._cluster.change_token() != token:
                return
            self._clock.sleep(min(GLANCE, left))


def main(arguments: list[str]) -> int:
    """Run until SIGTERM; return the exit status."""
    directory = RunDirectory(arguments[0])
    settings: Mapping[str, Value] = json.load(sys.stdin)
    try:
        log_to(LOG_FILE, debug=bool(settings.get("verbose")))
        check_writable(JOURNAL)
        return _run(directory, settings)
    except (NovaHaError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _run(directory: RunDirectory, settings: Mapping[str, Value]) -> int:
    clock = SystemClock()
    cluster = Pacemaker(SystemRunner(), clock)
    dispatcher = ThreadDispatcher()
    evacuator = Evacuator(
        nova=connect(settings),
        cluster=cluster,
        clock=clock,
        journal=FileJournal(JOURNAL, clock),
        policy=Policy.from_settings(settings),
        dispatcher=dispatcher,
        asides=ThreadDispatcher(ASIDE_THREADS),
        owner=os.uname().nodename,
        status=StatusFile(directory),
    )
    loop = Loop(evacuator, cluster, clock)
    signal.signal(signal.SIGTERM, loop.stop)
    signal.signal(signal.SIGINT, loop.stop)
    _log.info("evacuator started on %s, process %d", os.uname().nodename, os.getpid())
    directory.write_status(OK, "")
    loop.run()
    _take_last_answers(evacuator, dispatcher, clock)
    _log.info("evacuator stopped")
    return 0


def _take_last_answers(evacuator: Evacuator, dispatcher: ThreadDispatcher, clock: Clock) -> None:
    """Write down the answers that still come, so that the next evacuator need not wait for their traces."""
    end = clock.monotonic() + LAST_ANSWERS
    while dispatcher.outstanding() and clock.monotonic() < end:
        clock.sleep(GLANCE)
        evacuator.take_answers()


def log_to(path: Path, *, debug: bool) -> None:
    """Log to a file that logrotate may move away; times in UTC, as Pacemaker's records have them."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    handler = logging.handlers.WatchedFileHandler(path)
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logger = logging.getLogger("nova_ha")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.INFO)


if __name__ == "__main__":
    STATUS = main(sys.argv[1:])
    logging.shutdown()
    # Not sys.exit: that would wait for threads whose requests Nova never answers.
    os._exit(STATUS)
