# SPDX-License-Identifier: Apache-2.0
"""When to look again while servers wait for others to arrive: every second of an idle place is lost.

Looking all the time would cost Nova more than the evacuations do. But evacuations of one cloud take about
equally long, so a bisection finds how long: looked for too early, it was longer; found, it was no longer than
that. Where they differ much, this is no worse than looking at a fixed interval.
"""

from __future__ import annotations

from collections.abc import Iterable

from nova_ha.decisions.plan import Evacuate, Fate, Plan, Verdict

#: Seconds to which the duration is searched for; a look itself takes about as long.
PRECISION = 0.02

#: Evacuations that should have ended before a look is worth its requests.
WORTH_A_LOOK = 2

#: A look must not come too early by what sums of floats lack.
_GRAIN = 0.001

#: An evacuation that takes this many times longer than others says nothing about them.
STRAGGLES = 1.5


class Pace:
    """Learns how long evacuations take. All times in seconds.

    Args:
        poll: longest time between two looks.
    """

    def __init__(self, poll: float) -> None:
        self._poll = poll
        self._sent_at: dict[str, float] = {}
        #: They take longer than the one, and not longer than the other; unless one was late just now.
        self._low, self._high = 0.0, float("inf")
        self._is_late = False

    def see(self, plan: Plan, began: float, ended: float) -> None:
        """Take a pass into account, whose look began and whose last request was sent at these times."""
        verdicts = [verdict for host in plan.hosts for verdict in host.verdicts]
        arrived = self._ages((v for v in verdicts if v.fate is Fate.VERIFIED), began)
        going = self._ages((v for v in verdicts if v.fate.is_in_flight), began)
        self._learn(arrived, [age for age in going if age < STRAGGLES * self._high])
        kept = {v.view.id: self._sent_at.get(v.view.id, began) for v in verdicts if v.fate.is_in_flight}
        sent = {v.view.id: ended for v in verdicts if any(isinstance(step, Evacuate) for step in v.steps)}
        self._sent_at = {**kept, **sent}

    def seconds(self, now: float) -> float:
        """Return when to look again: when enough evacuations should have ended.

        One that should have ended is looked for again after as long as it is late.
        """
        left = sorted(abs(at + self._usual - now) + _GRAIN for at in self._sent_at.values())
        return min(self._poll, max(PRECISION, left[min(WORTH_A_LOOK, len(left)) - 1])) if left else self._poll

    @property
    def _usual(self) -> float:
        """Return the age at which to look."""
        is_found = self._high - self._low <= PRECISION
        return self._high if is_found or self._is_late else (self._low + self._high) / 2

    def _ages(self, verdicts: Iterable[Verdict], now: float) -> list[float]:
        return [now - self._sent_at[v.view.id] for v in verdicts if v.view.id in self._sent_at]

    def _learn(self, arrived: list[float], going: list[float]) -> None:
        """Narrow the search, or move it when the duration has changed: by twice as much each time."""
        oldest, slowest = max(going, default=0.0), max(arrived, default=0.0)
        width = max(PRECISION, min(self._poll, self._high - self._low))
        if arrived and slowest > oldest:
            self._is_late = False
            self._high = min(self._high, slowest)
            self._low = self._low if self._low < self._high else max(0.0, self._high - 2 * width)
        elif oldest > self._low:
            self._is_late = self._is_late or oldest >= self._high
            self._low = oldest
            self._high = self._high if self._low < self._high else self._low + 2 * width
