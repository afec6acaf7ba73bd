# SPDX-License-Identifier: Apache-2.0
"""Send what may take a minute to be answered beside the loop: no recovery must wait for it.

Nova answers a request that disables or enables a service only when that host's nova-compute has answered
Nova, as long as Nova believes it up: up to ``rpc_response_timeout``, 60 s, for a host that has just died.
What was asked for is in Nova's database before that (nova.md 1.3), so a later look tells what came of a
request, and its answer is only worth a line in the log.

Such a request holds one of nova-api's workers for as long. With few workers, a rack that loses power would
keep Nova from answering anybody; so few are on their way at once, and never two about the same host.
"""

from __future__ import annotations

import logging
from typing import Callable

from nova_ha.errors import Retriable
from nova_ha.evacuation.dispatch import Dispatcher

_log = logging.getLogger(__name__)

#: Requests of one kind that are on their way at once.
MOST = 2


class Asides:
    """Sends such requests, and says once what kept one from being answered.

    Args:
        dispatcher: sends them; another one than that of the evacuations, which must not wait for these.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._failed: dict[str, str] = {}

    def send(self, kind: str, host: str, request: Callable[[], None]) -> bool:
        """Send a request unless its turn has not come, for the next pass to ask again; return whether."""
        outstanding = [key.split(" ", 1) for key in self._dispatcher.outstanding()]
        same_kind = sum(1 for other, _ in outstanding if other == kind)
        if same_kind >= MOST or any(about == host for _, about in outstanding):
            return False
        self._dispatcher.send(f"{kind} {host}", lambda: _without_answer(request))
        return True

    def take_answers(self) -> None:
        """Log what has failed; what has succeeded shows by itself."""
        for answer in self._dispatcher.answers():
            kind, host = answer.key.split(" ", 1)
            error: object = answer.error
            text = str(error) if error else ""
            if text and self._failed.get(answer.key) != text:
                level = logging.INFO if isinstance(error, Retriable) else logging.WARNING
                _log.log(level, "host '%s': %s was not confirmed: %s", host, kind, text)
            self._failed[answer.key] = text


def _without_answer(request: Callable[[], None]) -> str:
    request()
    return ""
