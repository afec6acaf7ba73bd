# SPDX-License-Identifier: Apache-2.0
"""A ledger in files, for hosts that no Pacemaker knows: a `nova_ha.ports.ClusterPort` for the evacuator.

``/var/lib/nova-ha/hosts/<host>.json`` holds what Pacemaker's CIB holds otherwise: the record of a fencing
(here an operator's or a monitor's statement that the host is off), the mark of a complete recovery, the
sentence for people, the facts about single servers, and whether somebody said that the host is back. A file
is replaced as a whole and is on disk before a method returns.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nova_ha import record
from nova_ha.errors import ClusterError
from nova_ha.model import ClusterNode, ClusterView

LEDGER = Path("/var/lib/nova-ha/hosts")

_FENCED, _EVACUATED, _STATE, _SERVERS, _BACK, _STATEMENT = (
    "fenced",
    "evacuated",
    "state",
    "servers",
    "is_back",
    "statement",
)


@dataclass(frozen=True)
class Statement:
    """What makes sure that a host is off, in words.

    Attributes:
        host: Nova's name of the host.
        text: who made sure, and how, as it was said.
        by: account and machine on which it was said.
        at: when, such as ``2026-11-22T06:40:12Z``.
    """

    host: str
    text: str
    by: str
    at: str


class StandaloneCluster:
    """The hosts in the ledger, as the evacuator sees nodes of a cluster.

    Args:
        directory: where the ledger is.
    """

    def __init__(self, directory: Path = LEDGER) -> None:
        self._directory = directory

    def view(self) -> ClusterView:
        """Return every host that has a record; one machine has always quorum."""
        return ClusterView(quorate=True, nodes=tuple(node for node in self.entries() if node.fenced))

    def entries(self) -> tuple[ClusterNode, ...]:
        """Return every host in the ledger, also those of which only a sentence is left."""
        return tuple(_node(_read(path)) for path in self._files())

    def readable(self) -> tuple[tuple[ClusterNode, ...], tuple[str, ...]]:
        """Return every host that can be read, and what is wrong with the others: to show, not to decide."""
        found: list[ClusterNode] = []
        problems: list[str] = []
        try:
            paths = self._files()
        except ClusterError as error:
            return (), (str(error),)
        for path in paths:
            try:
                found.append(_node(_read(path)))
            except ClusterError as error:
                problems.append(str(error))
        return tuple(found), tuple(problems)

    def change_token(self) -> object:
        """Return a value that differs when a file of the ledger was replaced."""
        try:
            return self._directory.stat().st_mtime_ns
        except OSError:
            return None

    def state_that_host_is_off(self, statement: Statement) -> None:
        """Begin a recovery on somebody's word; its time is the recovery's identity."""
        words = {"text": statement.text, "by": statement.by, "at": statement.at}
        content = {
            "host": statement.host,
            _FENCED: record.record_value(statement.at),
            _STATEMENT: words,
        }
        self._write(statement.host, content)

    def statement(self, host: str) -> Statement | None:
        """Return on whose word a host is recovered; None when there is no record."""
        found = self._content(host)
        words = found.get(_STATEMENT)
        return Statement(host, words["text"], words["by"], words["at"]) if words else None

    def say_that_host_is_back(self, host: str) -> None:
        """Let the evacuator bring a host back into service."""
        self._change(host, **{_BACK: True})

    def write_record(self, node: str, fenced_at: str) -> None:
        """Write the record of a fencing, in place of what was there."""
        known = self._content(node)
        same = known.get(_FENCED) == record.record_value(fenced_at)
        kept = known if same else {"host": node, _STATEMENT: known.get(_STATEMENT)}
        self._write(node, {**kept, _FENCED: record.record_value(fenced_at)})

    def mark_evacuated(self, node: str, fenced_at: str) -> None:
        """Write that the recovery of that fencing is complete."""
        self._change(node, **{_EVACUATED: fenced_at})

    def clear_record(self, node: str, fenced_at: str) -> bool:
        """Remove the host from the ledger, if its record is still of that fencing; say whether it was.

        What could not be recovered stays as a sentence, which needs no record.
        """
        known = self._content(node)
        if record.fenced_at(known.get(_FENCED)) != fenced_at:
            return False
        if known.get(_STATE):
            self._write(node, {"host": node, _STATE: known[_STATE]})
        else:
            self.forget(node)
        return True

    def forget(self, node: str) -> None:
        """Remove a host from the ledger. Idempotent."""
        try:
            self._path(node).unlink(missing_ok=True)
            self._sync_directory()
        except OSError as error:
            raise _unusable(self._path(node), error) from error

    def remember(self, node: str, fenced_at: str, facts: frozenset[str]) -> None:
        """Write facts about single servers."""
        self._change(node, **{_SERVERS: record.servers_value(fenced_at, facts)})

    def restart_compute(self, node: str) -> None:
        """Say that somebody must do it: no Pacemaker runs nova-compute."""
        raise ClusterError(f"restart nova-compute on {node} by hand: each of its starts cleans up a part")

    def publish_wedged(self, node: str, value: str | None) -> None:
        """Do nothing: nobody who could restart nova-compute reads the ledger."""

    def fence(self, node: str) -> None:
        """Say that somebody must do it."""
        raise ClusterError(f"switch {node} off by hand: no Pacemaker knows it")

    def publish_state(self, node: str, text: str | None) -> None:
        """Write the sentence for people; None removes it."""
        self._change(node, **{_STATE: text})

    def _files(self) -> list[Path]:
        """Return the files of the ledger; one that may not be read is not an empty one (rule R3)."""
        try:
            # Not glob(), which leaves out in silence what it may not read.
            names = os.listdir(self._directory)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unusable(self._directory, error) from error
        return [self._directory / name for name in sorted(names) if name.endswith(".json")]

    # --- files ----------------------------------------------------------------------------------------------

    def _path(self, node: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", node):
            raise ClusterError(f"{node!r} cannot be the name of a host")
        return self._directory / f"{node}.json"

    def _content(self, node: str) -> dict[str, Any]:
        path = self._path(node)
        return _read(path) if path.exists() else {}

    def _change(self, node: str, **values: object) -> None:
        """Change some values of a host that is in the ledger."""
        known = self._content(node)
        if not known:
            raise ClusterError(f"{self._path(node)}: the host has been removed from the ledger meanwhile")
        self._write(node, {**known, **values})

    def _write(self, node: str, content: Mapping[str, object]) -> None:
        """Replace a host's file; it is on disk afterwards, or an error says that it is not."""
        path = self._path(node)
        kept = {name: value for name, value in content.items() if value is not None}
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(kept, file, ensure_ascii=False, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
            self._sync_directory()
        except OSError as error:
            raise _unusable(path, error) from error

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _node(content: Mapping[str, Any]) -> ClusterNode:
    """Return a host as the evacuator sees nodes."""
    return ClusterNode(
        name=str(content["host"]),
        is_remote=True,
        # Without a record it only holds a sentence about what an earlier recovery has left.
        online=bool(content.get(_BACK)) or not content.get(_FENCED),
        fenced=content.get(_FENCED),
        evacuated=content.get(_EVACUATED),
        state=content.get(_STATE),
        servers=content.get(_SERVERS),
    )


def _read(path: Path) -> dict[str, Any]:
    """Return a file's content; a ledger that cannot be read must never look like an empty one (rule R3)."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(path, error) from error
    except ValueError as error:
        raise ClusterError(f"{path}: not valid JSON ({error}); mend it, or move it away") from error
    if not isinstance(content, dict) or "host" not in content:
        raise ClusterError(f"{path}: not a file of nova-ha's ledger; move it away")
    return content


def _unusable(path: Path, error: OSError) -> ClusterError:
    who = "" if os.geteuid() == 0 else "; run the command as root"
    return ClusterError(f"{path}: {error.strerror}{who}")
