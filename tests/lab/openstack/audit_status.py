# SPDX-License-Identifier: Apache-2.0
"""What the auditor tells the world: one small file, replaced at every round."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .judgement import Finding, Kind

STATUS_FILE = "audit.json"
STALE_SECONDS = 10.0


@dataclass(frozen=True)
class AuditStatus:
    """The auditor's answer.

    Attributes:
        time: when it was written, seconds since the epoch; 0 if never.
        servers: how many servers Nova has, as last seen.
        copies: how many live guest processes there are.
        nova_time: when Nova's database was last read; 0 if never.
        findings: everything that was wrong at any time; a server that was lost and lives again is not
            among them.
    """

    time: float = 0.0
    servers: int = 0
    copies: int = 0
    nova_time: float = 0.0
    findings: tuple[Finding, ...] = field(default=())

    @property
    def alive(self) -> bool:
        """Say whether the auditor still works."""
        return time.time() - self.time < STALE_SECONDS

    @property
    def sees_nova(self) -> bool:
        """Say whether the auditor works and has read Nova's database."""
        return self.alive and self.nova_time > 0

    @property
    def clean(self) -> bool:
        """Say whether the auditor works and found nothing; a dead auditor's silence proves nothing."""
        return self.sees_nova and not self.findings

    def of(self, kind: Kind) -> list[Finding]:
        """Return the findings of one kind."""
        return [finding for finding in self.findings if finding.kind is kind]


def write_status(folder: Path, status: AuditStatus) -> None:
    """Replace the status file in one step."""
    new = folder / f"{STATUS_FILE}.new"
    new.write_text(json.dumps(asdict(status), indent=1) + "\n")
    new.rename(folder / STATUS_FILE)


def read_status(folder: Path) -> AuditStatus:
    """Return the auditor's last answer; one that was never written is empty and not alive."""
    try:
        document: dict[str, Any] = json.loads((folder / STATUS_FILE).read_text())
    except FileNotFoundError:
        return AuditStatus()
    findings = tuple(
        Finding(Kind(found["kind"]), found["uuid"], found["since"], found["text"])
        for found in document.pop("findings")
    )
    return AuditStatus(**document, findings=findings)
