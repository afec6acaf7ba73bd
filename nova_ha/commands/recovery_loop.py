# SPDX-License-Identifier: Apache-2.0
"""Run the evacuator's loop inside of a command until a host has come to its end, and tell about it."""

from __future__ import annotations

import signal
import threading
from typing import Any, Callable

from nova_ha.clock import Clock
from nova_ha.decisions.plan import Fate, HostPlan, Verdict
from nova_ha.errors import ClusterError
from nova_ha.evacuation.dispatch import Dispatcher
from nova_ha.evacuation.evacuator import Evacuator

#: Between two looks whether somebody has pressed Ctrl-C, seconds.
_GLANCE = 0.2

#: How long answers to requests that are on their way are waited for at the end, as in
#: `nova_ha.evacuator_main`.
_LAST_ANSWERS = 20.0

#: Not worth a line of their own each.
_QUIET = (Fate.WAITING, Fate.READY, Fate.ASKED)


class Interrupted(KeyboardInterrupt):
    """Somebody has ended the loop; everything that is under way in Nova goes on."""


class Teller:
    """Tells what is new about hosts and servers, one line each; a `evacuation.evacuator.StatusSink`, too.

    Args:
        say: prints a line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._hosts: dict[str, str] = {}
        self._servers: dict[str, str] = {}
        self._troubles: frozenset[str] = frozenset()
        self.verdicts: dict[str, tuple[Verdict, ...]] = {}

    def tell(self, plan: HostPlan) -> None:
        """Tell what is new in a plan."""
        if plan.verdicts:
            self.verdicts[plan.view.host] = plan.verdicts
        for verdict in plan.verdicts:
            if verdict.fate not in _QUIET and self._servers.get(verdict.view.id) != verdict.sentence:
                self._say(f"  {verdict.sentence}")
            self._servers[verdict.view.id] = verdict.sentence
        progress = f" {plan.progress}" if plan.verdicts else ""
        text = f"{plan.view.host}: {plan.state.word}{progress}{f' ({plan.reason})' if plan.reason else ''}"
        if self._hosts.get(plan.view.host) != text:
            self._hosts[plan.view.host] = text
            self._say(text)

    def write(self, troubles: tuple[str, ...]) -> None:
        """Tell a trouble when it begins."""
        for trouble in troubles:
            if trouble not in self._troubles and trouble not in self._servers.values():
                self._say(f"attention: {trouble}")
        self._troubles = frozenset(troubles)

    def beat(self) -> None:
        """Do nothing: nobody watches over a person's command."""


class RecoveryLoop:
    """Passes of an evacuator until something is the case.

    Args:
        evacuator: the evacuator.
        dispatcher: what sends its requests.
        teller: tells a person.
        clock: time.
    """

    def __init__(self, evacuator: Evacuator, dispatcher: Dispatcher, teller: Teller, clock: Clock) -> None:
        self._evacuator = evacuator
        self._dispatcher = dispatcher
        self._teller = teller
        self._clock = clock
        self._stopping = threading.Event()

    def run(self, is_over: Callable[[], bool]) -> None:
        """Make passes until it is over.

        Raises:
            Interrupted: somebody has ended it before; answers that were under way have been written down.
        """
        before = self._catch_signals()
        try:
            while not self._stopping.is_set():
                pause = self._evacuator.cycle()
                for plan in self._evacuator.plan.hosts:
                    self._teller.tell(plan)
                if _or_false(is_over):
                    return
                self._wait(pause)
            raise Interrupted
        finally:
            self._take_last_answers()
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self, *_: object) -> None:
        """End the loop after the pass that is under way."""
        self._stopping.set()

    def _wait(self, seconds: float) -> None:
        end = self._clock.monotonic() + seconds
        while not self._stopping.is_set() and (left := end - self._clock.monotonic()) > 0:
            self._clock.sleep(min(_GLANCE, left))

    def _catch_signals(self) -> dict[signal.Signals, Any]:
        """Let Ctrl-C end the loop between two passes; signals are the main thread's."""
        if threading.current_thread() is not threading.main_thread():
            return {}
        return {n: signal.signal(n, self.stop) for n in (signal.SIGINT, signal.SIGTERM)}

    def _take_last_answers(self) -> None:
        """Write down the answers that still come, so that whoever goes on need not wait for their traces."""
        end = self._clock.monotonic() + _LAST_ANSWERS
        while self._dispatcher.outstanding() and self._clock.monotonic() < end:
            self._clock.sleep(_GLANCE)
            self._evacuator.take_answers()


def _or_false(is_over: Callable[[], bool]) -> bool:
    """Ask; what Pacemaker does not tell is not over (rule R3)."""
    try:
        return is_over()
    except ClusterError:
        return False
