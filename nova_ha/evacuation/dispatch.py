# SPDX-License-Identifier: Apache-2.0
"""Send requests without waiting for their answers: one slow answer must not hold up every other server."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, Protocol

from nova_ha.decisions.notes import ACCEPTED, AMBIGUOUS, IN_USE, NOT_SENT, REFUSED
from nova_ha.errors import AccessDenied, AmbiguousAnswer, NovaUnavailable, RequestRefused, StillInUse

#: Requests that are on their way at once; nearly as many as places become free at once.
THREADS = 16


@dataclass(frozen=True)
class Answer:
    """What came of one request: a `request_id`, or an `error`."""

    key: str
    request_id: str | None = None
    error: Exception | None = None


class Dispatcher(Protocol):
    """Sends requests; each key has at most one request on its way."""

    def send(self, key: str, request: Callable[[], str]) -> None:
        """Send a request."""

    def outstanding(self) -> frozenset[str]:
        """Return the keys whose answers are not there yet."""

    def answers(self) -> tuple[Answer, ...]:
        """Return the answers that came since the last call."""


class InlineDispatcher:
    """Sends each request at once and waits for its answer; for tests and their virtual clock."""

    def __init__(self) -> None:
        self._answers: list[Answer] = []

    def send(self, key: str, request: Callable[[], str]) -> None:
        """Send a request and keep its answer."""
        self._answers.append(_answer(key, request))

    def outstanding(self) -> frozenset[str]:
        """Return the keys whose answers were not fetched yet."""
        return frozenset(answer.key for answer in self._answers)

    def answers(self) -> tuple[Answer, ...]:
        """Return the answers that came since the last call."""
        answers, self._answers = tuple(self._answers), []
        return answers


class ThreadDispatcher:
    """Sends requests from a few threads."""

    def __init__(self, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="evacuate")
        self._futures: dict[str, Future[Answer]] = {}

    def send(self, key: str, request: Callable[[], str]) -> None:
        """Send a request as soon as a thread is free."""
        if key in self._futures:
            raise ValueError(f"a request for {key} is on its way already")
        self._futures[key] = self._pool.submit(_answer, key, request)

    def outstanding(self) -> frozenset[str]:
        """Return the keys whose answers were not fetched yet."""
        return frozenset(self._futures)

    def answers(self) -> tuple[Answer, ...]:
        """Return the answers that came since the last call."""
        done = [key for key, future in self._futures.items() if future.done()]
        return tuple(self._futures.pop(key).result() for key in done)


def status_of(answer: Answer) -> int | None:
    """Return the HTTP status of an answer that is an error of Nova's; None when Nova said nothing."""
    return answer.error.status if isinstance(answer.error, (RequestRefused, AmbiguousAnswer)) else None


def _answer(key: str, request: Callable[[], str]) -> Answer:
    """Run a request; every error is part of the answer, the caller decides what it means."""
    try:
        return Answer(key, request_id=request())
    except Exception as error:  # noqa: BLE001 - an unforeseen error leaves the request ambiguous, never unnoticed
        return Answer(key, error=error)


#: What an error of the Nova port means for the server, the more special types first.
_OUTCOMES = (
    (StillInUse, IN_USE),
    (RequestRefused, REFUSED),
    (AccessDenied, REFUSED),
    (NovaUnavailable, NOT_SENT),
)


def meaning(answer: Answer) -> tuple[str, str]:
    """Return what an answer means; whatever is not known to be harmless counts as ambiguous."""
    error = answer.error
    if error is None:
        return ACCEPTED, ""
    for kind, outcome in _OUTCOMES:
        if isinstance(error, kind):
            return outcome, str(error)
    return AMBIGUOUS, str(error) or type(error).__name__
