# SPDX-License-Identifier: Apache-2.0
"""Look at the lab from outside: Nova's servers and services, Pacemaker's nodes. Changes nothing."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from keystoneauth1.exceptions import ClientException

from tests.lab.demo.model import Look, NodeSeen, ServerSeen, ServiceSeen
from tests.lab.errors import LabError
from tests.lab.lab import Lab

_PATIENCE = 5.0
# crm_mon shows the attributes of nodes that are online only, and these are of interest when a node is not.
_ATTRIBUTES = ("cibadmin", "--query", "--local", "--scope", "nodes")
_CRM_MON = ("crm_mon", "--one-shot", "--inactive", "--output-as=xml")


class Watch:
    """A pair of eyes on the lab; what does not answer within seconds is unknown in that look."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._nova = lab.openstack.client.nova

    def look(self) -> Look:
        """Look once."""
        return Look(self.servers(), self.services(), self.nodes())

    def servers(self) -> tuple[ServerSeen, ...] | None:
        """Return every server of every project; None if Nova does not answer."""
        seen = self._get("/servers/detail?all_tenants=1", "servers")
        return None if seen is None else tuple(map(_server, seen))

    def services(self) -> tuple[ServiceSeen, ...] | None:
        """Return every nova-compute service; None if Nova does not answer."""
        seen = self._get("/os-services?binary=nova-compute", "services")
        return None if seen is None else tuple(map(_service, seen))

    def nodes(self) -> tuple[NodeSeen, ...] | None:
        """Return the nodes as the first controller that answers shows them; None if none does."""
        for controller in self._lab.controllers:
            conditions = self._run(controller.name, *_CRM_MON)
            attributes = self._run(controller.name, *_ATTRIBUTES) if conditions else None
            if conditions and attributes:
                return parse_nodes(conditions, attributes)
        return None

    def _get(self, url: str, kind: str) -> list[dict[str, Any]] | None:
        """Return a list of Nova's; None if it does not answer, or cannot reach the cell's database."""
        try:
            listed: list[dict[str, Any]] = self._nova.get(url, timeout=_PATIENCE).json()[kind]
        except (ClientException, OSError):
            return None
        # Of what is in a cell that is down Nova shows little more than names, with the status UNKNOWN.
        return None if any(one["status"] == "UNKNOWN" for one in listed) else listed

    def _run(self, controller: str, *command: str) -> str | None:
        try:
            done = self._lab.run(controller, *command, check=False, timeout=_PATIENCE)
        except LabError:
            return None
        return done.stdout if done.returncode == 0 else None


def _server(seen: dict[str, Any]) -> ServerSeen:
    return ServerSeen(
        seen["id"], seen["name"], seen["OS-EXT-SRV-ATTR:host"] or "", seen["status"],
        seen["OS-EXT-STS:task_state"] or "",
    )  # fmt: skip


def _service(seen: dict[str, Any]) -> ServiceSeen:
    return ServiceSeen(
        seen["id"],
        seen["host"],
        seen["state"] == "up",
        seen["status"] == "enabled",
        bool(seen["forced_down"]),
    )


def parse_nodes(conditions: str, attributes: str) -> tuple[NodeSeen, ...]:
    """Read the nodes from crm_mon's XML and their permanent attributes from the CIB's section of nodes."""
    values = {
        str(node.get("uname")): {
            str(pair.get("name")): str(pair.get("value")) for pair in node.iter("nvpair")
        }
        for node in ET.fromstring(attributes).iter("node")
    }
    return tuple(
        NodeSeen(str(node.get("name")), _condition(node), values.get(str(node.get("name")), {}))
        for node in ET.fromstring(conditions).iterfind("nodes/node")
    )


def _condition(node: ET.Element) -> str:
    for condition, word in (("unclean", "UNCLEAN"), ("pending", "pending"), ("online", "online")):
        if node.get(condition) == "true":
            return word
    return "OFFLINE"
