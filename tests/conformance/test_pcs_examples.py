# SPDX-License-Identifier: Apache-2.0
"""The files of pcs-examples, run with the real pcs and crmsh on a configuration in a file."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest

from nova_ha.cib import Cib
from nova_ha.commands import doctor
from nova_ha.commands.configuration import Configuration as DoctorsView
from nova_ha.commands.facts import ClusterFacts, Facts
from nova_ha.option_table import OPTIONS
from tests.conformance.installed import CHECKOUT, Installed

pytestmark = pytest.mark.conformance

EXAMPLES = CHECKOUT / "pcs-examples"
COROSYNC = """\
totem { version: 2
 cluster_name: sample
 transport: knet
}
nodelist { node { ring0_addr: 192.0.2.10
  name: controller-0
  nodeid: 1
 } }
quorum { provider: corosync_votequorum
}
"""
CONTROLLERS = ("controller-0", "controller-1", "controller-2")
CHAIN = ("neutron-openvswitch-agent", "libvirtd", "ceilometer-compute", "nova-compute")
#: The agents and pcs as the examples find them; the examples' own PATH begins with /usr/sbin.
SESSION = """\
set -e
mount --bind "$AGENT" /usr/sbin/fence_compute
/usr/bin/python3 "$PCS_SERVER/pcs" --serve "$PCS_SERVER" &
server=$!
trap 'kill $server' EXIT
while [ ! -S "$PCS_SERVER/pcs.socket" ]; do sleep 0.05; done
mount --bind "$PCS_SERVER/pcs" /usr/sbin/pcs
"""
REDFISH = ("POWER=redfish", "NODES_BY=resource")
WATCHDOG = ("POWER=watchdog", "NODES_BY=resource")
#: Seconds for which fence_ipmilan and fence_redfish wait for a node to be on, by default.
POWER_TIMEOUT = 20
SMALL = ("CONTROLLERS='controller-0 192.0.2.20'", "COMPUTES='compute-0 192.0.2.100 192.0.2.200'")


@dataclass
class Machine:
    """A controller with nova-ha on it, and the results of commands that were run there."""

    folder: Path
    installed: Installed

    def run(self, script, cib, *variables):
        """Run a script in which $E are the examples, on a configuration; variables as in variables.sh."""
        settings = self.folder / f"{cib.stem}.variables"
        shipped = (EXAMPLES / "variables.sh").read_text(encoding="utf-8")
        settings.write_text("\n".join((shipped, *variables, "")), encoding="utf-8")
        server = self.folder / f"{cib.stem}.pcs"
        server.mkdir(exist_ok=True)
        (server / "pcs.socket").unlink(missing_ok=True)
        shutil.copy(Path(__file__).parent / "quick_pcs.py", server / "pcs")
        (server / "pcs").chmod(0o755)
        return self.installed.run(
            "sh", "-c", SESSION + script, HOME=str(self.folder), E=str(EXAMPLES), CIB_FILE=str(cib),
            VARIABLES=str(settings), PCS_SERVER=str(server),
            COROSYNC_CONF=str(self.folder / "corosync.conf"),
            AGENT=str(CHECKOUT / "fence_compute" / "fence_compute"),
        )  # fmt: skip

    def cib(self, name, *controllers, **properties):
        """Return the file of a configuration as it is when the controllers have just become a cluster.

        Pacemaker itself adds properties, such as have_watchdog with sbd.
        """
        tool = ["/usr/sbin/cibadmin", "--empty"]
        root = ET.fromstring(subprocess.run(tool, capture_output=True, text=True, check=True).stdout)
        root.attrib.update({"have-quorum": "1", "dc-uuid": "1"})
        for number, controller in enumerate(controllers, start=1):
            names = {"id": str(number), "uname": controller}
            ET.SubElement(root.find("configuration/nodes"), "node", names)
            member = {"in_ccm": "true", "crmd": "online", "join": "member", "expected": "member"}
            ET.SubElement(root.find("status"), "node_state", {**names, **member})
        group = ET.SubElement(
            root.find("configuration/crm_config"), "cluster_property_set", {"id": "cib-bootstrap-options"}
        )
        for number, (key, value) in enumerate(properties.items()):
            pair = {"id": f"property-{number}", "name": key.replace("_", "-"), "value": value}
            ET.SubElement(group, "nvpair", pair)
        path = self.folder / f"{name}.xml"
        path.write_text(ET.tostring(root, encoding="unicode"), encoding="utf-8")
        return path


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Give a controller."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "corosync.conf").write_text(COROSYNC, encoding="utf-8")
    return Machine(folder, Installed(folder / "machine"))


@pytest.fixture(scope="module")
def deployed(machine):
    """Give the configuration that the steps make of the sample values; beside it is that before step 050."""
    cib = machine.cib("deployed", *CONTROLLERS)
    script = """
    for step in "$E"/0[1-4]*.sh; do "$step"; done
    cp "$CIB_FILE" "$CIB_FILE.before"
    "$E"/apply.sh
    """
    done = machine.run(script, cib)
    assert 0 == done.returncode, done.stderr
    return cib


def small(machine, name, *variables, **properties):
    """Return a deployment of two nodes with other variables, by apply.sh, which was run twice."""
    cib = machine.cib(name, "controller-0", **properties)
    script = '"$E"/apply.sh && cp "$CIB_FILE" "$CIB_FILE.once" && "$E"/apply.sh'
    done = machine.run(script, cib, *SMALL, *variables)
    assert 0 == done.returncode, done.stderr
    assert cib.with_name(f"{name}.xml.once").read_bytes() == cib.read_bytes()
    return Configuration(cib)


class Configuration:
    """What is in a configuration file, without the names of its elements."""

    def __init__(self, path):
        self.path = path
        self.root = ET.parse(path).getroot().find("configuration")

    def values(self, element, kind):
        """Return the name and value pairs of one kind below an element."""
        return {pair.get("name"): pair.get("value") for pair in element.iterfind(f"{kind}/nvpair")}

    def resource(self, name):
        """Return a primitive."""
        return self.root.find(f"resources//primitive[@id='{name}']")

    def meta(self, name):
        """Return the meta attributes of a primitive."""
        return self.values(self.resource(name), "meta_attributes")

    def parameters(self, name):
        """Return the parameters of a primitive."""
        return self.values(self.resource(name), "instance_attributes")

    def timeout(self, name, action):
        """Return the time limit of an action in seconds."""
        op = self.resource(name).find(f"operations/op[@name='{action}']")
        return int(op.get("timeout").removesuffix("s"))

    def levels(self):
        """Return the devices of each node's fencing levels."""
        return {
            (level.get("target"), level.get("index")): level.get("devices")
            for level in self.root.iter("fencing-level")
        }

    def pairs(self, tag, first, second):
        """Return the two resources of each constraint of a kind."""
        return {(item.get(first), item.get(second)) for item in self.root.iter(tag)}

    def meaning(self):
        """Return all that an admin has decided, in a form that pcs and crmsh cannot spell differently."""
        resources = {
            item.get("id"): (
                item.get("class"), item.get("provider"), item.get("type"),
                self.values(item, "instance_attributes"), self.values(item, "meta_attributes"),
                {op.get("name"): (op.get("interval"), op.get("timeout"))
                 for op in item.iter("op") if op.get("name") in ("monitor", "start", "stop")},
            )
            for item in self.root.iterfind("resources//primitive")
        }  # fmt: skip
        clones = {item.get("id"): self.values(item, "meta_attributes") for item in self.root.iter("clone")}
        rules = {
            (item.get("rsc"), item.get("resource-discovery"), rule.get("score"),
             rule.get("boolean-op", "and"),
             *((e.get("attribute"), e.get("operation"), e.get("value")) for e in rule))
            for item in self.root.iter("rsc_location") for rule in item
        }  # fmt: skip
        nodes = {
            item.get("uname"): self.values(item, "instance_attributes") for item in self.root.iter("node")
        }
        return {
            "properties": self.values(self.root, "crm_config/cluster_property_set"), "resources": resources,
            "clones": clones, "rules": rules, "nodes": nodes, "levels": self.levels(),
            "orders": self.pairs("rsc_order", "first", "then"),
            "colocations": self.pairs("rsc_colocation", "rsc", "with-rsc"),
        }  # fmt: skip


