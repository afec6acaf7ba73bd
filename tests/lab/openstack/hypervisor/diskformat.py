# SPDX-License-Identifier: Apache-2.0
"""The lines a guest writes to its disk, so that lost, doubled and damaged content can be told from sound."""

from __future__ import annotations

from binascii import crc32
from typing import NamedTuple

FIELDS = 6


class Damaged(Exception):
    """A line is not one that a guest wrote."""


class Line(NamedTuple):
    """One line of a disk.

    Attributes:
        number: one more than the line before, over the whole life of the disk.
        time: seconds since the epoch.
        host: Nova's name of the compute node.
        boot: which boot of that node.
        pid: process id of the guest within the node.
    """

    number: int
    time: float
    host: str
    boot: str
    pid: int

    @property
    def writer(self) -> str:
        """Return what tells one guest process from every other one there ever was."""
        return f"{self.host}/{self.boot}/{self.pid}"

    def __str__(self) -> str:
        body = f"{self.number} {self.time:.3f} {self.host} {self.boot} {self.pid}"
        return f"{body} {crc32(body.encode()):08x}"


def parse(text: str) -> Line:
    """Return the line that `text` is.

    Raises:
        Damaged: wrong number of fields, or its checksum differs.
    """
    body, _, checksum = text.rpartition(" ")
    words = body.split(" ")
    if len(words) != FIELDS - 1 or checksum != f"{crc32(body.encode()):08x}":
        raise Damaged(text)
    return Line(int(words[0]), float(words[1]), words[2], words[3], int(words[4]))


def last_number(content: str) -> int:
    """Return the number of the last sound line in the tail of a disk, 0 if there is none."""
    for text in reversed(content.splitlines()):
        try:
            return parse(text).number
        except Damaged:
            continue
    return 0
