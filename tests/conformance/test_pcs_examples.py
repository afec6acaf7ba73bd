# SPDX-License-Identifier: Apache-2.0
"""What the files of pcs-examples make of the sample values."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from nova_ha.commands import doctor
from nova_ha.commands.configuration import Configuration as DoctorsView
from nova_ha.commands.facts import ClusterFacts, Facts
from nova_ha.pacemaker.cib import Cib
from nova_ha.settings.option_table import OPTIONS
from tests.conformance.cluster_configuration import Configuration
from tests.conformance.examples_machine import pacemaker, simulated

pytestmark = pytest.mark.conformance

CHAIN = ("neutron-openvswitch-agent", "libvirtd", "ceilometer-compute", "nova-compute")
#: Seconds for which fence_ipmilan and fence_redfish wait for a node to be on, by default.
POWER_TIMEOUT = 20


def test_pacemaker_has_nothing_to_say(deployed):
    """Pacemaker checks the result without an error or a warning."""
    assert (0, "") == pacemaker("crm_verify", "--xml-file", str(deployed), "-VV")


def test_doctor_has_nothing_to_say(deployed):
    """What the steps configure is what nova-ha doctor wants to see, as far as a file can show it."""
    state = Cib(deployed.read_text(encoding="utf-8"))
    cluster = ClusterFacts(state, DoctorsView(state.root), state.nodes())
    found = doctor.examine(Facts(now=0.0, cluster=cluster))
    # In a file nothing runs.
    assert {"evacuator"} == {finding.check for finding in found}


def test_power_comes_first(deployed):
    """Each compute node has one level, power before record; the record device names no other node."""
    configuration = Configuration(deployed)
    levels = {(node, "1"): f"ipmi-{node},fence-nova" for node in ("compute-0", "compute-1")}
    assert levels == configuration.levels()
    assert "compute-0 compute-1" == configuration.parameters("fence-nova")["pcmk_host_list"]


def test_unfencing_is_spelled_out(deployed):
    """fence_compute provides unfencing, nova-compute requires it, and Pacemaker acts in that order."""
    configuration = Configuration(deployed)
    assert "unfencing" == configuration.meta("fence-nova")["provides"]
    assert "unfencing" == configuration.meta("nova-compute")["requires"]
    log = simulated(deployed)
    starts = re.search(r"nova-compute:\d +start on compute-0", log)
    assert log.index("Fencing compute-0 (on)") < log.index("compute-0       start on") < starts.start()


def test_services_start_in_order_on_compute_nodes_only(deployed):
    """Each service of the chain is ordered after the one before and on the same compute node."""
    configuration = Configuration(deployed)
    links = {(f"{a}-clone", f"{b}-clone") for a, b in zip(CHAIN, CHAIN[1:])}
    assert links == configuration.pairs("rsc_order", "first", "then")
    assert {(b, a) for a, b in links} == configuration.pairs("rsc_colocation", "rsc", "with-rsc")
    started = re.findall(r"action: (\S+?):\d +start on (\S+)", simulated(deployed))
    for node in ("compute-0", "compute-1"):
        assert [*CHAIN] == [name for name, where in started if where == node]
    assert {"compute-0", "compute-1"} == {where for _, where in started}


def test_the_evacuator_stays_on_controllers_and_waits_for_nobody(deployed):
    """NovaEvacuate starts on a controller and nowhere else, and no order names it."""
    orders = Configuration(deployed).pairs("rsc_order", "first", "then")
    assert not [pair for pair in orders if "nova-evacuate" in pair]
    assert re.search(r"nova-evacuate +start on controller-\d", simulated(deployed))
    tree = ET.parse(deployed)
    for pair in tree.iterfind(".//nodes/node//nvpair[@value='controller']"):
        pair.set("value", "none")
    no_controllers = deployed.with_name("no-controllers.xml")
    tree.write(no_controllers)
    assert not re.search(r"nova-evacuate +start on", simulated(no_controllers))


def test_the_evacuator_starts_though_no_compute_node_does(deployed):
    """After an outage of the whole site the evacuator starts while every compute node is held back."""
    tree = ET.parse(deployed)
    for node in ("compute-0", "compute-1"):
        meta = ET.SubElement(tree.find(f".//primitive[@id='{node}']"), "meta_attributes", {"id": f"{node}-m"})
        ET.SubElement(meta, "nvpair", {"id": f"{node}-m-r", "name": "target-role", "value": "Stopped"})
    held_back = deployed.with_name("held-back.xml")
    tree.write(held_back)
    log = simulated(held_back)
    assert re.search(r"nova-evacuate +start on controller-\d", log)
    assert not re.search(r"nova-compute:\d +start on", log)


def default(name):
    """Return the default of one of the product's options, in seconds."""
    return next(int(option.default) for option in OPTIONS if option.name == name)


