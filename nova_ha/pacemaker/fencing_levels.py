# SPDX-License-Identifier: Apache-2.0
"""Read from the CIB whether a node's power is off for sure when fence_compute is asked to record its fencing.

fence_compute switches nothing off. Alone, or first in a level, it would make Pacemaker believe that a
running node is off, and the node's servers would run twice (rule R1). So every level of the node that has
it must have another device before it; and without any level Pacemaker may choose it alone.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

#: The agent that only records.
RECORDER = "fence_compute"

#: The C library's flag for extended regular expressions; the same in glibc and musl.
_REG_EXTENDED = 1
#: Room for the C library's regex_t, which has 64 bytes in glibc.
_REGEX_BYTES = 256


def why_power_may_be_on(root: ET.Element, node: str) -> str | None:
    """Return why a fencing of a node by its levels may leave its power on, or None when it cannot.

    Args:
        root: the CIB.
        node: Pacemaker's name of the node.
    """
    agents = {p.get("id", ""): p.get("type", "") for p in root.iterfind(".//primitive[@class='stonith']")}
    levels = [level for level in root.iterfind(".//fencing-level") if is_for(level, node, root)]
    recording = [level for level in levels if RECORDER in _agents_of(level, agents)]
    if not recording:
        return (
            f"node '{node}' has no fencing level with {RECORDER} in it: Pacemaker may use it alone"
            f"{_unreadable(root)}"
        )
    for level in recording:
        if _agents_of(level, agents)[0] == RECORDER:
            return f"level {level.get('index')} of node '{node}' has no power device before {RECORDER}"
    return None


def _agents_of(level: ET.Element, agents: dict[str, str]) -> list[str]:
    return [agents.get(device, "") for device in re.split(r"[,\s]+", level.get("devices", "").strip())]


def is_for(level: ET.Element, node: str, root: ET.Element) -> bool:
    """Say whether a level is for a node: by name, by pattern, or by an attribute of the node."""
    if level.get("target") == node:
        return True
    pattern = level.get("target-pattern")
    if pattern is not None:
        return _matches(pattern, node) is True
    name, value = level.get("target-attribute"), level.get("target-value")
    return name is not None and (name, value) in set(_attributes(root, node))


def pcs_target(level: ET.Element) -> str:
    """Return what pcs calls the target of a level: a node, a pattern of names or an attribute's value."""
    if level.get("target-pattern") is not None:
        return f"regexp%{level.get('target-pattern')}"
    if level.get("target-attribute") is not None:
        return f"attrib%{level.get('target-attribute')}={level.get('target-value', '')}"
    return level.get("target", "")


def _unreadable(root: ET.Element) -> str:
    """Return which patterns of levels Pacemaker cannot read, as the end of a sentence; empty for none."""
    patterns = [level.get("target-pattern") for level in root.iterfind(".//fencing-level")]
    bad = [pattern for pattern in patterns if pattern is not None and _matches(pattern, "") is None]
    return f"; it ignores the level with the malformed pattern {bad[0]}" if bad else ""


def _matches(pattern: str, node: str) -> bool | None:
    """Say whether a pattern is found in a node's name; None when it is malformed.

    Asked of the C library, as Pacemaker does (regexec, fenced_remote.c): `re` has another language, without
    ``[[:digit:]]`` for one.
    """
    import ctypes

    c, compiled = ctypes.CDLL(None), ctypes.create_string_buffer(_REGEX_BYTES)
    if c.regcomp(compiled, pattern.encode(), _REG_EXTENDED) != 0:
        return None
    try:
        return bool(c.regexec(compiled, node.encode(), 0, None, 0) == 0)
    finally:
        c.regfree(compiled)


def _attributes(root: ET.Element, node: str) -> Iterator[tuple[str | None, str | None]]:
    for entry in root.iterfind("configuration/nodes/node"):
        if entry.get("uname") == node:
            for pair in entry.iterfind("instance_attributes/nvpair"):
                yield pair.get("name"), pair.get("value")
