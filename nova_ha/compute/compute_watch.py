# SPDX-License-Identifier: Apache-2.0
"""The thorough look at nova-compute (OCF_CHECK_LEVEL=10): its connection, its log, what the evacuator says.

It needs no credentials, imports nothing of OpenStack, and never takes longer than 15 s: what has not
been seen by then is not known, and what is not known is healthy. What it remembers from look to look is in
``health`` in the runtime folder of the resource, and ``wedged`` has what the evacuator had said before the
start.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from nova_ha import process
from nova_ha.agents.rundir import RunDirectory
from nova_ha.compute import brokers, compute_health, nova_conf, wedged
from nova_ha.compute.compute_health import Look, Memory
from nova_ha.compute.compute_service import ComputeService
from nova_ha.errors import ConfigurationError
from nova_ha.runner import Runner

_log = logging.getLogger(__name__)

#: Seconds for the looks at nova-compute and at what else would start it. Pacemaker gives the action 60 s; a
#: look that takes longer is at something that hangs.
_LOOK, _SHORT_LOOK = 11.0, 4.0
#: Written by the resource tracker in every run of update_available_resource, every minute by default, at
#: DEBUG (at INFO in old releases): nova/compute/resource_tracker.py, _report_final_resource_view().
_HEARTBEAT = b"Final resource view"
#: More than nova-compute writes between two looks.
_MOST_READ = 16 * 1024 * 1024
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Watch:
    """What the look needs to know.

    Attributes:
        service: nova-compute.
        directory: runtime folder of the resource.
        runner: runs Pacemaker's tools.
        node: Pacemaker's name of this node.
        log_silence: see `compute_health.complaint`.
        log_file: nova-compute's log; None for the files that it has open.
    """

    service: ComputeService
    directory: RunDirectory
    runner: Runner
    node: str
    log_silence: float
    log_file: str | None = None

    def why_unhealthy(self, pid: int) -> str | None:
        """Return why nova-compute, whose main process that is, cannot work; None when nothing says so."""
        return _within(_LOOK, lambda: self._why_wedged(pid) or self._why_disabled(pid))

    def why_unsafe(self) -> str | None:
        """Return what else would start nova-compute; see `ComputeService.why_unsafe`."""
        return _within(_SHORT_LOOK, self.service.why_unsafe)

    def remember_wedged(self) -> None:
        """Remember, before nova-compute is started, what the evacuator has said of the one before.

        The times alone would do if the clocks of the machines agreed.
        """
        self.directory.make()
        value = wedged.value_of(self.runner, self.node) or ""
        process.write_atomically(self._before_start, value)

    def _why_wedged(self, pid: int) -> str | None:
        started = wedged.started_at(pid)
        value = wedged.value_of(self.runner, self.node)
        if started is None or value == _text(self._before_start):
            return None
        return wedged.why(value, started)

    def _why_disabled(self, pid: int) -> str | None:
        family = process.family(pid)
        before = self._memory(pid)
        files = open_logs(family, self.log_file)
        look = self._seen(pid, family, before, files)
        if before is None:
            before = Memory(f"{pid} {process.start_time(pid)}", look.now, sizes=look.sizes)
        memory = compute_health.after(before, look)
        self.directory.make()
        process.write_atomically(self._health, json.dumps(asdict(memory)))
        return compute_health.complaint(memory, look, self.log_silence)

    def _seen(self, pid: int, family: tuple[int, ...], before: Memory | None, files: dict[str, str]) -> Look:
        """Look at the connection and the logs; the latter from where the look before has ended."""
        known = _brokers(self.service, pid, family)
        connected = brokers.connected(family, known) if known else None
        answering = None
        if connected is False and before is not None and before.connected:
            answering = brokers.answering(known)
        sizes = {identity: os.stat(path).st_size for identity, path in files.items()}
        ends = None if before is None else dict(before.sizes)
        lines = (
            0 if ends is None else sum(_heartbeats(path, ends.get(name, 0)) for name, path in files.items())
        )
        broker = None if answering is None else str(answering)
        return Look(time.monotonic(), connected, broker, tuple(sorted(sizes.items())), lines)

    def _memory(self, pid: int) -> Memory | None:
        """Return what is known of this very process; None when nothing is."""
        try:
            known = json.loads(_text(self._health) or "null")
            memory = Memory(**{**known, "sizes": tuple((name, size) for name, size in known["sizes"])})
        except (ValueError, TypeError, KeyError):
            return None
        return memory if memory.process == f"{pid} {process.start_time(pid)}" else None

    @property
    def _health(self) -> str:
        return f"{self.directory.path}/health"

    @property
    def _before_start(self) -> str:
        return f"{self.directory.path}/wedged"


def _within(seconds: float, look: Callable[[], str | None]) -> str | None:
    """Return what a look finds; nothing when it takes longer, or fails: then nothing is known."""
    found: list[str | None] = []

    def run() -> None:
        try:
            found.append(look())
        except Exception as error:  # noqa: BLE001 (our own defect is no fault of nova-compute's)
            _log.warning("nova-compute cannot be looked at: %s: %s", type(error).__name__, error)

    looker = threading.Thread(target=run, daemon=True)
    looker.start()
    looker.join(seconds)
    if looker.is_alive():
        _log.warning("the look at nova-compute takes longer than %.0f s, and is given up", seconds)
    return found[0] if found else None


def open_logs(family: tuple[int, ...], log_file: str | None = None) -> dict[str, str]:
    """Return the files that it appends to, by identity; as paths in /proc, where rotated ones are found."""
    if log_file is not None:
        return {_identity(log_file): log_file} if os.path.isfile(log_file) else {}
    found: dict[str, str] = {}
    for pid in family:
        for name in _descriptors(pid):
            path = f"/proc/{pid}/fd/{name}"
            if _is_appended_to(pid, name):
                found.setdefault(_identity(path), path)
    return found


def _descriptors(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []


def _is_appended_to(pid: int, name: str) -> bool:
    """Say whether a descriptor is a regular file that was opened for appending, as logs are."""
    try:
        regular = stat.S_ISREG(os.stat(f"/proc/{pid}/fd/{name}").st_mode)
        return regular and bool(_flags(pid, name) & os.O_APPEND)
    except OSError:
        return False


def _flags(pid: int, name: str) -> int:
    with open(f"/proc/{pid}/fdinfo/{name}", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return int(fields["flags"], 8)


def _identity(path: str) -> str:
    found = os.stat(path)
    return f"{found.st_dev}:{found.st_ino}"


def _heartbeats(path: str, begin: int) -> int:
    """Return how many heartbeat lines a log has from there on; from its start if it was cut meanwhile."""
    size = os.stat(path).st_size
    position = begin if begin <= size else 0
    count, rest = 0, b""
    with open(path, "rb") as file:
        file.seek(max(position, size - _MOST_READ))
        while chunk := file.read(_CHUNK):
            text = rest + chunk
            count += text.count(_HEARTBEAT)
            rest = text[-len(_HEARTBEAT) + 1 :]
    return count


def _brokers(service: ComputeService, pid: int, family: tuple[int, ...]) -> tuple[brokers.Broker, ...]:
    """Return the brokers of its own configuration: read by its arguments, below its own root folder."""
    commands = ((member, process.command_line(member)) for member in family)
    member, command = next(((m, c) for m, c in commands if service.runs_program(c)), (pid, ()))
    home = dict(item.partition("=")[::2] for item in process.environment(member)).get("HOME", "/root")
    try:
        return brokers.of(nova_conf.read(command, home, program=service.name, root=f"/proc/{member}/root"))
    except ConfigurationError as error:
        _log.debug("the brokers are unknown: %s", error)
        return ()


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
