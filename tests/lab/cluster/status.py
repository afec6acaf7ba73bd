# SPDX-License-Identifier: Apache-2.0
"""What the cluster says about itself (crm_mon's XML)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class ClusterStatus:
    """A look at the cluster: nodes by condition, and on which nodes each resource is started.

    A clone is listed under its primitive's name; `clones` names these.
    """

    has_quorum: bool
    online: frozenset[str]
    troubled: frozenset[str]
    started: dict[str, frozenset[str]]
    clones: frozenset[str]

    def unsettled(self, nodes: Iterable[str], computes: Iterable[str]) -> str:
        """Return why the cluster is not settled: every node online, everything started; "" if it is."""
        if not self.has_quorum:
            return "no quorum"
        if missing := sorted(set(nodes) - self.online):
            return f"not online: {', '.join(missing)}"
        if self.troubled:
            return f"unclean or pending: {', '.join(sorted(self.troubled))}"
        return "; ".join(
            filter(None, (self._not_started(name, set(computes)) for name in sorted(self.started)))
        )

    def _not_started(self, resource: str, computes: set[str]) -> str:
        if resource in self.clones:
            missing = sorted(computes - self.started[resource])
            return f"{resource} is not started on {', '.join(missing)}" if missing else ""
        return "" if self.started[resource] else f"{resource} is not started"


def _names(nodes: Iterable[ET.Element], *conditions: str) -> frozenset[str]:
    return frozenset(
        str(node.get("name"))
        for node in nodes
        if any(node.get(condition) == "true" for condition in conditions)
    )


def _started_on(resource: ET.Element) -> set[str]:
    if resource.get("role") != "Started" or resource.get("failed") == "true" or resource.get("pending"):
        return set()
    return {str(node.get("name")) for node in resource.findall("node")}


def parse(text: str) -> ClusterStatus:
    """Read the output of `crm_mon --one-shot --inactive --output-as=xml`."""
    document = ET.fromstring(text)
    nodes = document.findall("nodes/node")
    dc = document.find("summary/current_dc")
    started: dict[str, set[str]] = {}
    for resource in document.iterfind("resources//resource"):
        started.setdefault(str(resource.get("id")), set()).update(_started_on(resource))
    return ClusterStatus(
        has_quorum=dc is not None and dc.get("with_quorum") == "true",
        online=_names(nodes, "online") - _names(nodes, "pending", "unclean"),
        troubled=_names(nodes, "pending", "unclean"),
        started={name: frozenset(where) for name, where in started.items()},
        clones=frozenset(
            str(resource.get("id")) for resource in document.iterfind("resources/clone/resource")
        ),
    )
