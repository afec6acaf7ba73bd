# SPDX-License-Identifier: Apache-2.0
"""nova-compute as a unit of systemd, as the packages of the distributions install it.

While Pacemaker runs it, the unit has a drop-in in /run, gone after a boot, as Pacemaker's own class
``systemd`` has one (50-pacemaker.conf of systemd_create_override(), lib/services/systemd.c): a unit that
systemd restarts by itself would hide its failures from Pacemaker, and run past the gate. Files of the same
name, or of later ones, in /etc/systemd/system/UNIT.d outweigh it.
"""

from __future__ import annotations

import os
import time

from nova_ha import process
from nova_ha.compute import units
from nova_ha.compute.compute_service import ComputeService

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nova_ha.compute.launch import Launch
    from nova_ha.runner import Result

_POLL = 0.5
_TOOL_TIMEOUT = 20.0
#: Seconds that systemd has for what was killed.
_LAST_RESORT = 5.0
_DROP_IN = "50-nova-ha.conf"
#: Nova 33 and 34 take up to graceful_shutdown_timeout=180 s to end, and Debian's unit kills after 15 s.
#: Before: when the machine shuts down, Pacemaker ends first, and stops nova-compute itself.
_OVERRIDE = """\
# Written by ocf:openstack:NovaCompute, which removes it when it stops the unit.
[Unit]
Before=pacemaker.service pacemaker_remote.service
[Service]
Restart=no
TimeoutStopSec=200
"""
#: With these, systemd kills what else is in the unit's control group, too (systemd.kill(5)).
_KILLS_ALL = ("control-group", "mixed")
_AT_REST = ("inactive", "failed")
_PROPERTIES = "ActiveState,SubState,Result,MainPID,ExecMainStatus,Job,KillMode,LoadState"


