# SPDX-License-Identifier: Apache-2.0
"""A sound deployment as doctor sees it: what pcs-examples makes of their sample values, and two idle hosts.

samples/cib-deployed.xml is the result of pcs-examples/apply.sh, with a status in which everything runs.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

from nova_ha.clock import format_time
from nova_ha.commands import doctor
from nova_ha.commands.configuration import Configuration
from nova_ha.commands.facts import AccessFacts, ClusterFacts, Facts, NovaFacts, Program
from nova_ha.model import Server, Service
from nova_ha.openstack.host_names import HostNames
from nova_ha.pacemaker.cib import Cib

SAMPLE = Path(__file__).parents[1] / "pacemaker" / "samples" / "cib-deployed.xml"
NOW = 1_800_000_000.0
HOSTS = ("compute-0", "compute-1")


#: What pacemaker_remoted runs on besides compute nodes: a container of a bundle, a guest, a network node that
#: nova-compute is kept off. As in the test data of Pacemaker's scheduler; names as TripleO gives them.
OTHER_NODES = ("galera-bundle-0", "guest-0", "network-0")
_OTHER_RESOURCES = """
<resources>
  <bundle id="galera-bundle">
    <podman image="galera:pcmklatest" replicas="1" network="host"/>
    <network control-port="3123"/>
    <primitive id="galera" class="ocf" provider="heartbeat" type="galera"/>
  </bundle>
  <primitive id="vm-0" class="ocf" provider="heartbeat" type="VirtualDomain">
    <meta_attributes id="vm-0-meta"><nvpair id="vm-0-n" name="remote-node" value="guest-0"/></meta_attributes>
  </primitive>
  <primitive id="network-0" class="ocf" provider="pacemaker" type="remote">
    <operations><op id="network-0-op" name="monitor" interval="5s" timeout="10s"/></operations>
  </primitive>
</resources>"""
_OTHER_CONSTRAINTS = """
<constraints>
  <rsc_location id="compute-off-network-0" rsc="nova-compute-clone" node="network-0" score="-INFINITY"/>
  <rsc_location id="evacuate-off-network-0" rsc="nova-evacuate" node="network-0" score="-INFINITY"/>
