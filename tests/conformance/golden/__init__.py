# SPDX-License-Identifier: Apache-2.0
"""Metadata that a person has looked at: "make golden" takes it as it is now."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

_HERE = Path(__file__).resolve().parent
# Read before the tests begin, which hide such variables from each other.
_ACCEPT = os.environ.get("NOVA_HA_GOLDEN") == "write"


def assert_golden(agent: str, metadata: str) -> None:
    """Fail, showing the difference, unless an agent's metadata is as in its file; versions may differ."""
    found = re.sub(r'(<resource-agent .*version=)"[^"]*"', r'\1"VERSION"', metadata)
    golden = _HERE / f"{agent}.xml"
    if _ACCEPT:
        golden.write_text(found, encoding="utf-8")
    expected = golden.read_text(encoding="utf-8")
    lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), "golden", "now", lineterm="")
    assert expected == found, "\n".join(lines)
