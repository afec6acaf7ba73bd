# SPDX-License-Identifier: Apache-2.0
"""The cluster's configuration: one XML document, pushed with cibadmin (0.2 s; by pcs commands 20 s)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.lab import layout
from tests.lab.layout import Node

CLOUD = {"cloud": "lab", "clouds_yaml": "/etc/nova-ha/clouds.yaml"}
_PROPERTIES = {
    "cluster-recheck-interval": "1min",
    "concurrent-fencing": "true",
    "dc-deadtime": "2s",
    # As in pcs-examples. Else a busy machine's Pacemaker starts and fences one thing at a time.
    "load-threshold": "1000%",
    "stonith-enabled": "true",
    "stonith-timeout": "120s",
}


@dataclass(frozen=True)
class Primitive:
    """One resource: `agent` as pcs writes it (ocf:pacemaker:Dummy, stonith:fence_lab)."""

    name: str
    agent: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    operations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)

    def xml(self) -> ET.Element:
        """Return the resource as the CIB has it."""
        standard, *provider, kind = self.agent.split(":")
        element = ET.Element("primitive", id=self.name, attrib={"class": standard}, type=kind)
        if provider:
            element.set("provider", provider[0])
        _add_values(element, "instance_attributes", f"{self.name}-parameters", self.parameters)
        _add_values(element, "meta_attributes", f"{self.name}-meta", self.meta)
        operations = ET.SubElement(element, "operations")
        for name, options in self.operations.items():
            _add(operations, "op", f"{self.name}-{name}", name=name, **{"interval": "0s", **options})
        return element


def _add(parent: ET.Element, tag: str, identity: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, {"id": identity, **attributes})


def _add_values(parent: ET.Element, tag: str, identity: str, values: Mapping[str, str]) -> None:
    if values:
        group = _add(parent, tag, identity)
        for name, value in values.items():
            _add(group, "nvpair", f"{identity}-{name}", name=name, value=value)


def remote(node: Node) -> Primitive:
    """Return the connection to a compute node; its death is noticed within about 6 s."""
    return Primitive(
        node.name,
        "ocf:pacemaker:remote",
        {"server": node.address, "reconnect_interval": "3s"},
        {
            "monitor": {"interval": "2s", "timeout": "4s"},
            "start": {"timeout": "30s"},
            "stop": {"timeout": "30s"},
        },
    )


def ipmi(node: Node) -> Primitive:
    """Return the power fencing device of a compute node.

    cipher=3: with its default fence_ipmilan needs 10 s per call against ipmi_sim.
    """
    return Primitive(
        f"ipmi-{node.name}",
        "stonith:fence_ipmilan",
        {
            "pcmk_host_list": node.name,
            "ip": node.bmc_address,
            "username": layout.BMC_USER,
            "password": layout.BMC_PASSWORD,
            "lanplus": "1",
            "cipher": "3",
            "power_wait": "1",
        },
        {"monitor": {"interval": "60s"}},
    )


def power(controllers: Iterable[Node]) -> Primitive:
    """Return the fencing device of the controllers."""
    return Primitive(
        "power-controllers",
        "stonith:fence_lab",
        {"pcmk_host_list": " ".join(node.name for node in controllers)},
        {"monitor": {"interval": "60s"}},
    )


def fence_nova(computes: Iterable[Node]) -> Primitive:
    """Return the fencing device that tells Nova, always the last of a compute node's fencing level."""
    return Primitive(
        "fence-nova",
        "stonith:fence_compute",
        {
            **CLOUD,
            "pcmk_host_list": " ".join(node.name for node in computes),
            "pcmk_off_timeout": "120s",
            "pcmk_on_timeout": "120s",
        },
        {"monitor": {"interval": "60s", "timeout": "60s"}},
        {"provides": "unfencing"},
    )


