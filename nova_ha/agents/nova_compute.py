# SPDX-License-Identifier: Apache-2.0
"""The agent ``ocf:openstack:NovaCompute``: run nova-compute, but only when that is safe.

The monitor imports what this module imports at its top, and nothing else.
"""

from __future__ import annotations

import time

from nova_ha.agents import ocf, rundir
from nova_ha.compute.run_as import Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nova_ha.agents.ocf_metadata import Description
    from nova_ha.compute.compute_service import ComputeService
    from nova_ha.compute.compute_watch import Watch
    from nova_ha.runner import Identity, Runner
    from nova_ha.settings.option import Value

#: A nova-compute that cannot read its configuration or has no hypervisor ends within this time.
_SURVIVAL = 3.0
#: Seconds of a start's time that are kept for the start proper, after the waiting.
_START_MARGIN = 10.0
#: Seconds of a stop's time that are kept for killing what has not ended by itself.
_STOP_MARGIN = 15.0
_GATE_POLL = 1.0
#: OCF_CHECK_LEVEL of the thorough checks (OCF's own number).
_THOROUGH = 10


class NovaCompute(ocf.Agent):
    """Runs nova-compute on a compute node."""

    name = "NovaCompute"

    @property
    def way(self) -> Way:
        """Return how nova-compute is run here."""
        return Way(self.environ, self.instance)

    @property
    def service(self) -> ComputeService:
        """Return what runs nova-compute: what was started, else what would be."""
        way = self.way
        return way.service(way.remembered() or way.chosen())

    def monitor(self) -> int:
        """Say whether nova-compute runs; a probe costs no more. At level 10, whether it can work."""
        service = self.service
        pid = service.running()
        if pid is None:
            if service.was_started():
                ocf.exit_reason(f"nova-compute has died; its last words are in {self._last_words(service)}")
            return ocf.NOT_RUNNING
        return self._health(service, pid) if ocf.check_level(self.environ) >= _THOROUGH else ocf.SUCCESS

    def start(self) -> int:
        """Start nova-compute once no recovery of this host is open."""
        from nova_ha.compute import compute_checks
        from nova_ha.runner import SystemRunner

        if self.service.running() is not None:
            return ocf.SUCCESS
        begin = time.monotonic()
        runner = SystemRunner()
        settings, node = self.settings(), self._node(runner)
        chosen, identity = compute_checks.chosen_here(self.way, settings)
        service = self.way.service(chosen)
        compute_checks.check_name(settings, node, service, identity)
        self._warn_if_unsafe(service)
        self._wait_for_recovery(runner, node)
        self.way.remember(chosen)
        if self._adopt_leftover(service):
            return ocf.SUCCESS
        self._watch(service, runner, node, settings).remember_wedged()
        return self._launch(service, settings, identity, begin)

    def stop(self) -> int:
        """Stop nova-compute, and say so only if it is gone; guests go on running."""
        left = self.service.stop(max(1.0, self.timeout - _STOP_MARGIN))
        if left:
            raise ocf.Failed(
                ocf.ERR_GENERIC, f"nova-compute (process {left[0]}) does not end, not even when killed"
            )
        self.way.forget()
        self.log("nova-compute is stopped")
        return ocf.SUCCESS

    def validate(self, level: int) -> None:
        """Raise what is wrong with the parameters; level 10 looks for what they name on this machine."""
        settings = self.settings()
        if level < _THOROUGH:
            return
        from nova_ha.compute import compute_checks

        chosen, _ = compute_checks.chosen_here(self.way, settings)
        unsafe = self.way.service(chosen).why_unsafe()
        if unsafe is not None:
            raise ocf.Failed(ocf.ERR_ARGS, unsafe)

    def description(self) -> Description:
        """Return what the metadata says, apart from the parameters."""
        from nova_ha.agents.ocf_metadata import Action, Description

        return Description(
            summary="Runs nova-compute when that is safe",
            text=_TEXT,
            actions=(
                Action("start", 120),
                Action("stop", 240),
                Action("monitor", 30, interval=10),
                Action("monitor", 60, interval=60, depth=_THOROUGH),
                Action("validate-all", 30),
                Action("meta-data", 10),
            ),
        )

    def _health(self, service: ComputeService, pid: int) -> int:
        """Return the exit code for a nova-compute whose process lives."""
        from nova_ha.agents import ocf_log
        from nova_ha.errors import ConfigurationError
        from nova_ha.runner import SystemRunner

        ocf_log.set_up(self.name, self.instance, self.environ)
        runner = SystemRunner()
        try:
            watch = self._watch(service, runner, self._node(runner), self.settings())
        except (ocf.Failed, ConfigurationError) as error:
            self.log("nova-compute is not looked at: %s", error)
            return ocf.SUCCESS
        reason = watch.why_unhealthy(pid)
        if reason is not None:
            ocf.exit_reason(reason)
            return ocf.ERR_GENERIC
        unsafe = watch.why_unsafe()
        if unsafe is not None:
            ocf.exit_reason(unsafe)
            return ocf.DEGRADED
        return ocf.SUCCESS

    def _last_words(self, service: ComputeService) -> str:
        from nova_ha.compute import last_words
        from nova_ha.errors import ConfigurationError

        try:
            return last_words.places(self.settings(), service)
        except ConfigurationError:
            return service.last_words

    def _watch(self, service: ComputeService, runner: Runner, node: str, settings: dict[str, Value]) -> Watch:
        from nova_ha.compute.compute_watch import Watch

        log_file = settings["log_file"]
        return Watch(
            service=service,
            directory=rundir.of_instance(self.instance),
            runner=runner,
            node=node,
            log_silence=float(settings["log_silence"] or 0),
            log_file=None if log_file is None else str(log_file),
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
        from nova_ha.compute.gate import why_closed

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

    def _adopt_leftover(self, service: ComputeService) -> bool:
        """Take over a nova-compute that this resource started and forgot; refuse to start a second one.

        Raises:
            Failed: somebody else runs one; two would fight over the guests.
        """
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

    def _warn_if_unsafe(self, service: ComputeService) -> None:
        """Log what else would start nova-compute: no reason to keep the host out of service now."""
        unsafe = service.why_unsafe()
        if unsafe is not None:
            import logging

            logging.getLogger(__name__).warning("%s", unsafe)

    def _launch(
        self, service: ComputeService, settings: dict[str, Value], identity: Identity | None, begin: float
    ) -> int:
        from nova_ha.compute import compute_checks, last_words
        from nova_ha.compute.launch import Launch

        launch = Launch(
            command=compute_checks.command(settings),
            output=self.way.output(),
            log=last_words.own_log(settings, service),
            identity=identity,
            survival=_SURVIVAL,
            patience=max(_START_MARGIN, self.timeout - _START_MARGIN - (time.monotonic() - begin)),
        )
        failure = service.start(launch)
        if failure is not None:
            raise ocf.Failed(ocf.ERR_GENERIC, f"nova-compute ended at once, {failure}")
        self.log("nova-compute started, process %s", service.running())
        return ocf.SUCCESS


_TEXT = """\
Runs nova-compute on a compute node: as a unit of systemd, in a container, or
as a plain process (run_as). The start waits for the recovery of this host to
be complete, because nova-compute destroys, when it starts, the guests that are
being evacuated from its host. No credentials are needed: the state of the
recovery is read from Pacemaker.

Make it a clone on compute nodes with meta requires=unfencing: then it is not
started at all before the recovery is complete. With meta failure-timeout=60s
a start that has waited in vain is tried again, else Pacemaker waits for an
admin. Stopping it leaves the guests running; a stop that fails gets the node
fenced.

A second monitor with OCF_CHECK_LEVEL=10 looks whether nova-compute can work.
It fails when the connection to RabbitMQ is lost though a broker answers, when
the log that was written regularly is silent, and when the evacuator says that
Nova gets no heartbeats. What cannot be seen is no failure: while RabbitMQ or
the control plane is away nothing is restarted. It says degraded while something
else would start nova-compute at boot, before the recovery: an enabled unit, a
container's restart policy."""
