# SPDX-License-Identifier: Apache-2.0
"""Which way nova-compute is run on this node: as a unit, as a plain process, in a container.

What was started is remembered, so that it is watched and stopped the same way, whatever an admin has changed
or installed since. The monitor imports this module: it needs ``os`` only, and no setting that is not in the
environment.
"""

from __future__ import annotations

import os

from nova_ha import process
from nova_ha.agents import rundir
from nova_ha.compute import units
from nova_ha.compute.plain_process import PlainProcess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from nova_ha.compute.compute_service import ComputeService

AUTO, PROCESS, SYSTEMD, PODMAN, DOCKER = "auto", "process", "systemd", "podman", "docker"
CHOICES = (AUTO, PROCESS, SYSTEMD, PODMAN, DOCKER)

_BINARY = "/usr/bin/nova-compute"
_CONTAINER = "nova_compute"
_LOG_FOLDER = "/var/log/nova-ha"
#: Parameters that mean something to a plain process only; whoever sets one wants that.
_OF_PROCESSES = ("binary", "additional_parameters")


class Way:
    """How a resource's nova-compute is run.

    Args:
        environ: the environment of the action.
        instance: name of the resource.
    """

    def __init__(self, environ: Mapping[str, str], instance: str) -> None:
        self._environ = environ
        self._instance = instance
        self._directory = rundir.of_instance(instance)
        self._file = f"{self._directory.path}/run_as"

    def chosen(self) -> tuple[str, str]:
        """Return how it shall be started, and the name of the unit or container.

        A container is never chosen by itself: without its engine nobody knows whether it is there.
        """
        word = self._given("run_as").lower() or AUTO
        if word == AUTO:
            word = SYSTEMD if self._prefers_systemd() else PROCESS
        if word == SYSTEMD:
            return word, self._unit()
        return word, "" if word == PROCESS else self._given("container") or _CONTAINER

    def remembered(self) -> tuple[str, str] | None:
        """Return how it was started; None when it was not."""
        try:
            with open(self._file, encoding="utf-8") as file:
                word, _, name = file.read().strip().partition(" ")
        except (FileNotFoundError, NotADirectoryError):
            return None
        return word, name

    def remember(self, way: tuple[str, str]) -> None:
        """Remember how it is started."""
        self._directory.make()
        process.write_atomically(self._file, " ".join(way))

    def forget(self) -> None:
        """Forget it. Idempotent."""
        try:
            os.unlink(self._file)
        except FileNotFoundError:
            pass

    def service(self, way: tuple[str, str]) -> ComputeService:
        """Return what runs nova-compute that way."""
        word, name = way
        common = (self._given("pid") or self._directory.pid, self._given("binary") or _BINARY, self._instance)
        if word == SYSTEMD:
            from nova_ha.compute.systemd_unit import SystemdUnit

            return SystemdUnit(*common, name)
        if word in (PODMAN, DOCKER):
            from nova_ha.compute.container import Container

            return Container(*common, word, name)
        return PlainProcess(*common, self.output())

    def output(self) -> str:
        """Return the file to which a plain process's output is appended."""
        return f"{self._given('NOVA_HA_LOG', '') or _LOG_FOLDER}/nova-compute.log"

    def why_none(self) -> str | None:
        """Return why nothing can be chosen on this node when the admin has left it open; None when it can."""
        if (self._given("run_as").lower() or AUTO) != AUTO or self._wants_process() or self._given("unit"):
            return None
        found = units.installed(units.KNOWN) if units.has_systemd() else ()
        if len(found) > 1:
            return f"run_as=auto: there are {' and '.join(found)} on this node; set unit to the right one"
        if not found and not os.access(_BINARY, os.X_OK):
            return (
                f"run_as=auto: neither {' nor '.join(units.KNOWN)} nor {_BINARY} is on this node; "
                "set run_as, and unit, container or binary"
            )
        return None

    def _prefers_systemd(self) -> bool:
        """Say whether systemd runs this machine, and it is clear which of its units nova-compute is."""
        if not units.has_systemd() or self._wants_process():
            return False
        return bool(self._given("unit")) or len(units.installed(units.KNOWN)) == 1

    def _unit(self) -> str:
        given = self._given("unit")
        return units.full_name(given) if given else (*units.installed(units.KNOWN), units.KNOWN[0])[0]

    def _wants_process(self) -> bool:
        return any(map(self._given, _OF_PROCESSES))

    def _given(self, name: str, prefix: str = "OCF_RESKEY_") -> str:
        return self._environ.get(prefix + name, "").strip()
