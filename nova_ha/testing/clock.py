# SPDX-License-Identifier: Apache-2.0
"""A virtual clock: hours pass in milliseconds, and the same run gives the same order of events each time.

Whatever waits while the rest of the world goes on (an evacuator, a fence agent, a request) is an `Actor`: a
thread of which only one runs at a time, and which changes hands only where it sleeps. So a simulated read
timeout of 120 s does not stop the world, and an actor can be killed between any two of its steps.
"""

from __future__ import annotations

import heapq
import threading
from typing import Callable

#: The world begins at 2026-01-01T00:00:00Z.
EPOCH = 1767225600.0


class Killed(BaseException):
    """Raised inside an actor that is killed; not an Exception, so that no handler takes it for an error."""


class TooLong(AssertionError):
    """The world did not come to rest within the cap on its time."""


class Event:
    """Something that happens at a time; `cancel` makes it not happen."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action: Callable[[], object] | None = action

    def cancel(self) -> None:
        """Make the event not happen."""
        self._action = None

    def happen(self) -> None:
        """Run the action, unless it was cancelled."""
        if self._action is not None:
            self._action()


class Actor:
    """A thread of control inside the world."""

    def __init__(self, clock: VirtualClock, target: Callable[[], object]) -> None:
        self._clock = clock
        self._target = target
        # Locks that are handed over: cheaper than semaphores, and there are thousands of turns in a run.
        self._turn = threading.Lock()
        self._back = threading.Lock()
        self._turn.acquire()
        self._back.acquire()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._killed = False
        self._alarm: Event | None = None
        self._error: BaseException | None = None
        self.is_over = False

    def resume(self) -> None:
        """Let the actor run until it sleeps or ends; raise what it raised."""
        self._alarm = None
        if self.is_over:
            return
        if self._thread.ident is None:
            self._thread.start()
        previous, self._clock.current = self._clock.current, self
        self._turn.release()
        self._back.acquire()
        self._clock.current = previous
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def pause(self, seconds: float) -> None:
        """Sleep; called by the actor itself.

        Raises:
            Killed: the actor was killed meanwhile.
        """
        if self._killed:
            raise Killed
        self._alarm = self._clock.after(seconds, self.resume)
        self._back.release()
        self._turn.acquire()
        if self._killed:
            raise Killed

    def wake(self) -> None:
        """End the actor's sleep now."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = self._clock.after(0.0, self.resume)

    def kill(self) -> None:
        """End the actor where it is, as SIGKILL would; from within itself, at once."""
        if self.is_over:
            return
        if self._clock.current is self:
            raise Killed
        self._killed = True
        if self._alarm is not None:
            self._alarm.cancel()
        if self._thread.ident is None:
            self.is_over = True
        else:
            self.resume()

    def _run(self) -> None:
        self._turn.acquire()
        try:
            if not self._killed:
                self._target()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised again by `resume`, in the world's thread
            self._error = error
        finally:
            self.is_over = True
            self._clock.actors.discard(self)
            self._back.release()


class VirtualClock:
    """The world's time; a `nova_ha.clock.Clock`.

    Attributes:
        limit: the latest second that the world may reach.
        current: the actor that runs now; None for the world itself.
    """

    def __init__(self, limit: float = 7 * 86400.0) -> None:
        self.limit = limit
        self.current: Actor | None = None
        self.actors: set[Actor] = set()
        self._elapsed = 0.0
        self._sequence = 0
        self._events: list[tuple[float, int, Event]] = []

    def now(self) -> float:
        """Return the time of day, seconds since the epoch."""
        return EPOCH + self._elapsed

    def monotonic(self) -> float:
        """Return the seconds since the world began."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass, and all that happens in them."""
        if self.current is not None:
            self.current.pause(max(0.0, seconds))
        else:
            self.run_until(self._elapsed + max(0.0, seconds))

    def after(self, seconds: float, action: Callable[[], object]) -> Event:
        """Let something happen in that many seconds."""
        event = Event(action)
        self._sequence += 1
        # Rounded: sums of floats must not decide which of two simultaneous events is first.
        heapq.heappush(self._events, (round(self._elapsed + max(0.0, seconds), 6), self._sequence, event))
        return event

    def spawn(self, target: Callable[[], object], delay: float = 0.0) -> Actor:
        """Let an actor begin."""
        actor = Actor(self, target)
        self.actors.add(actor)
        self.after(delay, actor.resume)
        return actor

    def run_until(self, moment: float) -> None:
        """Let the world go on until that second.

        Raises:
            TooLong: that is beyond the cap.
        """
        if moment > self.limit:
            raise TooLong(f"the world is still busy after {self.limit:g} s")
        while self._events and self._events[0][0] <= moment:
            self._elapsed, _, event = heapq.heappop(self._events)
            event.happen()
        self._elapsed = max(self._elapsed, moment)

    def close(self) -> None:
        """End all actors and forget all events."""
        for actor in list(self.actors):
            actor.kill()
        self._events.clear()
