# SPDX-License-Identifier: Apache-2.0
"""A simulated cloud in a process of its own, behind the real clients of the process that is measured.

    evacuator -> python-novaclient -> keystoneauth1 -> requests -> `Wire` -> pipe -> `nova_ha.testing`

So the time and the memory of the measured process hold everything that it needs for a real Nova but the
sockets, and nothing of the simulation. Both processes have the same virtual time: each request carries it.
"""

from __future__ import annotations

import io
import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import requests
from requests.adapters import BaseAdapter

from nova_ha import record
from nova_ha.clock import Clock
from nova_ha.testing.clock import VirtualClock
from nova_ha.testing.cloud import Cloud
from nova_ha.testing.event_log import EventLog
from nova_ha.testing.http_nova import Transport
from nova_ha.testing.hypervisors import Hypervisors
from nova_ha.testing.nova import SimulatedNova
from nova_ha.testing.startup import stop_compute

#: Seconds that an evacuation takes at however many at once, from the answer to the request until ``done``.
EVACUATION_SECONDS = 3.0
#: Seconds of `nova_ha.testing.evacuation` beside the start of the guest: cast, schedule, claim, finish.
_OTHER_STEPS = 1.1
#: Seconds from a request to its answer, half of them on the way there; what `nova_ha.testing` has as well.
LATENCY = 0.02


@dataclass(frozen=True)
class Size:
    """How large a cloud is.

    Attributes:
        failing: hosts that fail, all at once.
        servers_each: servers on each of these.
        healthy: other hosts.
        servers_elsewhere: servers on each of the others.
    """

    failing: int
    servers_each: int
    healthy: int
    servers_elsewhere: int = 0

    @property
    def failing_hosts(self) -> list[str]:
        """Return the names of the hosts that fail."""
        return [f"compute-{number}" for number in range(self.failing)]

    @property
    def hosts(self) -> list[str]:
        """Return the names of all hosts."""
        return [f"compute-{number}" for number in range(self.failing + self.healthy)]

    @property
    def servers(self) -> int:
        """Return how many servers are to be evacuated."""
        return self.failing * self.servers_each


@dataclass(frozen=True)
class CloudReport:
    """What the cloud has seen.

    Attributes:
        first_request: second at which Nova accepted the first evacuation.
        last_arrival: second at which the last server had arrived.
        evacuated: servers that are on another host.
        wrong: what must never have happened.
    """

    first_request: float
    last_arrival: float
    evacuated: int
    wrong: list[str]


class CloudProcess:
    """The other end of the pipe; a context manager.

    Args:
        size: how large the cloud is.
        fenced_at: time in the marker that ``fence_compute`` has left in Nova.
    """

    def __init__(self, size: Size, fenced_at: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, size, fenced_at), daemon=True)

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid or 0

    def __enter__(self) -> CloudProcess:  # noqa: PYI034 - "Self" is newer than Python 3.9
        """Start the process and wait until the cloud is built."""
        self._process.start()
        self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._pipe.send(None)
        self._process.join()

    def ask(self, *question: Any) -> Any:  # noqa: ANN401 - whatever passes through the pipe
        """Return the answer to a request, or a `CloudReport`."""
        self._pipe.send(question)
        return self._pipe.recv()


class Wire(BaseAdapter):
    """Stands for sockets and servers; mounted into the sessions of the real clients.

    Attributes:
        requests: ``METHOD path`` of every request, those to Keystone too.
    """

    def __init__(self, cloud: CloudProcess, clock: Clock) -> None:
        super().__init__()
        self._cloud = cloud
        self._clock = clock
        self.requests: list[str] = []

    def send(
        self, request: requests.PreparedRequest, *_arguments: object, **_named: object
    ) -> requests.Response:
        """Answer one request after its latency."""
        self.requests.append(f"{request.method} {request.path_url}")
        self._clock.sleep(LATENCY / 2)
        answer = self._cloud.ask(self._clock.monotonic(), request.method, request.url, request.body)
        self._clock.sleep(LATENCY / 2)
        response = requests.Response()
        response.status_code, headers, content = answer
        response.headers.update(headers)
        response.raw, response.request, response.url = io.BytesIO(content), request, str(request.url)
        return response

    def close(self) -> None:
        """Do nothing: there are no connections."""


def _serve(pipe: Connection, size: Size, fenced_at: str) -> None:
    """Answer requests until told to end."""
    clock = VirtualClock(limit=float("inf"))
    nova = _build(clock, size, fenced_at)
    transport = Transport(nova)
    pipe.send("ready")
    while (question := pipe.recv()) is not None:
        if question[0] == "report":
            pipe.send(_report(nova.cloud, size))
            continue
        moment, method, url, body = question
        clock.run_until(moment)
        answer = transport.send(requests.Request(method, url, data=body).prepare())
        pipe.send((answer.status_code, dict(answer.headers), answer.content))


class _Silent(EventLog):
    """Keeps no lines: nobody reads them here."""

    def add(self, source: str, text: str) -> None:
        """Do nothing."""


def _build(clock: VirtualClock, size: Size, fenced_at: str) -> SimulatedNova:
    """Build a cloud in which some hosts have failed, and ``fence_compute`` has told Nova so."""
    log = _Silent(clock)
    cloud = Cloud(clock, log, Hypervisors(clock, log))
    for number, host in enumerate(size.hosts):
        cloud.add_compute(host, spawn_seconds=EVACUATION_SECONDS - _OTHER_STEPS)
        count = size.servers_each if number < size.failing else size.servers_elsewhere
        for one in range(count):
            cloud.add_server(f"{host}-server-{one}", host)
    for host in size.failing_hosts:
        stop_compute(cloud, host)
        cloud.hypervisors.power_cut(host)
        failed = cloud.computes[host]
        failed.forced_down, failed.disabled = True, True
        failed.disabled_reason = record.marker_reason(fenced_at)
    nova = SimulatedNova(cloud)
    nova.faults.latency = 0.0
    return nova


def _report(cloud: Cloud, size: Size) -> CloudReport:
    failing = set(size.failing_hosts)
    begin = cloud.clock.now() - cloud.clock.monotonic()
    done = [found for found in cloud.records if found.status == "done"]
    return CloudReport(
        first_request=min((found.created_at for found in cloud.records), default=begin) - begin,
        last_arrival=max((found.updated_at for found in done), default=begin) - begin,
        evacuated=sum(1 for found in done if cloud.servers[found.server_id].host not in failing),
        wrong=[str(violation) for violation in cloud.hypervisors.violations],
    )
