# SPDX-License-Identifier: Apache-2.0
"""Read the last recoveries out of a journal's folder."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nova_ha.commands.status_report import PastRecovery
from nova_ha.evacuation.journal import read_events


def past_recoveries(directory: Path, most: int = 5) -> tuple[PastRecovery, ...]:
    """Return the newest recoveries of a journal's folder; none when it cannot be read.

    A file may only hold the words with which a recovery was handed to an evacuator elsewhere.
    """
    try:
        files = sorted(directory.glob("*@*.jsonl"), key=lambda path: path.stat().st_mtime, reverse=True)
        recoveries = (_recovery(path) for path in files)
        return tuple(itertools.islice((found for found in recoveries if found.by or found.ended), most))
    except OSError:
        return ()


def _recovery(path: Path) -> PastRecovery:
    host, _, fenced_at = path.name.removesuffix(".jsonl").rpartition("@")
    return tell(host, _with_colons(fenced_at), read_events(path))


def tell(host: str, fenced_at: str, events: Iterable[Mapping[str, Any]]) -> PastRecovery:
    """Return what a journal's events say of a recovery; the answers of Nova to it are not in them."""
    began, ended, summary, owners = None, None, "", []
    for event in events:
        kind, time = event.get("event"), event.get("t")
        if kind == "asking" and began is None:
            began = time
        elif kind == "evacuated":
            ended, summary = time, str(event.get("summary") or "")
        elif kind == "begun" and event.get("owner") not in owners:
            owners.append(str(event.get("owner")))
    return PastRecovery(host, fenced_at, began, ended, summary, ", ".join(owners))


def _with_colons(text: str) -> str:
    """Return a time as records have it; names of files have none of its colons."""
    day, separator, time = text.partition("T")
    is_time = bool(separator) and len(time) == len("064012Z") and time[:6].isdigit()
    return f"{day}T{time[:2]}:{time[2:4]}:{time[4:]}" if is_time else text
