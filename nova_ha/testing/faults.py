# SPDX-License-Identifier: Apache-2.0
"""Faults of the simulated API: which call goes wrong, when, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable, TypeVar

from nova_ha.testing.clock import VirtualClock

T = TypeVar("T")

READS = frozenset(
    {"services", "servers", "server", "evacuations", "attempts", "server_groups", "conductors_up"}
)
ACTIONS = frozenset({"evacuate", "stop", "hard_reboot", "reset_to_error"})
WRITES = ACTIONS | {"tell_down", "clear_forced_down", "disable", "enable"}

#: Every kind of fault but ``http-NNN`` and ``http-NNN-after``, with its meaning.
KINDS = {
    "unreachable": "the connection fails, nothing is sent",
    "timeout": "no answer within `seconds`, and no effect",
    "timeout-after": "no answer within `seconds`, but the request had its effect",
    "timeout-late": "no answer within `seconds`, and the effect comes `delay` seconds after it was given up",
    "ok-nothing": "HTTP 200, and no effect",
    "in-use": "HTTP 400: compute service is still in use",
    "empty": "a list is empty",
    "unfiltered": "the host filter is dropped: the servers of all hosts are in the answer",
    "no-host": "the host attribute is missing",
    "slow": "the answer takes `seconds`",
}
#: What the client library says of a connection has its URL in it, and that any words: these mean something
#: in Nova's own answers (`nova_ha.decisions.faults.can_never_move`).
URL = "https://nova.shared.example"

_HTTP = re.compile(r"http-(\d\d\d)(-after)?")


class ApiError(Exception):
    """An answer of the API that is an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Unreachable(Exception):
    """The connection could not be made."""


class TimedOut(Exception):
    """The request was sent; no answer came."""


@dataclass
class Fault:
    """One thing that goes wrong.

    Attributes:
        call: name of a method of `nova_ha.ports.NovaPort`, or ``*``, ``reads``, ``writes``.
        kind: one of `KINDS`, or ``http-NNN`` (no effect), or ``http-NNN-after`` (with effect).
        first: the first matching call that it hits, counted from 1.
        last: the last one.
        since: second at which it begins.
        until: second at which it ends.
        subject: server id or host name of the call; None for all.
        seconds: how long the answer takes.
        delay: see ``timeout-late``.
    """

    call: str
    kind: str
    first: int = 1
    last: float = float("inf")
    since: float = 0.0
    until: float = float("inf")
    subject: str | None = None
    seconds: float = 30.0
    delay: float = 60.0
    seen: int = 0

    def __post_init__(self) -> None:
        """Refuse a word that means nothing, so that a misspelt fault cannot make a test pass."""
        if self.kind not in KINDS and not _HTTP.fullmatch(self.kind):
            raise ValueError(f"unknown kind of fault: {self.kind}")
        if self.call not in READS | WRITES | {"*", "reads", "writes"}:
            raise ValueError(f"unknown call: {self.call}")

    def hits(self, call: str, subject: str | None, now: float) -> bool:
        """Say whether a call fails; counts the calls that it could hit."""
        sort = "reads" if call in READS else "writes"
        if self.call not in ("*", sort, call) or self.subject not in (None, subject):
            return False
        if not self.since <= now < self.until:
            return False
        self.seen += 1
        return self.first <= self.seen <= self.last


class FaultPlan:
    """All faults of a world; `latency` is how long every answer takes."""

    def __init__(self, clock: VirtualClock, latency: float = 0.02) -> None:
        self._clock = clock
        self.latency = latency
        self.faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        self.faults.append(fault)

    def clear(self) -> None:
        """Mend everything."""
        self.faults.clear()

    def run(
        self,
        call: str,
        subject: str | None,
        effect: Callable[[], T],
        nothing: Callable[[], T],
        twisted: Mapping[str, Callable[[], T]],
    ) -> T:
        """Run one call of the API, with what goes wrong in it.

        Args:
            call: its name.
            subject: the server id or host name that it is about.
            effect: what it does.
            nothing: its answer when it does nothing.
            twisted: what it does under a fault that changes the answer only.

        Raises:
            ApiError: the answer is an error.
            Unreachable: nothing was sent.
            TimedOut: no answer came.
        """
        fault = next((f for f in self.faults if f.hits(call, subject, self._clock.monotonic())), None)
        self._clock.sleep(self.latency)
        if fault is None:
            return effect()
        if fault.kind in twisted:
            return twisted[fault.kind]()
        return self._fail(fault, effect, nothing)

    def _fail(self, fault: Fault, effect: Callable[[], T], nothing: Callable[[], T]) -> T:
        if fault.kind == "unreachable":
            raise Unreachable("connection refused")
        if fault.kind == "slow":
            self._clock.sleep(fault.seconds)
            return effect()
        if fault.kind.startswith("timeout"):
            self._time_out(fault, effect)
        if fault.kind == "in-use":
            raise ApiError(400, "Compute service of the host is still in use.")
        answer = _HTTP.fullmatch(fault.kind)
        if answer is not None:
            if answer.group(2):
                effect()
            raise ApiError(int(answer.group(1)), "injected fault")
        return nothing()

    def _time_out(self, fault: Fault, effect: Callable[[], T]) -> None:
        if fault.kind == "timeout-after":
            effect()
        try:
            self._clock.sleep(fault.seconds)
        finally:
            # Also when its sender was killed, which gives the answer up earlier: the request is on its way.
            if fault.kind == "timeout-late":
                self._clock.after(fault.delay, lambda: _quietly(effect))
        raise TimedOut(f"read timeout of {URL}")


def _quietly(effect: Callable[[], object]) -> None:
    """Have an effect whose answer nobody waits for any more."""
    try:
        effect()
    except ApiError:
        return
