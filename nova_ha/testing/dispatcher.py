# SPDX-License-Identifier: Apache-2.0
"""Sends requests beside the evacuator, on the virtual clock, as the product's threads do on the real one."""

from __future__ import annotations

from typing import Callable

from nova_ha.evacuation.dispatch import Answer
from nova_ha.testing.clock import Actor, VirtualClock


class ActorDispatcher:
    """A `nova_ha.evacuation.dispatch.Dispatcher` whose requests are actors; at most `width` run at once."""

    def __init__(self, clock: VirtualClock, width: int = 8) -> None:
        self._clock = clock
        self._width = width
        self._waiting: list[tuple[str, Callable[[], str]]] = []
        self._running: dict[str, Actor] = {}
        self._answers: list[Answer] = []

    def send(self, key: str, request: Callable[[], str]) -> None:
        """Send a request as soon as its turn comes."""
        if key in self.outstanding():
            raise ValueError(f"a request for {key} is on its way already")
        self._waiting.append((key, request))
        self._begin()

    def outstanding(self) -> frozenset[str]:
        """Return the keys whose answers were not fetched yet."""
        return frozenset(
            [*self._running, *(key for key, _ in self._waiting), *(a.key for a in self._answers)]
        )

    def answers(self) -> tuple[Answer, ...]:
        """Return the answers that came since the last call."""
        answers, self._answers = tuple(self._answers), []
        return answers

    def actors(self) -> list[Actor]:
        """Return the requests under way, so that they can die with the evacuator."""
        return list(self._running.values())

    def _begin(self) -> None:
        while self._waiting and len(self._running) < self._width:
            key, request = self._waiting.pop(0)
            self._running[key] = self._clock.spawn(self._task(key, request))

    def _task(self, key: str, request: Callable[[], str]) -> Callable[[], None]:
        def run() -> None:
            answer = _answer(key, request)
            del self._running[key]
            self._answers.append(answer)
            self._begin()

        return run


def _answer(key: str, request: Callable[[], str]) -> Answer:
    try:
        return Answer(key, request_id=request())
    except Exception as error:  # noqa: BLE001 - as in the product: every error is part of the answer
        return Answer(key, error=error)
