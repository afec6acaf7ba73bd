# SPDX-License-Identifier: Apache-2.0
"""The agent ``ocf:openstack:NovaCompute``: run nova-compute, but only when that is safe.

The monitor imports what this module imports at its top, and nothing else.
"""

from __future__ import annotations

import os
import time

from nova_ha import ocf, rundir
from nova_ha.plain_process import PlainProcess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nova_ha.ocf_metadata import Description
    from nova_ha.option import Value
    from nova_ha.runner import Identity, Runner

_BINARY = "/usr/bin/nova-compute"
#: With this value Nova searches for its files itself, and finds the same one and those beside it.
_CONFIG = "/etc/nova/nova.conf"
_LOG_FOLDER = "/var/log/nova-ha"

#: A nova-compute that cannot read its configuration or has no hypervisor ends within this time.
_SURVIVAL = 3.0
#: Seconds of a start's time that are kept for the start proper, after the waiting.
_START_MARGIN = 10.0
#: Seconds of a stop's time that are kept for killing what has not ended by itself.
_STOP_MARGIN = 15.0
_GATE_POLL = 1.0


class NovaCompute(ocf.Agent):
    """Runs nova-compute on a compute node."""

    name = "NovaCompute"

    @property
    def service(self) -> PlainProcess:
        """Return what runs nova-compute."""
        pid_file = self.environ.get("OCF_RESKEY_pid") or rundir.of_instance(self.instance).pid
        return PlainProcess(pid_file, self.environ.get("OCF_RESKEY_binary") or _BINARY, self.instance)

    def monitor(self) -> int:
        """Say whether nova-compute runs; a probe costs no more."""
        service = self.service
        if service.running() is not None:
            return ocf.SUCCESS
        if service.was_started():
            ocf.exit_reason(f"nova-compute has died; its last words are in {self._output()}")
        return ocf.NOT_RUNNING

    def start(self) -> int:
        """Start nova-compute once no recovery of this host is open."""
        from nova_ha.runner import SystemRunner

        if self.service.running() is not None:
            return ocf.SUCCESS
        runner = SystemRunner()
        settings, node = self.settings(), self._node(runner)
        identity = _check_here(settings)
        _check_name(settings, node, identity)
        self._wait_for_recovery(runner, node)
        if self._adopt_leftover():
            return ocf.SUCCESS
        return self._launch(settings, identity)

    def stop(self) -> int:
        """Stop nova-compute, and say so only if it is gone; guests go on running."""
        left = self.service.stop(max(1.0, self.timeout - _STOP_MARGIN))
        if left:
            raise ocf.Failed(
                ocf.ERR_GENERIC, f"nova-compute (process {left[0]}) does not end, not even when killed"
            )
        self.log("nova-compute is stopped")
        return ocf.SUCCESS

    def validate(self, level: int) -> None:
        """Raise what is wrong with the parameters; level 10 looks for program, user and files."""
        settings = self.settings()
        if level >= 10:  # noqa: PLR2004 (OCF's own number)
            _check_here(settings)

    def description(self) -> Description:
        """Return what the metadata says, apart from the parameters."""
        from nova_ha.ocf_metadata import Action, Description

        return Description(
            summary="Runs nova-compute when that is safe",
            text=_TEXT,
            actions=(
                Action("start", 120),
                Action("stop", 240),
                Action("monitor", 30, interval=10),
                Action("validate-all", 30),
                Action("meta-data", 10),
            ),
        )

    def _node(self, runner: Runner) -> str:
        """Return Pacemaker's name of this node; an action by hand (crm_resource --force-start) lacks it."""
        given = self.meta("on_node")
        if given:
            return given
        answer = runner.run("crm_node", "--name")
        if answer.returncode != 0:
            raise ocf.Failed(
                ocf.ERR_GENERIC, f"Pacemaker does not say what it calls this node: {answer.complaint}"
            )
        return answer.stdout.strip()

    def _wait_for_recovery(self, runner: Runner, node: str) -> None:
        """Return when no recovery of this host is open; raise when the patience with it is over.

        That is short, and not the action's whole time: Pacemaker plans nothing anew while an action runs,
        so that an evacuator whose controller died would not be recovered as long as we wait for it.
        """
        from nova_ha.gate import why_closed

        begin = time.monotonic()
        patience = max(0.0, min(float(self.settings()["start_wait"] or 0), self.timeout - _START_MARGIN))
        said = None
        while (reason := why_closed(runner, node)) is not None:
            if reason != said:
                self.log("nova-compute waits: %s", reason)
                said = reason
            if time.monotonic() - begin + _GATE_POLL > patience:
                raise ocf.Failed(
                    ocf.ERR_GENERIC, f"nova-compute not started, waited {patience:.0f} s: {reason}"
                )
            time.sleep(_GATE_POLL)

    def _adopt_leftover(self) -> bool:
        """Take over a nova-compute that this resource started and forgot; refuse to start a second one.

        Raises:
            Failed: somebody else runs one; two would fight over the guests.
        """
        service = self.service
        for pid in service.others():
            if service.is_own(pid):
                service.adopt(pid)
                return True
            raise ocf.Failed(
                ocf.ERR_GENERIC,
                f"nova-compute runs already as process {pid}, and Pacemaker did not start it; "
                "stop it, and disable the unit or container that started it",
            )
        return False

    def _launch(self, settings: dict[str, Value], identity: Identity | None) -> int:
        output = self._output()
        os.makedirs(os.path.dirname(output), exist_ok=True)
        failure = self.service.start(_command(settings), output, identity, _SURVIVAL)
        if failure is not None:
            raise ocf.Failed(ocf.ERR_GENERIC, f"nova-compute ended at once, {failure}")
        self.log("nova-compute started, process %s", self.service.running())
        return ocf.SUCCESS

    def _output(self) -> str:
        folder = self.environ.get("NOVA_HA_LOG") or _LOG_FOLDER
        return f"{folder}/nova-compute.log"