class SystemdUnit(ComputeService):
    """A unit of systemd.

    Args:
        pid_file: see `ComputeService`.
        program: see `ComputeService`.
        instance: see `ComputeService`.
        unit: its name, with ``.service``.
    """

    def __init__(self, pid_file: str, program: str, instance: str, unit: str) -> None:
        super().__init__(pid_file, program, instance)
        self.unit = unit
        self.last_words = f"the journal: journalctl --unit {unit}"

    def running(self) -> int | None:
        """Return its main process, or what somebody else has started in the unit; systemd is not asked."""
        remembered = super().running()
        return remembered if remembered is not None else next(iter(self._programs()), None)

    def is_own(self, pid: int) -> bool:
        """Say whether a process is in the unit's control group, or in one below it."""
        return f"/{self.unit}/" in process.cgroup(pid).replace("\n", "/")

    def start(self, launch: Launch) -> str | None:
        """Start the unit, without waiting until it says that it is ready.

        nova-compute says so only after it has talked to its conductor: RDO's unit (Type=notify) would be
        waited for as long as RabbitMQ or the conductors are away.
        """
        self._override()
        state = self._state()
        if state.get("ActiveState") == "failed":
            self._systemctl("reset-failed", self.unit)
        answer = self._systemctl("start", "--no-block", self.unit)
        if answer.returncode != 0:
            return f"systemctl start {self.unit} failed: {answer.complaint}"
        return self._watch(launch)

    def stop(self, patience: float) -> tuple[int, ...]:
        """Have systemd stop it; kill what does not end; return what lives even so.

        Guests are in control groups of their own (machine.slice): neither the unit's KillMode nor we reach
        them.
        """
        from nova_ha.runner import CommandFailed

        deadline = time.monotonic() + patience
        try:
            left = self._stop_unit(deadline)
        except CommandFailed as error:
            _warn("systemd does not answer, so nova-compute is ended without it: %s", error)
            left = process.end(self._own(), deadline - time.monotonic())
        if not left:
            self.forget()
        return left

    def why_unsafe(self) -> str | None:
        """Return which unit systemd would start at boot."""
        return units.why_unsafe((self.unit, *units.KNOWN))

    def arguments(self) -> tuple[str, ...]:
        """Return the arguments of nova-compute in the unit; none if that runs it by a script."""
        words = self._systemctl("show", "--property=ExecStart", "--value", self.unit).stdout
        command = words.partition("argv[]=")[2].partition(" ; ")[0].split()
        return tuple(command[1:]) if self.runs_program(tuple(command[:2])) else ()

    def user(self) -> str:
        """Return the user that the unit's process runs as; root if the unit names none."""
        return self._systemctl("show", "--property=User", "--value", self.unit).stdout.strip() or "root"

    def _watch(self, launch: Launch) -> str | None:
        """Return why the unit did not come up and survive; None when it did."""
        begin, seen, since = time.monotonic(), 0, 0.0
        while (now := time.monotonic()) - begin < launch.patience:
            state = self._state()
            if _is_idle(state) and state.get("ActiveState") in (*_AT_REST, "deactivating"):
                return self._why_ended(state)
            main = int(state.get("MainPID") or 0)
            if main != seen:
                seen, since = main, now
            if seen and now - since >= launch.survival:
                self.adopt(seen)
                return None
            time.sleep(min(_POLL, launch.survival))
        return f"{self.unit} has no process after {launch.patience:.0f} s, see systemctl status {self.unit}"

    def _why_ended(self, state: dict[str, str]) -> str:
        said = self._journal()
        return f"{self.unit}: {state.get('Result')}, exit status {state.get('ExecMainStatus')}{said}"

    def _journal(self) -> str:
        """Return the last line that the unit's processes have written, to be added to a sentence."""
        from nova_ha.runner import CommandFailed, SystemRunner

        command = ("journalctl", f"_SYSTEMD_UNIT={self.unit}", "--lines=1", "--output=cat", "--no-pager")
        try:
            answer = SystemRunner().run(*command, timeout=_TOOL_TIMEOUT)
        except CommandFailed:
            return f"; look at {self.last_words}"
        line = answer.stdout.strip()
        return f": {line}" if answer.returncode == 0 and line else f"; look at {self.last_words}"

    def _stop_unit(self, deadline: float) -> tuple[int, ...]:
        kills_all = self._state().get("KillMode") in _KILLS_ALL
        if not self._is_stopped(kills_all=kills_all):
            self._override()
            self._systemctl("stop", "--no-block", self.unit)
            if not self._stops_by(deadline, kills_all=kills_all):
                self._kill(kills_all=kills_all)
        left = self._left(kills_all=kills_all)
        if not left:
            self._forget_override()
        return left

    def _kill(self, *, kills_all: bool) -> None:
        """Kill nova-compute, and what is with it in the control group only if systemd would."""
        if kills_all:
            self._systemctl("kill", "--signal=SIGKILL", self.unit)
        process.end(self._own(), patience=0.0, last_resort=_LAST_RESORT)
        self._stops_by(time.monotonic() + _LAST_RESORT, kills_all=kills_all)

    def _stops_by(self, deadline: float, *, kills_all: bool) -> bool:
        """Wait until it is stopped; say whether it is."""
        while not (stopped := self._is_stopped(kills_all=kills_all)) and time.monotonic() < deadline:
            time.sleep(_POLL)
        return stopped

    def _is_stopped(self, *, kills_all: bool) -> bool:
        """Say whether its processes are gone and systemd is through with it; asks systemd last, a fork."""
        return not self._left(kills_all=kills_all) and _is_at_rest(self._state())

    def _left(self, *, kills_all: bool) -> tuple[int, ...]:
        """Return what should be gone by now: the program, and all of the unit if systemd kills all of it."""
        everything = process.find(lambda _: True) if kills_all else ()
        return tuple(sorted({*self._own(), *filter(self.is_own, everything)}))

    def _own(self) -> tuple[int, ...]:
        remembered = super().running()
        known = () if remembered is None else (remembered,)
        return tuple(dict.fromkeys((*known, *self._programs())))

    def _programs(self) -> tuple[int, ...]:
        """Return the processes of the unit that run the program."""
        return tuple(filter(self.is_own, process.find(self.runs_program)))

    def _is_main(self, pid: int) -> bool:
        return self.is_own(pid)

    def _state(self) -> dict[str, str]:
        answer = self._systemctl("show", f"--property={_PROPERTIES}", self.unit)
        if answer.returncode != 0:
            from nova_ha.runner import CommandFailed

            raise CommandFailed(f"systemctl show {self.unit} failed: {answer.complaint}")
        lines = (line.partition("=") for line in answer.stdout.splitlines())
        return {name: value for name, _, value in lines}

    def _override(self) -> None:
        """Write the drop-in, unless it is there."""
        path = self._drop_in()
        if os.path.exists(path):
            return
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        process.write_atomically(path, _OVERRIDE)
        os.chmod(path, 0o644)
        self._reload()

    def _forget_override(self) -> None:
        try:
            os.unlink(self._drop_in())
        except FileNotFoundError:
            return
        self._reload()

    def _reload(self) -> None:
        answer = self._systemctl("daemon-reload")
        if answer.returncode != 0:
            _warn("systemctl daemon-reload failed: %s", answer.complaint)

    def _drop_in(self) -> str:
        return f"{units.BOOTED}/{self.unit}.d/{_DROP_IN}"

    @staticmethod
    def _systemctl(*arguments: str) -> Result:
        """Run systemctl.

        Raises:
            CommandFailed: it could not be run, or did not answer.
        """
        from nova_ha.runner import SystemRunner

        return SystemRunner().run("systemctl", *arguments, timeout=_TOOL_TIMEOUT)


def _is_at_rest(state: dict[str, str]) -> bool:
    """Say whether systemd has ended the unit and has nothing to do for it."""
    return _is_idle(state) and state.get("ActiveState") in _AT_REST


def _is_idle(state: dict[str, str]) -> bool:
    """Say whether systemd has no job for the unit."""
    return state.get("Job", "0") in ("", "0")


def _warn(message: str, *values: object) -> None:
    import logging

    logging.getLogger(__name__).warning(message, *values)