def pacemaker(*command):
    """Run one of Pacemaker's tools; return its exit status and all that it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/sbin"})
    return done.returncode, done.stdout + done.stderr


def simulated(path):
    """Return what Pacemaker would do now with a configuration."""
    return pacemaker("crm_simulate", "--xml-file", str(path), "--simulate")[1]


def test_a_second_run_changes_nothing(machine, deployed):
    """Every step run again leaves the file byte for byte as it was, and succeeds."""
    before = deployed.read_bytes()
    done = machine.run('for step in "$E"/0*.sh; do "$step"; done', deployed)
    assert (0, "") == (done.returncode, done.stderr)
    assert before == deployed.read_bytes()


def test_the_rule_about_recoveries_may_have_another_name(machine, deployed):
    """One that was typed as nova-ha doctor advises is found; pcs would refuse to add it once more."""
    cib = machine.folder / "typed.xml"
    cib.write_text(deployed.read_text(encoding="utf-8").replace('id="nova-compute-gate', 'id="typed'))
    before = cib.read_bytes()
    done = machine.run('"$E"/080-constraints.sh', cib)
    assert (0, before) == (done.returncode, cib.read_bytes()), done.stderr


def test_what_the_steps_print_can_be_typed(machine, deployed):
    """A command is shown as a shell reads it, also with a space or a quote in a value."""
    cib = machine.folder / "printed.xml"
    cib.write_bytes(deployed.read_bytes())
    words = ["resource", "create", "dummy", "ocf:pacemaker:Dummy", "fake=it's a test", "--disabled"]
    done = machine.run(f'. "$E"/functions.sh\npcs {shlex.join(words)}', cib)
    assert ["#", "pcs", *words] == shlex.split(done.stdout), done.stderr


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


def test_the_record_device_is_never_alone(machine, deployed):
    """While a node has no level fence_compute is disabled: it would count as a way to switch it off."""
    cib = machine.folder / "alone.xml"
    shutil.copy(f"{deployed}.before", cib)
    script = """
    cat > "$PCS_SERVER/watch" <<'END'
