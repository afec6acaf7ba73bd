# SPDX-License-Identifier: Apache-2.0
"""Start services of the control plane in the order of their needs, and stop them again by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from tests.lab.errors import LabError

from . import names
from .fabric import Fabric, answers, listens
from .services import Places, Service, control_plane, environment

READY_SECONDS = 90.0
# Writes its process id in the fabric's own numbering, which the caller of nsenter cannot see.
_WITH_PID_FILE = ("/bin/sh", "-c", 'echo $$ >"$0"; exec "$@"')
_END = Path(__file__).parent / "processes.py"


class Runner:
    """The services of one control plane and what can be done with each of them.

    Attributes:
        seconds: how long each service took from its start until it was ready.
    """

    def __init__(self, fabric: Fabric, places: Places):
        self.fabric = fabric
        self.places = places
        self.services = control_plane(places)
        self.seconds: dict[str, float] = {}

    def start(self, name: str) -> None:
        """Start one service and wait until it is ready.

        Raises:
            LabError: no such service, or it was not ready in time.
        """
        service = self._service(name)
        if not self.is_running(name):
            self._start_one(service, Event())

    def stop(self, name: str, *, kill: bool = False) -> None:
        """End one service, with SIGKILL at once if `kill`; everything else keeps running.

        Raises:
            LabError: no such service.
        """
        service = self._service(name)
        grace = "0" if kill else str(service.stop_seconds)
        self.fabric.run_fabric("/usr/bin/python3", str(_END), grace, str(self._pid_file(name)))

    def kill_all(self) -> None:
        """Kill every service at once."""
        pid_files = [str(path) for path in self.places.state.glob("*.pid") if path.stem in self.services]
        self.fabric.run_fabric("/usr/bin/python3", str(_END), "0", *pid_files)

    def is_running(self, name: str) -> bool:
        """Say whether the service's process exists."""
        pid_file = self._pid_file(self._service(name).name)
        script = 'p=$(cat "$0") && kill -0 "$p" && ! grep -qs "^State:.Z" "/proc/$p/status" && echo alive; :'
        return "alive" in self.fabric.run_fabric("/bin/sh", "-c", script, str(pid_file)).stdout

    def _service(self, name: str) -> Service:
        if name not in self.services:
            raise LabError(f"no service is called '{name}': use one of {', '.join(sorted(self.services))}")
        return self.services[name]

    def _pid_file(self, name: str) -> Path:
        return self.places.state / f"{name}.pid"

    def start_many(self, services: Iterable[Service]) -> None:
        """Start services, each as soon as what it needs is ready; return once all are.

        Raises:
            LabError: a service was not ready in time; the text names it and its log.
        """
        wanted = list(services)
        ready = {service.name: Event() for service in wanted}
        failed = Event()

        def bring_up(service: Service) -> None:
            for need in service.needs:
                if need in ready:
                    ready[need].wait(READY_SECONDS)
            if not failed.is_set():
                self._start_one(service, ready[service.name])

        def guarded(service: Service) -> None:
            try:
                bring_up(service)
            except BaseException:
                failed.set()
                raise
            finally:
                ready[service.name].set()

        with ThreadPoolExecutor(len(wanted)) as pool:
            for future in [pool.submit(guarded, service) for service in wanted]:
                future.result()

    def _start_one(self, service: Service, listening: Event) -> None:
        began = time.monotonic()
        seen = self._log_size(service)
        argv = (*_WITH_PID_FILE, str(self._pid_file(service.name)), *service.argv)
        process = self.fabric.popen_fabric(list(argv), service.name, environment(service))

        def wait_for(condition: Callable[[], bool]) -> None:
            while not condition():
                ended = process.poll() is not None
                if ended or time.monotonic() > began + READY_SECONDS:
                    what = "ended at once" if ended else f"was not ready after {READY_SECONDS:.0f} s"
                    raise LabError(f"service {service.name} {what}: see {self._log(service)}")
                time.sleep(0.1)

        wait_for(lambda: self._listens(service, seen))
        listening.set()
        wait_for(lambda: self._answers(service))
        self.seconds[service.name] = time.monotonic() - began

    def _listens(self, service: Service, seen: int) -> bool:
        if service.port is not None:
            ports = [port for port in (service.port, service.tls_port) if port is not None]
            return all(listens(self.fabric, (names.FABRIC, port)) for port in ports)
        log = self._log(service)
        if not log.exists():
            return False
        with log.open("rb") as file:
            file.seek(seen)
            return service.ready_text.encode() in file.read()

    def _answers(self, service: Service) -> bool:
        return not service.web or service.port is None or answers(self.fabric, (names.FABRIC, service.port))

    def _log(self, service: Service) -> Path:
        return self.fabric.logs / f"{service.name}.log"

    def _log_size(self, service: Service) -> int:
        log = self._log(service)
        return log.stat().st_size if log.exists() else 0
