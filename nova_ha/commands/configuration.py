# SPDX-License-Identifier: Apache-2.0
"""Read an admin's decisions out of Pacemaker's CIB: resources, fencing levels, properties. No effects."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

FENCE_AGENT, EVACUATE_AGENT, COMPUTE_AGENT = (
    "stonith:fence_compute",
    "ocf:openstack:NovaEvacuate",
    "ocf:openstack:NovaCompute",
)

#: Pacemaker's own default for the time limit of an operation.
DEFAULT_TIMEOUT = 20.0

#: What Pacemaker reads as no, and as yes.
FALSE = frozenset(("false", "no", "off", "0", "n"))
TRUE = frozenset(("true", "yes", "on", "1", "y"))
REMOTE_AGENT = "ocf:pacemaker:remote"

_DURATION = re.compile(r"(\d+)\s*(ms|msec|us|usec|s|sec|m|min|h|hr)?", re.IGNORECASE)
_UNITS = {"ms": 0.001, "msec": 0.001, "us": 1e-6, "usec": 1e-6, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0}
_UNITS.update({"h": 3600.0, "hr": 3600.0})


def seconds(text: str) -> float | None:
    """Return the seconds in a duration as Pacemaker writes it; None for a form that is not known here."""
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _UNITS[(match[2] or "s").lower()] if match else None


@dataclass(frozen=True)
class Monitor:
    """A recurring monitor operation.

    Attributes:
        interval: seconds; None when its text is not understood.
        level: its OCF_CHECK_LEVEL; 0 is the plain monitor.
        is_enabled: whether Pacemaker repeats it.
    """

    interval: float | None
    level: int
    is_enabled: bool = True


@dataclass(frozen=True)
class Resource:
    """A primitive, with what it has from its template, its clone or group, and the defaults.

    Attributes:
        id: its name.
        agent: as pcs writes it, such as ``ocf:openstack:NovaEvacuate`` or ``stonith:fence_ipmilan``.
        parameters: its instance attributes.
        meta: its meta attributes.
        operations: attributes of its operations by name; of its monitors, the plain one's.
        monitors: every monitor that has an interval.
        parents: ids of the clone, group and bundle around it, the nearest first.
        is_clone: whether several instances may run.
    """

    id: str
    agent: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)
    operations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    monitors: tuple[Monitor, ...] = ()
    parents: tuple[str, ...] = ()
    is_clone: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name under which a constraint may mean it."""
        return (self.id, *self.parents)

    @property
    def is_disabled(self) -> bool:
        """Say whether an admin has stopped it."""
        return self.meta.get("target-role", "").lower() == "stopped"

    @property
    def is_left_alone(self) -> bool:
        """Say whether an admin has told Pacemaker to do nothing about it."""
        return self.meta.get("is-managed", "true").lower() in FALSE or self.is_in_maintenance

    @property
    def is_in_maintenance(self) -> bool:
        """Say whether an admin has put it in maintenance, for itself."""
        return self.meta.get("maintenance", "false").lower() in TRUE

    def timeout(self, operation: str) -> float | None:
        """Return the time limit of an operation in seconds; None when its text is not understood."""
        text = self.operations.get(operation, {}).get("timeout")
        return DEFAULT_TIMEOUT if text is None else seconds(text)


@dataclass(frozen=True)
class Level:
    """A fencing level: its devices are called in their order.

    Attributes:
        index: its number; lower ones are tried first.
        devices: names of the devices.
        target: for which nodes it is, in pcs's spelling.
    """

    index: str
    devices: tuple[str, ...]
    target: str