</constraints>"""


def add_other_nodes(root):
    """Give a cluster Pacemaker Remote nodes that are no compute nodes; all are online."""
    for text in (_OTHER_RESOURCES, _OTHER_CONSTRAINTS):
        block = ET.fromstring(text)
        root.find(f"configuration/{block.tag}").extend(block)
    for name in OTHER_NODES:
        entry = {"type": "remote", "id": name, "uname": name}
        ET.SubElement(root.find("configuration/nodes"), "node", entry)
        state = {"remote_node": "true", "id": name, "uname": name, "in_ccm": "true"}
        ET.SubElement(root.find("status"), "node_state", state)


def a_service(host, **different):
    """Return a host in service."""
    plain = {"status": "enabled", "state": "up", "updated_at": format_time(NOW - 3)}
    return Service(id=f"id-{host}", host=host, **{**plain, **different})


def a_server(name, host="compute-0", **different):
    """Return a running server, whose disk is a volume."""
    plain = {"status": "ACTIVE", "vm_state": "active", "task_state": None, "power_state": 1}
    plain["is_volume_backed"] = True
    return Server(id=f"id-{name}", name=name, host=host, **{**plain, **different})


def cluster_facts(root, names=None):
    """Return what a CIB shows, where Nova has hosts of these names."""
    cib = Cib(ET.tostring(root, encoding="unicode"))
    return ClusterFacts(cib, Configuration(cib.root), cib.nodes(), names)


class Deployment:
    """Facts that a test changes before it asks what doctor says.

    Attributes:
        root: the CIB.
        services: Nova's.
        nova: what else Nova shows.
        failed_fencings: why Pacemaker could not fence a node.
        facts: everything else.
    """

    def __init__(self):
        self.root = ET.parse(SAMPLE).getroot()
        self.services = [a_service(host) for host in HOSTS]
        self.nova = {"microversion": (2, 104), "clock_offset": 0.2, "has_conductor": True, "groups": ()}
        self.failed_fencings = {}
        self.facts = {
            "access": (AccessFacts("nova-evacuate", roles=frozenset({"admin", "member"})),),
            "programs": (Program("/usr/sbin/fence_compute"),),
        }

    def find(self, path):
        """Return the one element of the CIB with that path."""
        (found,) = self.root.findall(path)
        return found

    def remove(self, path):
        """Remove the elements of the CIB with that path; at least one."""
        parents = {child: parent for parent in self.root.iter() for child in parent}
        found = self.root.findall(path)
        assert found, path
        for element in found:
            parents[element].remove(element)

    def set(self, path, **attributes):
        """Change attributes of the elements with that path; at least one."""
        found = self.root.findall(path)
        assert found, path
        for element in found:
            element.attrib.update(attributes)

    def property(self, name, value):
        """Set a property of the cluster."""
        group = self.root.find("configuration/crm_config/cluster_property_set")
        for pair in group.findall(f"nvpair[@name='{name}']"):
            group.remove(pair)
        if value is not None:
            ET.SubElement(group, "nvpair", {"id": f"p-{name}", "name": name, "value": value})

    def attribute(self, node, name, value):
        """Give a node a permanent attribute."""
        block = self.root.find(f"configuration/nodes/node[@uname='{node}']/instance_attributes")
        ET.SubElement(block, "nvpair", {"id": f"a-{node}-{name}", "name": name, "value": value})

    def parameter(self, resource, name, value):
        """Set a parameter of a resource; None removes it."""
        block = self.root.find(f".//primitive[@id='{resource}']/instance_attributes")
        for pair in block.findall(f"nvpair[@name='{name}']"):
            block.remove(pair)
        if value is not None:
            ET.SubElement(block, "nvpair", {"id": f"i-{resource}-{name}", "name": name, "value": value})

    def disable(self, resource):
        """Let an admin have disabled a resource."""
        self.meta(resource, "target-role", "Stopped")

    def meta(self, resource, name, value):
        """Give a resource a meta attribute that it does not have."""
        block = ET.SubElement(self.find(f".//primitive[@id='{resource}']"), "meta_attributes", {"id": "more"})
        ET.SubElement(block, "nvpair", {"id": "more-1", "name": name, "value": value})

    def failure(self, resource, node, exit_status, reason):
        """Let the start of a resource have failed on a node, and Pacemaker have stopped it there."""
        history = ET.SubElement(
            self.find(f"status/node_state[@uname='{node}']/lrm/lrm_resources"),
            "lrm_resource",
            {"id": resource},
        )
        said = {"operation": "start", "rc-code": exit_status, "exit-reason": reason, "call-id": "7"}
        ET.SubElement(history, "lrm_rsc_op", {"id": f"{resource}_last_failure_0", **said})
        stop = {"operation": "stop", "rc-code": "0", "call-id": "8"}
        ET.SubElement(history, "lrm_rsc_op", {"id": f"{resource}_last_0", **stop})

    def service(self, host, **different):
        """Let Nova show a host differently."""
        self.services = [s for s in self.services if s.host != host] + [a_service(host, **different)]

    def all_facts(self):
        """Return the facts as they are now."""
        nova = NovaFacts(services=tuple(self.services), **self.nova)
        cluster = cluster_facts(self.root, HostNames((one.host for one in self.services), nova.domain))
        cluster = replace(cluster, failed_fencings=self.failed_fencings)
        return Facts(**{"now": NOW, "cluster": cluster, "nova": nova, **self.facts})


def findings(deployment):
    """Return what doctor finds."""
    return doctor.examine(deployment.all_facts())


def the_finding(deployment):
    """Return the only thing that doctor finds."""
    found = findings(deployment)
    assert 1 == len(found), found
    return found[0]
