# SPDX-License-Identifier: Apache-2.0
"""nova-compute in a container of podman or docker, as kolla and TripleO install it.

The container must exist; it is started and stopped, never made or removed. Its processes are seen in /proc of
this machine, so the monitor asks the engine only when nova-compute runs in some container that is not
remembered.
"""

from __future__ import annotations

import time

from nova_ha import process
from nova_ha.compute import units
from nova_ha.compute.compute_service import ComputeService

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nova_ha.compute.launch import Launch
    from nova_ha.runner import Result

_POLL = 0.5
_TOOL_TIMEOUT = 10.0
#: Seconds that the engine has beyond what it shall wait.
_SLACK = 5.0
#: State, main process, policy and id of a container, understood by both engines.
_FORMAT = "{{.State.Status}} {{.State.Pid}} {{.State.ExitCode}} {{.Id}} {{.HostConfig.RestartPolicy.Name}}"
_NO_SUCH = ("no such container", "no such object", "no container with name")
#: Units that start the container: of kolla with docker and with podman, of TripleO, of its successor.
_UNITS = (
    "kolla-{}-container.service",
    "container-{}.service",
    "tripleo_{}.service",
    "edpm_{}.service",
)


class Container(ComputeService):
    """A container with nova-compute in it.

    Args:
        pid_file: see `ComputeService`.
        program: see `ComputeService`.
        instance: see `ComputeService`.
        engine: ``podman`` or ``docker``.
        container: its name.
    """

    def __init__(self, pid_file: str, program: str, instance: str, engine: str, container: str) -> None:
        super().__init__(pid_file, program, instance)
        self._engine = engine
        self._container = container
        self._asked: dict[str, str] | None = None
        self.last_words = f"its log: {engine} logs {container}"

    def running(self) -> int | None:
        """Return the container's main process, also when somebody else has started it."""
        remembered = super().running()
        if remembered is not None or not self._candidates():
            return remembered
        state = self._state()
        pid = int(state.get("pid", "0"))
        return pid if state.get("status") == "running" and process.start_time(pid) is not None else None

    def is_own(self, pid: int) -> bool:
        """Say whether a process is in the container.

        Both engines name its control group after its id. One without a control group (``podman create
        --cgroups=disabled``) always has a pid namespace of its own, where nobody but its main process
        inherits what loses its parent; so everything in it descends from that.
        """
        state = self._state()
        identity, main = state.get("id", ""), int(state.get("pid", "0"))
        if identity and identity in process.cgroup(pid):
            return True
        return bool(main) and pid in process.family(main)

    def start(self, launch: Launch) -> str | None:
        """Start the container and watch it; see `ComputeService.start`."""
        answer = self._run("start", self._container, timeout=launch.patience)
        if answer.returncode != 0:
            return f"{self._engine} start {self._container} failed: {answer.complaint}"
        deadline = time.monotonic() + launch.survival
        while True:
            state = self._state(anew=True)
            if state.get("status") != "running":
                return self._why_ended(state)
            if time.monotonic() >= deadline:
                break
            time.sleep(min(_POLL, launch.survival))
        self.adopt(int(state["pid"]))
        return None

    def stop(self, patience: float) -> tuple[int, ...]:
        """Have the engine stop it, which kills it after that time; return what lives even so.

        If the engine does not answer, what is remembered is ended without it. Then any nova-compute in a
        container that may be this one counts as living: unknown is not stopped.
        """
        from nova_ha.runner import CommandFailed

        deadline = time.monotonic() + patience
        try:
            left = self._stop_container(patience)
        except CommandFailed as error:
            _warn("%s does not answer, so nova-compute is ended without it: %s", self._engine, error)
            remembered = super().running()
            family = () if remembered is None else process.family(remembered)
            left = process.end(family, deadline - time.monotonic()) or self._candidates()
        if not left:
            self.forget()
        return left

    def check(self) -> str | None:
        """Return why it cannot be started on this node; None when it can."""
        from nova_ha.runner import CommandFailed

        try:
            state = self._state()
        except CommandFailed as error:
            return f"run_as={self._engine}: {error}"
        return (
            None
            if state
            else f"container={self._container}: {self._engine} has no such container on this node"
        )

    def why_unsafe(self) -> str | None:
        """Return what else would start it at boot: a unit, or its restart policy."""
        from nova_ha.runner import CommandFailed

        enabled = units.why_unsafe((*(unit.format(self._container) for unit in _UNITS), *units.KNOWN))
        if enabled is not None:
            return enabled
        try:
            policy = self._state().get("policy", "no")
        except CommandFailed:
            return None
        # Where there is none podman says nothing, docker "no".
        if policy in ("", "no"):
            return None
        since = " (from podman 5.1 on)" if self._engine == "podman" else ""
        return (
            f"container {self._container} has the restart policy {policy}; "
            f"run: {self._engine} update --restart=no {self._container}{since}, or make it anew; "
            "else it starts at boot before the servers of this host are recovered, and destroys them"
        )

    def _stop_container(self, patience: float) -> tuple[int, ...]:
        if self._own():
            wait = str(int(patience))
            self._run("stop", "-t", wait, self._container, timeout=patience + _SLACK)
        if self._own():
            self._run("kill", "--signal", "KILL", self._container)
        return process.end(self._own(), patience=0.0)

    def _own(self) -> tuple[int, ...]:
        """Return the container's main process and those in it that run the program."""
        state = self._state(anew=True)
        remembered = super().running()
        pids = {remembered or 0, int(state.get("pid", "0")), *filter(self.is_own, self._candidates())}
        return tuple(sorted(pid for pid in pids if pid and process.start_time(pid) is not None))

    def _candidates(self) -> tuple[int, ...]:
        """Return the processes that run the program in some container; costs no process."""
        return tuple(filter(_is_in_container, process.find(self.runs_program, containers=True)))

    def _is_main(self, pid: int) -> bool:  # noqa: ARG002 (its command line may be any init's)
        return True

    def _why_ended(self, state: dict[str, str]) -> str:
        answer = self._run("logs", "--tail", "1", self._container)
        line = (answer.stdout.strip() or answer.stderr.strip()) if answer.returncode == 0 else ""
        return f"exit status {state.get('exit_code')}" + (
            f": {line}" if line else f"; look at {self.last_words}"
        )

    def _state(self, *, anew: bool = False) -> dict[str, str]:
        """Return what the engine says of the container; nothing when there is none.

        Raises:
            CommandFailed: the engine does not say.
        """
        if self._asked is None or anew:
            self._asked = self._inspected()
        return self._asked

    def _inspected(self) -> dict[str, str]:
        answer = self._run("inspect", "--type", "container", "--format", _FORMAT, self._container)
        if answer.returncode == 0:
            names = ("status", "pid", "exit_code", "id", "policy")
            return dict(zip(names, answer.stdout.strip().split(" ")))
        if any(words in answer.complaint.lower() for words in _NO_SUCH):
            return {}
        from nova_ha.runner import CommandFailed

        raise CommandFailed(f"{self._engine} inspect {self._container} failed: {answer.complaint}")

    def _run(self, *arguments: str, timeout: float = _TOOL_TIMEOUT) -> Result:
        from nova_ha.runner import SystemRunner

        return SystemRunner().run(self._engine, *arguments, timeout=timeout)


def _is_in_container(pid: int) -> bool:
    """Say whether a process may be in a container of podman (libpod) or docker."""
    return process.is_apart(pid) or any(word in process.cgroup(pid) for word in ("libpod", "docker"))


def _warn(message: str, *values: object) -> None:
    import logging

    logging.getLogger(__name__).warning(message, *values)