def _command(settings: dict[str, Value]) -> tuple[str, ...]:
    """Return the command line of nova-compute."""
    import shlex

    files = (word for path in _explicit_files(settings) for word in ("--config-file", path))
    return (str(settings["binary"]), *files, *shlex.split(str(settings["additional_parameters"] or "")))


def _explicit_files(settings: dict[str, Value]) -> tuple[str, ...]:
    """Return the configuration files that Nova is told; none when it searches itself."""
    files = tuple(str(settings["config"]).split())
    return () if files == (_CONFIG,) else files


def _check_here(settings: dict[str, Value]) -> Identity | None:
    """Raise when program, user or files are not on this node; return whose rights nova-compute gets."""
    binary = str(settings["binary"])
    if not os.access(binary, os.X_OK):
        raise ocf.Failed(ocf.ERR_INSTALLED, f"binary={binary}: no such program on this node")
    for path in _explicit_files(settings):
        if not os.access(path, os.R_OK):
            raise ocf.Failed(ocf.ERR_ARGS, f"config={path}: cannot be read on this node")
    return _identity(str(settings["user"]))


def _identity(user: str) -> Identity | None:
    """Return the rights of a user; None when they are those of this process."""
    import pwd

    from nova_ha.runner import Identity

    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ocf.Failed(ocf.ERR_INSTALLED, f"user={user}: no such user on this node") from None
    if entry.pw_uid == os.geteuid():
        return None
    groups = tuple(os.getgrouplist(user, entry.pw_gid))
    return Identity(entry.pw_uid, entry.pw_gid, groups, entry.pw_dir)


def _check_name(settings: dict[str, Value], node: str, identity: Identity | None) -> None:
    """Raise when Nova and Pacemaker do not mean the same host; a domain is no difference."""
    from nova_ha import nova_conf
    from nova_ha.errors import ConfigurationError

    home = os.path.expanduser("~") if identity is None else identity.home
    try:
        host = str(settings["host"] or nova_conf.host_name(_explicit_files(settings), home))
    except ConfigurationError as error:
        raise ocf.Failed(ocf.ERR_ARGS, str(error)) from error
    if host.partition(".")[0].lower() != node.partition(".")[0].lower():
        raise ocf.Failed(
            ocf.ERR_ARGS,
            f"Nova calls this host {host!r} and Pacemaker calls it {node!r}, so that fencing one would "
            "evacuate another; set host in nova.conf to the node's name",
        )


_TEXT = """\
Runs nova-compute on a compute node. The start waits for the recovery of this
host to be complete, because nova-compute destroys, when it starts, the guests
that are being evacuated from its host. No credentials are needed: the state of
the recovery is read from Pacemaker.

Make it a clone on compute nodes with meta requires=unfencing: then it is not
started at all before the recovery is complete. With meta failure-timeout=60s
a start that has waited in vain is tried again, else Pacemaker waits for an
admin. Stopping it leaves the guests running; a stop that fails gets the node
fenced."""