#!/bin/sh
"$PCS_SERVER/pcs" "$@" || exit
cp "$CIB_FILE" "$CIB_FILE.$(date +%s%N)"
END
    chmod 755 "$PCS_SERVER/watch"
    umount /usr/sbin/pcs
    mount --bind "$PCS_SERVER/watch" /usr/sbin/pcs
    "$E"/050-fence-compute.sh && "$E"/060-compute-services.sh && "$E"/070-nova-evacuate.sh
    "$E"/080-constraints.sh && "$E"/090-start.sh && "$E"/remove.sh
    """
    done = machine.run(script, cib)
    assert 0 == done.returncode, done.stderr
    seen = [Configuration(path) for path in machine.folder.glob("alone.xml.*")]
    in_use = [
        c for c in seen if c.resource("fence-nova") is not None and "target-role" not in c.meta("fence-nova")
    ]
    assert len(in_use) > 3
    assert {2} == {len(c.levels()) for c in in_use}
    assert_back_to_the_beginning(cib, deployed)


def assert_back_to_the_beginning(cib, deployed):
    """What remove.sh leaves means the same as what was there before step 050."""
    before = Path(f"{deployed}.before")
    assert Configuration(before).meaning() == Configuration(cib).meaning()
    assert (0, "") == pacemaker("crm_verify", "--xml-file", str(cib), "-VV")


def test_nothing_is_removed_during_a_recovery(machine, deployed):
    """remove.sh refuses while a node's record exists, and changes nothing."""
    cib = machine.folder / "open.xml"
    text = deployed.read_text(encoding="utf-8")
    record = (
        '<nvpair id="r" name="nova-ha-fenced" value="fenced 2026-11-22T06:40:12Z"/></instance_attributes>'
    )
    head, tail = text.split('<node type="remote" id="compute-0"')
    cib.write_text(
        head + '<node type="remote" id="compute-0"' + tail.replace("</instance_attributes>", record, 1)
    )
    before = cib.read_bytes()
    done = machine.run('"$E"/remove.sh', cib)
    assert (1, before) == (done.returncode, cib.read_bytes())
    assert "a node is fenced and not back in service" in done.stderr


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


