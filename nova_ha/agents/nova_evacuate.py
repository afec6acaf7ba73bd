# SPDX-License-Identifier: Apache-2.0
"""The agent ``ocf:openstack:NovaEvacuate``: keep exactly one evacuator process running.

The process is ``python3 -m nova_ha.evacuator_main DIRECTORY``; its settings are one JSON object on its
standard input, because arguments and environment of a process can be read by others (rule R6).
`nova_ha.agents.rundir` says what the two tell each other.

The monitor imports what this module imports at its top, and nothing else.
"""

from __future__ import annotations

import time

from nova_ha import process
from nova_ha.agents import ocf, rundir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nova_ha.agents.ocf_metadata import Description
    from nova_ha.settings.option import Value

PROGRAM = "nova_ha.evacuator_main"

#: The loop gives a sign of life after each of its calls, whose time limits are far below this.
HEARTBEAT_LIMIT = 300.0
#: Seconds of an action's time that are kept for what comes after the waiting.
_MARGIN = 5.0
_POLL = 0.05


class NovaEvacuate(ocf.Agent):
    """Keeps one evacuator process running."""

    name = "NovaEvacuate"

    @property
    def directory(self) -> rundir.RunDirectory:
        """Return where the process says how it is."""
        return rundir.of_instance(self.instance)

    def monitor(self) -> int:
        """Say how the process is, from two small files and /proc."""
        directory = self.directory
        remembered = process.read_pid_file(directory.pid)
        if remembered is None:
            return ocf.NOT_RUNNING
        pid, started = remembered
        if process.start_time(pid) != started:
            ocf.exit_reason(f"evacuator process {pid} has died; its last words are in {directory.output}")
            return ocf.NOT_RUNNING
        return _health(pid, directory)

    def start(self) -> int:
        """Start the process and wait for its first status."""
        settings = self._valid_settings()
        if self.directory.living() is not None:
            return ocf.SUCCESS
        directory = self.directory
        directory.make()
        self._end_leftovers()
        directory.forget()
        return self._launch(directory, settings)

    def stop(self) -> int:
        """End the process, and every other one for the same resource that a killed agent may have left."""
        self._end_leftovers()
        self.directory.forget()
        self.log("evacuator is stopped")
        return ocf.SUCCESS

    def validate(self, level: int) -> None:
        """Raise what is wrong with the parameters; level 10 reads the files that they name."""
        settings = self.settings()
        _require_credentials(settings)
        self._warn_of_plain_secrets()
        if level >= 10:  # noqa: PLR2004 (OCF's own number)
            _check_here(settings)

    def _warn_of_plain_secrets(self) -> None:
        import logging

        from nova_ha.pacemaker.cib_secrets import plain_secret_warning, plain_secrets

        for name in plain_secrets(self.given(), self.instance):
            logging.getLogger(__name__).warning("%s", plain_secret_warning(name))

    def description(self) -> Description:
        """Return what the metadata says, apart from the parameters."""
        from nova_ha.agents.ocf_metadata import Action, Description

        return Description(
            summary="Recovers the servers of fenced compute nodes",
            text=_TEXT,
            actions=(
                Action("start", 60),
                Action("stop", 60),
                Action("monitor", 30, interval=10),
                Action("validate-all", 30),
                Action("meta-data", 10),
            ),
        )

    def _valid_settings(self) -> dict[str, Value]:
        settings = self.settings()
        _require_credentials(settings)
        _check_here(settings)
        return settings

    def _launch(self, directory: rundir.RunDirectory, settings: dict[str, Value]) -> int:
        """Start the process; leave none behind when it does not begin its work in time."""
        from nova_ha.evacuation import evacuator_launch

        launched = evacuator_launch.launch(directory, self._command(directory), settings)
        deadline = time.monotonic() + max(1.0, self.timeout - _MARGIN)
        while time.monotonic() < deadline:
            if directory.read_status() is not None:
                self.log("evacuator started, process %d", launched.pid)
                return ocf.SUCCESS
            if launched.poll() is not None:
                break
            time.sleep(_POLL)
        died = launched.poll() is not None
        process.end((launched.pid,), patience=1.0)
        directory.forget()
        what = "ended at once" if died else f"has not begun its work within {self.timeout - _MARGIN:.0f} s"
        raise ocf.Failed(
            ocf.ERR_GENERIC, f"the evacuator process {what}{evacuator_launch.last_words(directory)}"
        )

    def _command(self, directory: rundir.RunDirectory) -> tuple[str, ...]:
        import sys

        return (sys.executable, "-m", PROGRAM, directory.path)

    def _end_leftovers(self) -> None:
        """End every process of this resource, also one that no file names any more."""
        directory = self.directory
        tail = self._command(directory)[1:]
        found = process.find(lambda arguments: arguments[1:] == tail)
        living = directory.living()
        pids = {*found, *(() if living is None else (living,))}
        left = process.end(pids, patience=max(1.0, self.timeout - 3 * _MARGIN), last_resort=_MARGIN)
        if left:
            raise ocf.Failed(
                ocf.ERR_GENERIC, f"evacuator process {left[0]} does not end, not even when killed"
            )


def _health(pid: int, directory: rundir.RunDirectory) -> int:
    """Return the exit code for a process that lives."""
    status = directory.read_status()
    if status is None:
        ocf.exit_reason(f"evacuator process {pid} has never said how it is")
        return ocf.ERR_GENERIC
    word, sentence, changed = status
    silence = time.time() - changed
    if silence > HEARTBEAT_LIMIT:
        ocf.exit_reason(f"evacuator process {pid} hangs: no sign of life for {silence:.0f} s")
        return ocf.ERR_GENERIC
    if word == rundir.DEGRADED:
        ocf.exit_reason(sentence)
        return ocf.DEGRADED
    return ocf.SUCCESS


def _require_credentials(settings: dict[str, Value]) -> None:
    """Raise `ConfigurationError` when no way into a cloud is named."""
    from nova_ha.errors import ConfigurationError

    if not any(settings.get(name) for name in ("cloud", "credentials_file", "auth_url")):
        raise ConfigurationError(
            "no credentials: set cloud, or credentials_file, or auth_url, username and password"
        )


def _check_here(settings: dict[str, Value]) -> None:
    """Raise when the credentials cannot be used on this node; another may have the files."""
    from nova_ha.errors import ConfigurationError
    from nova_ha.openstack.credentials import open_session

    try:
        open_session(settings)
    except ConfigurationError as error:
        raise ocf.Failed(ocf.ERR_ARGS, str(error)) from error


_TEXT = """\
Recovers the servers of compute nodes that Pacemaker has fenced. One evacuator
process runs at a time. It reads the records of fencings that fence_compute
writes, tells Nova that the host is down, evacuates the servers and follows
each one until it runs elsewhere, and returns the host to service when it is
back.

Run one instance, on cluster nodes that are not compute nodes. When Nova,
Keystone or the message queue does not answer, the resource keeps running, is
shown as degraded with the reason, and goes on by itself."""
