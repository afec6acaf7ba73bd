# SPDX-License-Identifier: Apache-2.0
"""Read what guests append to their disks, and notice what one guest alone would never write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .hypervisor.diskformat import Damaged, Line, parse
from .judgement import Trouble


@dataclass
class Content:
    """What is known of the content of one server's disk.

    Attributes:
        number: of its last sound line.
        writer: who wrote that.
        former: who wrote before; none of them may write again.
    """

    number: int = 0
    writer: str = ""
    former: set[str] = field(default_factory=set)

    def add(self, text: str) -> Iterator[str]:
        """Take one more line; yield what is wrong with it."""
        try:
            line = parse(text)
        except Damaged:
            yield f"damaged after line {self.number}: {text[:60]!r}"
            return
        yield from self._numbering(line)
        yield from self._writers(line)
        self.number = line.number

    def _numbering(self, line: Line) -> Iterator[str]:
        if line.number <= self.number:
            yield f"went back from line {self.number} to {line.number}, written by {line.writer}"
        elif line.number != self.number + 1:
            yield f"lines {self.number + 1} to {line.number - 1} are missing"

    def _writers(self, line: Line) -> Iterator[str]:
        if line.writer == self.writer:
            return
        if line.writer in self.former:
            yield f"{line.writer} and {self.writer} write at the same time"
        if self.writer:
            self.former.add(self.writer)
        self.writer = line.writer


@dataclass
class _File:
    inode: int
    offset: int = 0


class DiskWatch:
    """Follow the disks of all servers, wherever they are."""

    def __init__(self) -> None:
        self._contents: dict[str, Content] = {}
        self._files: dict[Path, _File] = {}

    def look(self, disks: Iterable[Path]) -> list[Trouble]:
        """Read what is new on these files, each in a folder named by its server; return what is wrong."""
        return [Trouble(disk.parent.name, f"disk {text}") for disk in disks for text in self._read(disk)]

    def _read(self, disk: Path) -> Iterator[str]:
        content = self._contents.setdefault(disk.parent.name, Content())
        try:
            with disk.open("rb") as file:
                status = disk.stat()
                known = self._files.setdefault(disk, _File(status.st_ino))
                if known.inode != status.st_ino or status.st_size < known.offset:
                    yield f"was replaced: {content.number} lines are lost"
                    known = self._files[disk] = _File(status.st_ino)
                file.seek(known.offset)
                # The last line may be half written: it is read in the next round.
                whole = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return
        known.offset += len(whole[0]) + len(whole[1])
        for text in whole[0].decode(errors="replace").splitlines():
            yield from content.add(text)