def test_the_file_for_crmsh_says_the_same(machine, deployed):
    """From its one file crmsh makes what pcs makes of the steps, and of a second load nothing new."""
    cib = machine.cib("crmsh", *CONTROLLERS)
    load = 'CIB_file=$CIB_FILE crm -F configure load update "$E"/crmsh.txt'
    done = machine.run(f'{load} && cp "$CIB_FILE" "$CIB_FILE.once" && {load}', cib)
    assert 0 == done.returncode, done.stderr
    assert Configuration(deployed).meaning() == Configuration(cib).meaning()
    assert cib.with_name("crmsh.xml.once").read_bytes() == cib.read_bytes()
    assert (0, "") == pacemaker("crm_verify", "--xml-file", str(cib), "-VV")


def test_redfish(machine):
    """With Redfish the levels name its devices, and certificates are checked; nodes need no pcsd to join."""
    configuration = small(machine, "redfish", *REDFISH)
    assert {("compute-0", "1"): "redfish-compute-0,fence-nova"} == configuration.levels()
    device = configuration.parameters("redfish-compute-0")
    assert ("192.0.2.200", "1", None) == (device["ip"], device["ssl_secure"], device.get("ssl_insecure"))
    assert "192.0.2.100" == configuration.parameters("compute-0")["server"]
    assert (0, "") == pacemaker("crm_verify", "--xml-file", str(configuration.path), "-VV")


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


def test_shellcheck_is_content():
    """Nothing in the steps is suspicious to shellcheck."""
    scripts = sorted(path.name for path in EXAMPLES.glob("*.sh"))
    assert len(scripts) > 10
    command = ["/usr/bin/shellcheck", "--external-sources", *scripts]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=EXAMPLES)
    assert "" == done.stdout


def test_the_commands_of_the_migration_guide(machine, deployed):
    """The guide's commands make of a configuration for the old agents one without credentials."""
    cib = machine.folder / "old.xml"
    shutil.copy(f"{deployed}.before", cib)
    guide = (EXAMPLES / "MIGRATION.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^ {7}.+\n)+", guide, flags=re.MULTILINE)
    assert 3 == len(blocks)
    cloud = "auth_url=http://keystone:5000/v3 tenant_name=admin domain=localdomain"
    old = f"""
    pcs() {{ command pcs -f "$CIB_FILE" "$@"; }}
    pcs stonith create fence-nova fence_compute {cloud} login=admin passwd=secret record_only=1
    pcs resource create nova-evacuate ocf:openstack:NovaEvacuate {cloud} username=admin password=secret
    """
    done = machine.run("\n".join((old, *blocks)), cib)
    assert 0 == done.returncode, done.stderr
    configuration = Configuration(cib)
    shared = {"cloud": "mycloud", "clouds_yaml": "/etc/nova-ha/clouds.yaml"}
    assert shared == configuration.parameters("nova-evacuate")
    limits = {"pcmk_off_timeout": "120s", "pcmk_on_timeout": "60s"}
    nodes = {"pcmk_host_list": "compute-0 compute-1"}
    assert {**shared, **limits, **nodes} == configuration.parameters("fence-nova")
    assert {"provides": "unfencing", "failure-timeout": "120s"} == configuration.meta("fence-nova")
