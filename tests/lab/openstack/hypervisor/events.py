# SPDX-License-Identifier: Apache-2.0
"""The lab's shared journal of what happens to guests: one JSON object a line, written by every node."""

from __future__ import annotations

import os
import time

EVENTS_FILE = "events.jsonl"


def append(path: str, event: str, **fields: object) -> None:
    """Add one event."""
    # Imported here because each of many guests carries this module and almost none ever has an event.
    import json

    line = json.dumps({"time": round(time.time(), 3), "event": event, **fields}) + "\n"
    # One write of a short line with O_APPEND: lines of several processes never mix.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
