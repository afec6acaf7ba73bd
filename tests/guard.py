# SPDX-License-Identifier: Apache-2.0
"""Keep tests away from the world: no network, no other process, no waiting, no file outside of their folders.

Python's audit events see every way to a socket, a process or a file, also one that a library takes in C or
that was imported under another name before the test began. A blocked attempt raises an exception that no
``except Exception`` swallows, and is remembered, so that the test fails even if something swallowed it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parent.parent
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_NETWORK = frozenset(
    f"socket.{call}" for call in ("bind", "connect", "getaddrinfo", "gethostbyname", "sendmsg", "sendto")
)
_PROCESS = frozenset(
    ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen")
)
_SLEEP = "time.sleep"
_FILES = frozenset(("open", "os.mkdir"))
_LOOPBACK = ("127.", "::1", "localhost")

#: What a test may do, by its marker. What runs outside of a test may do everything.
EVERYTHING = frozenset(("network", "process", "time", "files"))
PERMITS = {
    "conformance": frozenset(("process", "time")),
    "contract": EVERYTHING,
    "lab": EVERYTHING,
    "loopback": frozenset(("loopback",)),
    "packages": frozenset(("process", "time")),
    "real_subprocess": frozenset(("process",)),
    "real_time": frozenset(("time",)),
}


class Guard:
    """The state of the guard: what the running test may do, and what it tried beyond that."""

    def __init__(self) -> None:
        self.permits = EVERYTHING
        self.blocked: list[str] = []
        self._busy = threading.local()
        self._sleep = time.sleep

    def install(self) -> None:
        """Watch from now on; an audit hook stays until the interpreter ends."""
        # Its first call opens files under a lock: the hook, which asks for it, too, would wait for ever.
        tempfile.gettempdir()
        sys.addaudithook(self._watch)
        # Only Python 3.11 and later tell of a sleep by an audit event.
        time.sleep = self._guarded_sleep

    @contextlib.contextmanager
    def only(self, markers: set[str]):
        """Permit what these markers permit, and nothing else, while the context lasts."""
        before, self.permits = self.permits, frozenset().union(*(PERMITS.get(m, ()) for m in markers))
        self.blocked.clear()
        try:
            yield
        finally:
            self.permits = before

    @contextlib.contextmanager
    def expected(self, what: str):
        """Assert that the block tries ``what`` (network, process, time, files) and is kept from it."""
        with pytest.raises(pytest.fail.Exception, match=f"blocked: {what}"):
            yield
        self.blocked.clear()

    def _guarded_sleep(self, seconds: float) -> None:
        self._check("time", "sleep", seconds)
        self._sleep(seconds)

    def _watch(self, event: str, arguments: tuple) -> None:
        if self.permits == EVERYTHING or getattr(self._busy, "checking", False):
            return
        if event in _NETWORK:
            self._check_network(event, arguments)
        elif event in _PROCESS:
            self._check("process", event, arguments[0] if arguments else "")
        elif event == _SLEEP:
            self._check("time", event, arguments[0])
        elif event in _FILES and _is_outside(event, arguments):
            self._check("files", event, arguments[0])

    def _check_network(self, event: str, arguments: tuple) -> None:
        if "loopback" not in self.permits or not _is_loopback(event, arguments):
            self._check("network", event, arguments[-1] if _takes_socket(event) else arguments[0])

    def _check(self, what: str, event: str, detail: object) -> None:
        if what in self.permits:
            return
        message = f"blocked: {what}: {event} {detail!r}; mark the test if it must (tests/guard.py)"
        self.blocked.append(message)
        self._busy.checking = True
        try:
            pytest.fail(message)
        finally:
            self._busy.checking = False


def _takes_socket(event: str) -> bool:
    return event not in ("socket.getaddrinfo", "socket.gethostbyname")


def _is_loopback(event: str, arguments: tuple) -> bool:
    """Tell whether the address of a socket call lies in this machine; a unix socket's address is a path."""
    address = arguments[1] if _takes_socket(event) else arguments
    if address is None or isinstance(address, (str, bytes)):
        return True
    host = address[0]
    return host is None or str(host).startswith(_LOOPBACK)


def _is_outside(event: str, arguments: tuple) -> bool:
    """Tell whether a file is about to be made outside of the checkout and the temporary folder."""
    path = arguments[0]
    if not isinstance(path, (str, bytes, os.PathLike)) or (event == "open" and not arguments[2] & _WRITING):
        return False
    # The lexical path: to ask the disk from an audit hook would be one more event per file.
    absolute = Path(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 (resolve() asks the disk)
    roots = (_CHECKOUT, Path(tempfile.gettempdir()), Path("/dev"), Path(sys.prefix))
    return not any(root == absolute or root in absolute.parents for root in roots)


GUARD = Guard()
