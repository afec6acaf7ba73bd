# SPDX-License-Identifier: Apache-2.0
"""What the OpenStack half needs of the lab: a place to run processes in, and a way into its network."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.lab.errors import LabError

CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class Fabric(Protocol):
    """The namespaces in which the control plane runs; the lab is one, HereFabric another."""

    directory: Path
    logs: Path

    @property
    def fabric_pid(self) -> int:
        """Process id of the fabric's first process, as this process sees it."""

    def popen_fabric(self, argv: list[str], name: str, env: Mapping[str, str] | None = None) -> Any:
        """Start a process of the control plane, its output in `<logs>/<name>.log`."""

    def wait_until(self, what: str, condition: Callable[[], Any], timeout: float = 60) -> Any:
        """Ask until the answer is true; raise LabError after `timeout` seconds."""

    def run_fabric(self, *argv: str) -> Any:
        """Run a command in the fabric and return what it said."""


class HereFabric:
    """A fabric for preparing and developing: the namespaces this process is already in."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.logs = directory / "logs"
        self.fabric_pid = os.getpid()
        self.logs.mkdir(parents=True, exist_ok=True)

    def popen_fabric(
        self, argv: list[str], name: str, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with (self.logs / f"{name}.log").open("ab") as output:
            return subprocess.Popen(
                argv, env=dict(env) if env else None, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def run_fabric(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    def wait_until(self, what: str, condition: Callable[[], Any], timeout: float = 60) -> Any:
        deadline = time.monotonic() + timeout
        while not (answer := condition()):
            if time.monotonic() > deadline:
                raise LabError(f"waited {timeout:.0f} s in vain: {what}")
            time.sleep(0.2)
        return answer


@contextmanager
def network_of(fabric: Fabric) -> Iterator[None]:
    """Let this thread create its sockets in the fabric's network.

    A socket keeps the network namespace it was created in, so entering it for the moment of creation is
    enough, and every other thread stays where it is. One system call each way, where nsenter costs a process.
    """
    with Path("/proc/thread-self/ns/net").open() as own, _namespace(fabric.fabric_pid) as theirs:
        _enter(theirs)
        try:
            yield
        finally:
            _enter(own.fileno())


@contextmanager
def _namespace(pid: int) -> Iterator[int]:
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, CLONE_NEWNET):
        error = ctypes.get_errno()
        raise OSError(error, f"cannot enter the lab's network (thread {threading.get_ident()}): needs root")


def listens(fabric: Fabric, address: tuple[str, int], timeout: float = 2.0) -> bool:
    """Say whether something accepts connections at an address of the fabric."""
    try:
        with network_of(fabric), socket.create_connection(address, timeout):
            return True
    except OSError:
        return False


def answers(fabric: Fabric, address: tuple[str, int], timeout: float = 5.0) -> bool:
    """Say whether a web service answers a request within `timeout` seconds, whatever it answers."""
    request = f"GET / HTTP/1.0\r\nHost: {address[0]}\r\n\r\n".encode()
    try:
        with network_of(fabric):
            connection = socket.create_connection(address, timeout)
        with connection:
            connection.settimeout(timeout)
            connection.sendall(request)
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False
