# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha doctor`` finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How much a finding matters; the meaning is beside the word, the rank orders them."""

    NOTE = "note", 0, "good to know; nothing need be done"
    WARNING = "warning", 1, "recovery works, but later, less surely or not for everything"
    ERROR = "error", 2, "a failed host would not be recovered, or not safely"

    def __init__(self, word: str, rank: int, meaning: str) -> None:
        self.word = word
        self.rank = rank
        self.meaning = meaning


NOTE, WARNING, ERROR = Severity.NOTE, Severity.WARNING, Severity.ERROR


def example(step: str) -> str:
    """Return how an admin configures what is missing: by a step of pcs-examples, with their own values."""
    return f"run ./{step} in your copy of pcs-examples, after variables.sh there says what your cluster has"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        check: name of the check, stable, such as ``fencing-level``.
        subject: what it is about: a node, a resource, a file, a server.
        severity: how much it matters.
        problem: what is wrong.
        fix: a command that can be typed, or a sentence where no command can do it.
    """

    check: str
    subject: str
    severity: Severity
    problem: str
    fix: str

    def as_json(self) -> dict[str, str]:
        """Return the finding with the keys that ``--json`` promises."""
        return {
            "check": self.check,
            "subject": self.subject,
            "severity": self.severity.word,
            "problem": self.problem,
            "fix": self.fix,
        }


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings, the worst first, otherwise in their order."""
    return sorted(findings, key=lambda finding: -finding.severity.rank)


def worst(findings: Iterable[Finding]) -> Severity:
    """Return the worst severity; a note when there is nothing."""
    return max((finding.severity for finding in findings), key=lambda one: one.rank, default=NOTE)
