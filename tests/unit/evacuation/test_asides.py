# SPDX-License-Identifier: Apache-2.0
"""Requests beside the loop: few at once, never two about one host, what fails is said once."""

from __future__ import annotations

import logging

from nova_ha.errors import NovaUnavailable, RequestRefused
from nova_ha.evacuation.asides import Asides
from nova_ha.evacuation.dispatch import Answer


class Waiting:
    """A dispatcher whose answers come when the test says so."""

    def __init__(self):
        self.sent = {}
        self.done = []

    def send(self, key, request):
        """Keep a request."""
        self.sent[key] = request

    def outstanding(self):
        """Return what was sent and not fetched."""
        return frozenset(self.sent)

    def answers(self):
        """Return the answers that the test gave."""
        done, self.done = self.done, []
        for answer in done:
            self.sent.pop(answer.key)
        return tuple(done)


def nothing():
    """Do nothing."""


def test_few_at_once():
    """Two requests of a kind are on their way at most; another kind has places of its own."""
    asides = Asides(Waiting())
    assert [asides.send("disabling", host, nothing) for host in ("a", "b", "c")] == [True, True, False]
    assert asides.send("enabling", "d", nothing)


def test_one_for_a_host():
    """While one request about a host is on its way, no other is sent about it."""
    asides = Asides(Waiting())
    assert asides.send("disabling", "a", nothing)
    assert not asides.send("enabling", "a", nothing)


def test_answered_makes_room():
    """An answer that was taken makes room for the next request."""
    waiting = Waiting()
    asides = Asides(waiting)
    asides.send("disabling", "a", nothing)
    waiting.done.append(Answer("disabling a", request_id=""))
    asides.take_answers()
    assert asides.send("enabling", "a", nothing)


def test_failure_is_said_once(caplog):
    """The same failure again and again is one line; one that may pass by itself is no warning."""
    waiting = Waiting()
    asides = Asides(waiting)
    with caplog.at_level(logging.INFO, "nova_ha"):
        for error in (NovaUnavailable("no answer"), NovaUnavailable("no answer"), RequestRefused("no", 403)):
            asides.send("disabling", "a", nothing)
            waiting.done.append(Answer("disabling a", error=error))
            asides.take_answers()
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("INFO", "host 'a': disabling was not confirmed: no answer"),
        ("WARNING", "host 'a': disabling was not confirmed: no"),
    ]
