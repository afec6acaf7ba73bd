# SPDX-License-Identifier: Apache-2.0
"""The life of a host, in the words that a person reads."""

from __future__ import annotations

from enum import Enum


class HostState(Enum):
    """Life of a host; the value is what a person reads, the meaning is beside it."""

    UP = "up", "in service"
    LOST = "lost", "Pacemaker has lost its connection, fencing is not confirmed yet"
    WEDGED = "wedged", "it is online, but its nova-compute does not report to Nova"
    FENCED = "fenced", "its power-off is confirmed and recorded, Nova does not know yet"
    DOWN = "down", "Nova knows: forced down and disabled"
    EVACUATING = "evacuating", "its servers are being brought up elsewhere"
    EVACUATED = "evacuated", "every server is verified elsewhere or reported by name"
    RETURNING = "returning", "it is back, its nova-compute cleans up and reports"
    HELD = "held", "nothing is done, for the reason that is given"

    def __init__(self, word: str, meaning: str) -> None:
        self.word = word
        self.meaning = meaning