class Configuration:
    """What an admin has configured.

    Args:
        root: the CIB.
    """

    def __init__(self, root: ET.Element) -> None:
        self.root = root
        self._op_defaults = _pairs(root, "configuration/op_defaults/meta_attributes")
        self.resources = tuple(self._resources())

    def property(self, name: str) -> str | None:
        """Return a property of the cluster; None when nobody has set it."""
        return _pairs(self.root, "configuration/crm_config/cluster_property_set").get(name)

    def fencing_property(self, name: str) -> tuple[str, str | None]:
        """Return the full name and the value of a property of fencing; None when nobody has set it.

        Pacemaker 3.0.2 has renamed stonith-enabled to fencing-enabled, and so on. It still takes the old
        name, and prefers the new one where both are set; older ones know the old one only.

        Args:
            name: what follows ``fencing-``, such as ``enabled``.
        """
        for full in (f"fencing-{name}", f"stonith-{name}"):
            value = self.property(full)
            if value is not None:
                return full, value
        return f"stonith-{name}", None

    def running(self, agent: str) -> tuple[Resource, ...]:
        """Return the resources of an agent."""
        return tuple(resource for resource in self.resources if resource.agent == agent)

    def resource(self, name: str) -> Resource | None:
        """Return the resource of that name."""
        return next((resource for resource in self.resources if resource.id == name), None)

    def levels(self, node: str) -> tuple[Level, ...]:
        """Return a node's fencing levels in the order in which they are tried."""
        from nova_ha.pacemaker.fencing_levels import is_for, pcs_target

        found = [level for level in self.root.iterfind(".//fencing-level") if is_for(level, node, self.root)]
        found.sort(key=lambda level: int(level.get("index", "0")))
        return tuple(
            Level(item.get("index", ""), _words(item.get("devices", "")), pcs_target(item)) for item in found
        )

    def node_attributes(self, node: str) -> dict[str, str]:
        """Return a node's attributes, permanent and transient ones."""
        found: dict[str, str] = {}
        for entry in self.root.iterfind("configuration/nodes/node"):
            if entry.get("uname") == node:
                found.update(_pairs(entry, "instance_attributes"))
        for state in self.root.iterfind("status/node_state"):
            if state.get("uname") == node:
                found.update(_pairs(state, "transient_attributes/instance_attributes"))
        return found

    def _resources(self) -> Iterator[Resource]:
        templates = {item.get("id", ""): item for item in self.root.iter("template")}
        defaults = _pairs(self.root, "configuration/rsc_defaults/meta_attributes")
        parents = {child: parent for parent in self.root.iter() for child in parent}
        for primitive in self.root.iterfind("configuration/resources//primitive"):
            around = list(_around(primitive, parents))
            template = templates.get(primitive.get("template", ""))
            yield self._resource(primitive, template, around, defaults)

    def _resource(
        self,
        primitive: ET.Element,
        template: ET.Element | None,
        around: list[ET.Element],
        defaults: Mapping[str, str],
    ) -> Resource:
        # What is nearer to the primitive wins.
        sources = [element for element in (template, *reversed(around), primitive) if element is not None]
        parameters: dict[str, str] = {}
        operations: dict[str, Mapping[str, str]] = {}
        meta = dict(defaults)
        for source in sources:
            parameters.update(_pairs(source, "instance_attributes"))
            meta.update(_pairs(source, "meta_attributes"))
            operations.update(self._operations(source))
        kind = primitive if primitive.get("type") or template is None else template
        return Resource(
            id=primitive.get("id", ""),
            agent=":".join(part for part in map(kind.get, ("class", "provider", "type")) if part),
            parameters=parameters,
            meta=meta,
            operations=operations,
            monitors=tuple(monitor for source in sources for monitor in _monitors(source)),
            parents=tuple(element.get("id", "") for element in around),
            is_clone=any(element.tag in ("clone", "master", "bundle") for element in around),
        )

    def _operations(self, source: ET.Element) -> Iterator[tuple[str, Mapping[str, str]]]:
        for operation in source.iterfind("operations/op"):
            # The deeper monitors of an agent have limits of their own; the plain one stands first.
            if operation.get("name") != "monitor" or not _pairs(operation, "instance_attributes"):
                own = {**_pairs(operation, "meta_attributes"), **operation.attrib}
                yield operation.get("name", ""), {**self._op_defaults, **own}


def _monitors(source: ET.Element) -> Iterator[Monitor]:
    """Yield the monitors with an interval; Pacemaker repeats them, unless enabled=false."""
    for operation in source.iterfind("operations/op[@name='monitor']"):
        own = {**_pairs(operation, "meta_attributes"), **operation.attrib}
        interval = seconds(own.get("interval", "0"))
        if interval != 0:
            level = _pairs(operation, "instance_attributes").get("OCF_CHECK_LEVEL", "0")
            is_enabled = own.get("enabled", "true").lower() not in FALSE
            yield Monitor(interval, int(level) if level.isdecimal() else 0, is_enabled)


def _around(primitive: ET.Element, parents: Mapping[ET.Element, ET.Element]) -> Iterator[ET.Element]:
    """Yield the elements around a primitive up to the section of resources."""
    parent = parents[primitive]
    while parent.tag != "resources":
        yield parent
        parent = parents[parent]


def _pairs(element: ET.Element, path: str) -> dict[str, str]:
    """Return the names and values of the sets of pairs below an element."""
    return {pair.get("name", ""): pair.get("value", "") for pair in element.iterfind(f"{path}/nvpair")}


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,\s]+", text.strip()) if word)
