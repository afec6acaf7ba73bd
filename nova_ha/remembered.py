# SPDX-License-Identifier: Apache-2.0
"""Answers that need not be asked for again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from nova_ha.clock import Clock

_Kept = TypeVar("_Kept")


class Remembered(Generic[_Kept]):
    """The latest answer to a question, used as long as nothing has changed and it is young enough."""

    def __init__(self, clock: Clock, max_age: float) -> None:
        self._clock = clock
        self._max_age = max_age
        self._kept: tuple[object, float, _Kept] | None = None

    def get(self, circumstances: object, ask: Callable[[], _Kept]) -> _Kept:
        """Return the answer, asking when there is none for these circumstances or it is too old."""
        now = self._clock.monotonic()
        if self._kept is not None:
            seen, asked_at, answer = self._kept
            if seen == circumstances and now - asked_at < self._max_age:
                return answer
        answer = ask()
        self._kept = (circumstances, now, answer)
        return answer
