# SPDX-License-Identifier: Apache-2.0
"""The files of pcs-examples with other values: other power devices, other agents."""

from __future__ import annotations

import re

import pytest

from nova_ha.commands import doctor
from nova_ha.commands.configuration import Configuration as DoctorsView
from nova_ha.commands.facts import ClusterFacts, Facts
from nova_ha.pacemaker.cib import Cib
from tests.conformance.cluster_configuration import Configuration
from tests.conformance.examples_machine import EXAMPLES, pacemaker

pytestmark = pytest.mark.conformance

REDFISH = ("POWER=redfish", "NODES_BY=resource")
WATCHDOG = ("POWER=watchdog", "NODES_BY=resource")
SMALL = ("CONTROLLERS='controller-0 192.0.2.20'", "COMPUTES='compute-0 192.0.2.100 192.0.2.200'")


def small(machine, name, *variables, **properties):
    """Return a deployment of two nodes with other variables, by apply.sh, which was run twice."""
    cib = machine.cib(name, "controller-0", **properties)
    script = '"$E"/apply.sh && cp "$CIB_FILE" "$CIB_FILE.once" && "$E"/apply.sh'
    done = machine.run(script, cib, *SMALL, *variables)
    assert 0 == done.returncode, done.stderr
    assert cib.with_name(f"{name}.xml.once").read_bytes() == cib.read_bytes()
    return Configuration(cib)


def found_by_doctor(configuration):
    """Return the checks of nova-ha doctor that find something."""
    state = Cib(configuration.path.read_text(encoding="utf-8"))
    cluster = ClusterFacts(state, DoctorsView(state.root), state.nodes())
    return {finding.check for finding in doctor.examine(Facts(now=0.0, cluster=cluster))}


def test_redfish(machine):
    """With Redfish the levels name its devices, and certificates are checked; nodes need no pcsd to join."""
    configuration = small(machine, "redfish", *REDFISH)
    assert {("compute-0", "1"): "redfish-compute-0,fence-nova"} == configuration.levels()
    device = configuration.parameters("redfish-compute-0")
    assert ("192.0.2.200", "1", None) == (device["ip"], device["ssl_secure"], device.get("ssl_insecure"))
    assert "192.0.2.100" == configuration.parameters("compute-0")["server"]
    assert (0, "") == pacemaker("crm_verify", "--xml-file", str(configuration.path), "-VV")
    # In a file nothing runs.
    assert {"evacuator"} == found_by_doctor(configuration)


def test_another_power_device(machine):
    """A level that is there is left as it is; the README's commands put another one in its place."""
    cib = small(machine, "moved", "POWER=ipmi", "NODES_BY=resource").path
    levels = {"ipmi": {("compute-0", "1"): "ipmi-compute-0,fence-nova"}}
    levels["redfish"] = {("compute-0", "1"): "redfish-compute-0,fence-nova"}
    done = machine.run('"$E"/apply.sh', cib, *SMALL, *REDFISH)
    assert "# compute-0 has a level with another power device, which is left as it is" in done.stdout
    assert levels["ipmi"] == Configuration(cib).levels()
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    section = readme.split("### Another power device\n")[1].split("\n### ")[0]
    commands = re.findall(r"^\d\. .*?`(pcs .*?|\./apply\.sh)`", section, flags=re.MULTILINE)
    assert ["pcs", "pcs", "./apply.sh", "pcs"] == [command.split()[0] for command in commands]
    script = "\n".join(command.replace("./", '"$E"/', 1) for command in commands)
    done = machine.run(
        f'pcs() {{ command pcs -f "$CIB_FILE" "$@"; }}\nset -e\n{script}', cib, *SMALL, *REDFISH
    )
    assert 0 == done.returncode, done.stderr
    assert levels["redfish"] == Configuration(cib).levels()
    assert Configuration(cib).resource("ipmi-compute-0") is None
    assert "target-role" not in Configuration(cib).meta("fence-nova")
    assert (0, "") == pacemaker("crm_verify", "--xml-file", str(cib), "-VV")


def test_services_may_have_any_agent(machine):
    """A service may be run by any agent, with parameters; the time limits stay."""
    agent = "CEILOMETER='ocf:pacemaker:Dummy state=/run/ceilometer fake=a'"
    configuration = small(machine, "agents", *REDFISH, agent)
    service = configuration.resource("ceilometer-compute")
    assert ("pacemaker", "Dummy") == (service.get("provider"), service.get("type"))
    assert {"state": "/run/ceilometer", "fake": "a"} == configuration.parameters("ceilometer-compute")
    assert configuration.timeout("ceilometer-compute", "stop") == configuration.timeout("libvirtd", "stop")
    assert "systemd" == configuration.resource("libvirtd").get("class")


def test_watchdog(machine):
    """With a watchdog alone there is no record device, no level, and nothing waits for unfencing."""
    configuration = small(machine, "watchdog", *WATCHDOG, have_watchdog="true")
    assert (None, {}) == (configuration.resource("fence-nova"), configuration.levels())
    assert "fencing" == configuration.meta("nova-compute")["requires"]
    assert "unfencing" not in configuration.path.read_text(encoding="utf-8")
    assert "15s" == configuration.meaning()["properties"]["stonith-watchdog-timeout"]
    assert {"pcmk_host_list": "controller-0"} == configuration.parameters("watchdog")


def test_watchdogs_of_compute_nodes_count_only_on_request(machine):
    """With WATCHDOG_COMPUTES=yes the watchdog device names the compute nodes, too, and doctor objects."""
    configuration = small(machine, "watchdogs", *WATCHDOG, "WATCHDOG_COMPUTES=yes", have_watchdog="true")
    assert {"pcmk_host_list": "controller-0 compute-0"} == configuration.parameters("watchdog")
    assert "watchdog" in found_by_doctor(configuration)


def test_without_sbd_no_watchdog_is_waited_for(machine):
    """Where Pacemaker sees no sbd, step 042 says what to do, and changes nothing."""
    cib = machine.cib("no-sbd", "controller-0")
    before = cib.read_bytes()
    done = machine.run('"$E"/042-power-watchdog.sh', cib, *SMALL, *WATCHDOG)
    assert (1, before) == (done.returncode, cib.read_bytes())
    assert "Pacemaker sees no sbd" in done.stderr
