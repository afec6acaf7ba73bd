# SPDX-License-Identifier: Apache-2.0
"""The journal: an append-only file of JSON lines for each recovery.

It is a hint, never the truth (Nova is), except for a server's power state before its first evacuation,
which is on disk before that request is sent. A crash in the middle of a line loses that line only.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from nova_ha.clock import Clock
from nova_ha.decisions.notes import Notes, fold

#: Files that are held open at once.
OPEN_FILES = 64

#: Files of recoveries that are kept; older ones are removed when a new one is begun.
KEPT = 200


class Journal(Protocol):
    """Where a recovery's events are kept."""

    def append(self, host: str, fenced_at: str, event: str, **facts: object) -> None:
        """Add an event; it may be lost in a crash until `sync`."""

    def sync(self, host: str, fenced_at: str) -> None:
        """Return when everything that was appended to this recovery is on disk."""

    def notes(self, host: str, fenced_at: str) -> Notes:
        """Return what the events so far say."""


class MemoryJournal:
    """A journal that lives as long as the `storage` it is given; for tests and for inline recoveries."""

    def __init__(
        self, clock: Clock, storage: dict[tuple[str, str], list[dict[str, Any]]] | None = None
    ) -> None:
        self._clock = clock
        self.storage = storage if storage is not None else {}
        self._notes: dict[tuple[str, str], Notes] = {}

    def append(self, host: str, fenced_at: str, event: str, **facts: object) -> None:
        """Add an event."""
        entry = {"t": self._clock.now(), "event": event, **facts}
        notes = fold(self.notes(host, fenced_at), entry)
        self.storage.setdefault((host, fenced_at), []).append(entry)
        self._notes[host, fenced_at] = notes

    def sync(self, host: str, fenced_at: str) -> None:
        """Do nothing: memory has no disk."""

    def notes(self, host: str, fenced_at: str) -> Notes:
        """Return what the events so far say."""
        key = (host, fenced_at)
        if key not in self._notes:
            notes = Notes()
            for entry in self.storage.get(key, ()):
                notes = fold(notes, entry)
            self._notes[key] = notes
        return self._notes[key]


class FileJournal:
    """A journal in a folder: ``<host>@<time>.jsonl`` for each recovery."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._notes: dict[Path, Notes] = {}
        self._files: dict[Path, int] = {}

    def append(self, host: str, fenced_at: str, event: str, **facts: object) -> None:
        """Add an event; it may be lost in a crash until `sync`."""
        path = self._path(host, fenced_at)
        entry = {"t": round(self._clock.now(), 3), "event": event, **facts}
        notes = fold(self._load(path), entry)
        _write_all(self._open(path), json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        self._notes[path] = notes

    def sync(self, host: str, fenced_at: str) -> None:
        """Return when everything that was appended to this recovery is on disk."""
        os.fsync(self._open(self._path(host, fenced_at)))

    def notes(self, host: str, fenced_at: str) -> Notes:
        """Return what the events so far say."""
        return self._load(self._path(host, fenced_at))

    def _path(self, host: str, fenced_at: str) -> Path:
        name = re.sub(r"[^A-Za-z0-9_.@-]", "", f"{host}@{fenced_at}")
        return self._directory / f"{name}.jsonl"

    def _load(self, path: Path) -> Notes:
        if path not in self._notes:
            notes = Notes()
            for entry in read_events(path):
                notes = fold(notes, entry)
            self._notes[path] = notes
        return self._notes[path]

    def _open(self, path: Path) -> int:
        if path not in self._files:
            self._close_all()
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove_old()
            torn = _ends_in_the_middle(path)
            self._files[path] = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            if torn:
                os.write(self._files[path], b"\n")
            _sync_directory(self._directory)
        return self._files[path]

    def _close_all(self) -> None:
        if len(self._files) < OPEN_FILES:
            return
        for descriptor in self._files.values():
            os.fsync(descriptor)
            os.close(descriptor)
        self._files.clear()

    def _remove_old(self) -> None:
        """Remove all but the newest recoveries' files, and never one that is open."""
        files = sorted(self._directory.glob("*.jsonl"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[KEPT:]:
            if path not in self._files:
                path.unlink(missing_ok=True)


def check_writable(directory: Path) -> None:
    """Raise OSError when nothing can be made durable in a folder: then another controller must work."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=directory, prefix="probe-") as probe:
        probe.write(b"x" * 4096)
        probe.flush()
        os.fsync(probe.fileno())


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a journal file in order; a line that a crash tore is left out."""
    if not path.exists():
        return
    for line in path.read_bytes().split(b"\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def _write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, or raise OSError: a disk that gets full takes a part without an error (write(2)).

    A request whose line is not whole must not be sent: after a crash nobody would know of it (rule R1).
    """
    while data:
        data = data[os.write(descriptor, data) :]


def _ends_in_the_middle(path: Path) -> bool:
    """Say whether the last line lacks its end: another line must not be glued to it."""
    return path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")


def _sync_directory(directory: Path) -> None:
    """Make a new file's name durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