NOVA_EVACUATE = Primitive(
    "nova-evacuate",
    "ocf:openstack:NovaEvacuate",
    CLOUD,
    {
        "monitor": {"interval": "10s", "timeout": "30s"},
        "start": {"timeout": "60s"},
        "stop": {"timeout": "60s"},
    },
    # As in pcs-examples. Without it Pacemaker moves the evacuator in the middle of a recovery, to balance.
    # Once any device unfences, Pacemaker makes every resource wait for unfencing, unless told otherwise.
    {"resource-stickiness": "1", "failure-timeout": "120s", "requires": "fencing"},
)
NOVA_COMPUTE = Primitive(
    "nova-compute",
    "ocf:openstack:NovaCompute",
    {"user": "root"},
    {
        "monitor": {"interval": "10s", "timeout": "30s"},
        "start": {"timeout": "600s"},
        "stop": {"timeout": "240s"},
    },
    {"requires": "unfencing", "failure-timeout": "60s"},
)
_DUMMY = "ocf:pacemaker:Dummy"
# Stand-ins under the same names, for a lab of the cluster alone.
DUMMY_EVACUATE = Primitive("nova-evacuate", _DUMMY, operations={"monitor": {"interval": "10s"}})
DUMMY_COMPUTE = Primitive("nova-compute", _DUMMY, operations={"monitor": {"interval": "10s"}})


def _clone(primitive: Primitive) -> ET.Element:
    clone = ET.Element("clone", id=f"{primitive.name}-clone")
    _add_values(clone, "meta_attributes", f"{clone.get('id')}-meta", {"interleave": "true"})
    clone.append(primitive.xml())
    return clone


def _ban(constraints: ET.Element, identity: str, what: Mapping[str, str], kinds: str) -> None:
    """Keep resources away from remote nodes (kinds "eq") or from all others (kinds "ne").

    Nor are they looked for there: a start waits for every probe, and a probe of a compute node that returns
    waits for its unfencing, so that the evacuator could not start while a node is on its way back.
    """
    location = _add(constraints, "rsc_location", identity, **what, **{"resource-discovery": "never"})
    rule = _add(location, "rule", f"{identity}-rule", score="-INFINITY")
    _add(rule, "expression", f"{identity}-kind", attribute="#kind", operation=kinds, value="remote")


def _gate() -> ET.Element:
    """Keep nova-compute off a node that was fenced, until the recovery of its servers is complete."""
    location = ET.Element("rsc_location", id="nova-compute-gate", rsc="nova-compute-clone")
    rule = _add(location, "rule", "nova-compute-gate-rule", score="-INFINITY", **{"boolean-op": "and"})
    for attribute, operation in (("nova-ha-fenced", "defined"), ("nova-ha-evacuated", "not_defined")):
        _add(rule, "expression", f"nova-compute-gate-{attribute}", attribute=attribute, operation=operation)
    return location


def _resources(controllers: list[Node], computes: list[Node], with_product: bool) -> ET.Element:
    resources = ET.Element("resources")
    primitives = [*map(remote, computes), *map(ipmi, computes), power(controllers)]
    if with_product and computes:
        primitives.append(fence_nova(computes))
    primitives.append(NOVA_EVACUATE if with_product else DUMMY_EVACUATE)
    resources.extend(primitive.xml() for primitive in primitives)
    if computes:
        resources.append(_clone(NOVA_COMPUTE if with_product else DUMMY_COMPUTE))
    return resources


def _constraints(computes: list[Node]) -> ET.Element:
    constraints = ET.Element("constraints")
    on_controllers = {"rsc-pattern": "^(ipmi-.*|fence-.*|power-.*|nova-evacuate)$"}
    _ban(constraints, "control-plane-on-controllers", on_controllers, "eq")
    if computes:
        _ban(constraints, "compute-on-compute-nodes", {"rsc": "nova-compute-clone"}, "ne")
        constraints.append(_gate())
    return constraints


def _topology(computes: list[Node], with_product: bool) -> ET.Element:
    topology = ET.Element("fencing-topology")
    for node in computes:
        devices = f"ipmi-{node.name},fence-nova" if with_product else f"ipmi-{node.name}"
        _add(topology, "fencing-level", f"level-1-{node.name}", target=node.name, index="1", devices=devices)
    return topology


def cluster_configuration(controllers: list[Node], computes: list[Node], with_product: bool) -> str:
    """Return the configuration section of the CIB; without the product, Dummy resources take its places."""
    configuration = ET.Element("configuration")
    properties = ET.SubElement(configuration, "crm_config")
    _add_values(properties, "cluster_property_set", "cib-bootstrap-options", _PROPERTIES)
    configuration.append(_resources(controllers, computes, with_product))
    configuration.append(_constraints(computes))
    configuration.append(_topology(computes, with_product))
    return ET.tostring(configuration, encoding="unicode")