def with_attributes(path, node, **attributes):
    """Return a copy of a configuration in which a node has more attributes."""
    tree = ET.parse(path)
    block = tree.find(f".//nodes/node[@uname='{node}']/instance_attributes")
    for name, value in attributes.items():
        ET.SubElement(block, "nvpair", {"id": f"a-{name}", "name": name.replace("_", "-"), "value": value})
    copy = path.with_name("with-attributes.xml")
    tree.write(copy)
    return copy


def test_nova_compute_waits_for_the_recovery(deployed):
    """A node with a record gets everything but nova-compute, until the mark is there, too."""
    time = "2026-11-22T06:40:12Z"
    log = simulated(with_attributes(deployed, "compute-0", nova_ha_fenced=f"fenced {time}"))
    started = re.findall(r"action: (\S+?):\d +start on (\S+)", log)
    assert {(name, "compute-0") for name in CHAIN[:3]} <= set(started)
    assert {"compute-1"} == {where for name, where in started if name == "nova-compute"}
    both = {"nova_ha_fenced": f"fenced {time}", "nova_ha_evacuated": time}
    log = simulated(with_attributes(deployed, "compute-0", **both))
    assert re.search(r"nova-compute:\d +start on compute-0", log)


def test_time_limits_fit_together(deployed):
    """What waits inside of an action has less time than the action itself."""
    configuration = Configuration(deployed)
    switch, device = configuration.parameters("ipmi-compute-0"), configuration.parameters("fence-nova")
    assert POWER_TIMEOUT < int(switch["pcmk_on_timeout"].removesuffix("s")) < POWER_TIMEOUT * 2
    assert int(device["pcmk_off_timeout"].removesuffix("s")) > default("cluster_wait")
    assert int(device["pcmk_on_timeout"].removesuffix("s")) > default("on_wait")
    assert configuration.timeout("nova-compute", "stop") >= 160 + 15
    assert configuration.timeout("nova-compute", "start") > default("start_wait") + 10 + 3
    for service in CHAIN[:3]:
        assert configuration.timeout(service, "stop") > 90
    assert {"60s", "120s"} == {configuration.meta(name)["failure-timeout"] for name in CHAIN}


def test_nova_compute_is_looked_at_twice(deployed):
    """A cheap monitor runs often, one that looks thoroughly seldom; no two have the same interval."""
    resource = Configuration(deployed).resource("nova-compute")
    found = {
        op.get("interval"): {pair.get("name"): pair.get("value") for pair in op.iter("nvpair")}
        for op in resource.iterfind("operations/op[@name='monitor']")
    }
    assert {"10s": {}, "60s": {"OCF_CHECK_LEVEL": "10"}} == found


def test_no_credentials_are_in_the_configuration(deployed):
    """Everybody who may read the configuration learns the cloud's name, and no password."""
    configuration = Configuration(deployed)
    names = {pair.get("name") for pair in configuration.root.iter("nvpair")}
    assert set() == {name for name in names if re.search("passw|secret|auth_url", name)} - {"password_script"}
    for name in ("fence-nova", "nova-evacuate"):
        assert {"cloud", "clouds_yaml"} <= set(configuration.parameters(name))
    assert {"user": "nova"} == configuration.parameters("nova-compute")


def test_everything_is_started_in_the_end(deployed):
    """Nothing is left disabled."""
    assert not [
        pair for pair in Configuration(deployed).root.iter("nvpair") if pair.get("name") == "target-role"
    ]
