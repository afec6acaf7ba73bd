# SPDX-License-Identifier: Apache-2.0
"""nova-ha status: from Pacemaker's records, Nova and the journal, whatever of them answers."""

from __future__ import annotations

import argparse
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from nova_ha.clock import parse_time
from nova_ha.commands import run
from nova_ha.commands.configuration import EVACUATE_AGENT
from nova_ha.commands.evacuate import evacuate
from nova_ha.commands.status import StatusGatherer
from nova_ha.commands.status_text import as_json, as_text
from nova_ha.errors import NovaUnavailable
from nova_ha.runner import Result
from nova_ha.testing.faults import Unreachable
from tests.unit.commands.deployment import add_other_nodes

IDLE = {"watch": False, "json": False}


def show(commands, **options):
    """Call nova-ha status; return exit status and output."""
    commands.said.clear()
    return run.status(commands.here(), argparse.Namespace(**{**IDLE, **options})), commands.text


class SilentNova:
    """A Nova that does not answer."""

    def services(self):
        """Fail."""
        raise NovaUnavailable("list the services: no connection")


def test_idle_cloud(commands):
    """Every host is in a line; there is nothing else to be told."""
    status, text = show(commands)
    assert 0 == status
    lines = text.splitlines()
    assert ["Pacemaker: none", "Nova: answers"] == lines[:2]
    assert [["compute-0", "-", "up", "up"]] == [line.split() for line in lines if "compute-0" in line]


def test_recovery_without_pacemaker(commands):
    """A recovery on somebody's word shows that word, the servers, and at the end the journal."""
    commands.die("compute-0")
    evacuate(commands.here(), "compute-0", "Ann pulled the plug", take_over=False)
    text = show(commands)[1]
    assert "off on the word of Ann pulled the plug (" in text
    assert "its servers are recovered; it is not back in service yet" in text
    host, *_, by = text.splitlines()[-1].split()
    assert ("compute-0", True) == (host, by.startswith("nova-ha@"))


def test_progress_of_a_recovery(commands):
    """While a recovery is open each server is shown with its phase and where it goes."""
    commands.with_pacemaker(evacuator=True).die("compute-0")
    gatherer, shown = StatusGatherer(commands.here()), []
    cluster = commands.world.cluster
    fenced_at = "2026-01-01T00:01:00Z"
    cluster.write_record("compute-0", fenced_at)
    server = commands.world.cloud.by_name("web-0-0")
    service = commands.nova.services()[0]
    commands.nova.tell_down(service, "nova-ha: fenced x")
    commands.nova.evacuate(server.id, None)
    add_record(commands.root, "compute-0", fenced_at)
    for _ in range(2):
        commands.world.run(4.0)
        report = gatherer.look()
        (host,) = [one for one in report.hosts if one.host == "compute-0"]
        shown.append({one.name: (one.phase, one.destination) for one in host.servers})
    assert ("waiting", None) == shown[0]["web-0-1"]
    assert ("done", server.host) == shown[1]["web-0-0"]
    assert "1 done, 1 waiting" in as_text(report)


def add_record(root, node, fenced_at):
    """Write a record into a CIB."""
    block = root.find(f"configuration/nodes/node[@uname='{node}']/instance_attributes")
    ET.SubElement(block, "nvpair", {"id": "r", "name": "nova-ha-fenced", "value": f"fenced {fenced_at}"})


def test_other_nodes(commands):
    """Nodes that run no nova-compute are no hosts, unless one has a record, which must be explained."""
    commands.with_pacemaker(evacuator=True)
    add_other_nodes(commands.root)
    hosts = [host.host for host in StatusGatherer(commands.here()).look().hosts]
    assert ["compute-0", "compute-1", "compute-2"] == hosts
    entry = commands.root.find("configuration/nodes/node[@uname='network-0']")
    ET.SubElement(entry, "instance_attributes", {"id": "n"})
    add_record(commands.root, "network-0", "2026-01-01T00:01:00Z")
    assert "network-0: fenced 2026-01-01T00:01:00Z" in show(commands)[1]


def test_word_in_a_cluster(commands):
    """On whose word a node counts as off is shown with its record, and not with a later one."""
    commands.with_pacemaker(evacuator=True)
    add_record(commands.root, "compute-0", "2026-01-01T00:01:00Z")
    entry = commands.root.find("configuration/nodes/node[@uname='compute-0']/instance_attributes")
    value = "2026-01-01T00:01:00Z root@ctl: Ann pulled the plug"
    word = ET.SubElement(entry, "nvpair", {"id": "w", "name": "nova-ha-confirmed", "value": value})
    assert "off on the word of root@ctl: Ann pulled the plug" in show(commands)[1]
    word.set("value", value.replace("00:01", "00:00"))
    assert "on the word of" not in show(commands)[1]


def test_nova_is_down(commands):
    """Without Nova the nodes and their records are shown, and that Nova does not answer."""
    commands.with_pacemaker(evacuator=True)
    add_record(commands.root, "compute-0", "2026-01-01T00:01:00Z")
    commands.nova = SilentNova()
    status, text = show(commands)
    assert 0 == status
    assert "Nova: does not answer: list the services: no connection" in text
    assert "compute-0: fenced 2026-01-01T00:01:00Z" in text
    assert "Nova does not tell how far its servers are" in text


def test_nobody_answers(commands):
    """Without Nova and Pacemaker there is nothing to show, and the exit status says so."""
    commands.nova = SilentNova()
    assert 3 == show(commands)[0]


def test_cluster(commands):
    """Quorum, controllers and the evacuator with its complaint stand at the top."""
    commands.with_pacemaker(evacuator=True)
    path = ".//lrm_resource[@id='nova-evacuate']/lrm_rsc_op[@id='nova-evacuate_monitor_10000']"
    (action,) = commands.root.iterfind(path)
    action.attrib.update({"rc-code": "190", "exit-reason": "host compute-1: held"})
    lines = show(commands)[1].splitlines()
    assert "Pacemaker: quorate, 3 of 3 controllers online" == lines[0]
    assert "evacuator: nova-evacuate on controller-1, degraded: host compute-1: held" == lines[2]


def test_json(commands):
    """The keys for programs are those of the module's text."""
    commands.with_pacemaker(evacuator=True)
    add_record(commands.root, "compute-0", "2026-01-01T00:01:00Z")
    shown = json.loads(show(commands, json=True)[1])
    assert {
        "time",
        "pacemaker",
        "nova",
        "controllers",
        "evacuators",
        "hosts",
        "recoveries",
        "unreadable",
    } == set(shown)
    host = next(one for one in shown["hosts"] if one["host"] == "compute-0")
    assert {"host", "state", "sentence", "node", "nova", "record", "servers"} == set(host)
    assert {"fenced_at": "2026-01-01T00:01:00Z", "open": True, "on_whose_word": None} == host["record"]
    phases = {(one["name"], one["phase"]) for one in host["servers"]}
    assert {("web-0-0", "waiting"), ("web-0-1", "waiting")} == phases


def watch(commands, *, as_json):
    """Return what --watch has shown after four seconds."""
    shown = []

    def say(text):
        shown.append(text)
        if len(shown) == 3:
            raise KeyboardInterrupt

    commands.say = say
    with pytest.raises(KeyboardInterrupt):
        run.status(commands.here(), argparse.Namespace(watch=True, json=as_json))
    assert 4.0 <= commands.world.clock.monotonic()
    return shown


def test_watch(commands):
    """With --watch the report comes again until somebody ends it."""
    assert ["Pacemaker: none"] * 3 == [text.splitlines()[0] for text in watch(commands, as_json=False)]


def test_watch_for_programs(commands):
    """With --watch and --json each line is a report."""
    shown = watch(commands, as_json=True)
    assert 3 == len("\n".join(shown).splitlines())
    assert [4.0] == [
        round(parse_time(json.loads(shown[2])["time"]) - parse_time(json.loads(shown[0])["time"]))
    ]


class StartingPacemaker:
    """Tools of a Pacemaker that is down when it is asked first."""

    def __init__(self, cib):
        self.cib = cib
        self.asked = 0

    def run(self, *command, timeout=30.0):
        """Answer `cibadmin --query`, from the second time on."""
        assert timeout
        self.asked += 1
        if self.asked == 1:
            return Result(command, 102, "", "Could not connect to the CIB: Transport endpoint not connected")
        return Result(command, 0, self.cib, "")


def test_pacemaker_comes_up(commands, tmp_path):
    """A Pacemaker that was down at the first look is shown, with its hosts, as soon as it answers."""
    commands.with_pacemaker(evacuator=True)
    runner = StartingPacemaker(ET.tostring(commands.root, encoding="unicode"))
    here = replace(commands.here(), runner=runner, sign=str(tmp_path), environ={"OS_CLOUD": "c"})
    gatherer = StatusGatherer(here)
    first, second = (as_text(gatherer.look()).splitlines()[0] for _ in range(2))
    assert first.startswith("Pacemaker: Pacemaker does not answer: Could not connect")
    assert "Pacemaker: quorate, 3 of 3 controllers online" == second


def test_settings_of_a_pacemaker_that_comes_up(commands, tmp_path):
    """Nova is connected with what the cluster's resources say, once they can be read."""
    commands.with_pacemaker(evacuator=True)
    runner = StartingPacemaker(ET.tostring(commands.root, encoding="unicode"))
    here = replace(commands.here(), runner=runner, sign=str(tmp_path))
    assert [""] == [source.agent for source in here.sources]
    here.look_again()
    assert EVACUATE_AGENT in [source.agent for source in here.sources]


def test_unreadable_ledger(commands):
    """A broken file of the ledger is named, and does not hide the other hosts (rule R3)."""
    commands.die("compute-0")
    evacuate(commands.here(), "compute-0", "Ann pulled the plug", take_over=False)
    broken = commands.folder / "hosts" / "compute-1.json"
    broken.write_text('{"host": "comp', encoding="utf-8")
    status, text = show(commands)
    assert 0 == status
    (line,) = [line for line in text.splitlines() if line.startswith("hosts are missing below: ")]
    assert f"{broken}: not valid JSON" in line
    assert "compute-0: fenced " in text
    (told,) = json.loads(show(commands, json=True)[1])["unreadable"]
    assert f"{broken}: not valid JSON" in told


def test_reads_that_fail(commands):
    """A host whose servers Nova does not list is shown without them."""
    commands.with_pacemaker(evacuator=True)
    add_record(commands.root, "compute-0", "2026-01-01T00:01:00Z")
    report = StatusGatherer(commands.here(nova=PartlySilent(commands.nova))).look()
    (host,) = [one for one in report.hosts if one.host == "compute-0"]
    assert (None, "fenced") == (host.servers, host.state)
    assert json.loads(as_json(report))


class PartlySilent:
    """A Nova that lists services, and no evacuations."""

    def __init__(self, nova):
        self.services = nova.services

    def evacuations(self, host):
        """Fail."""
        raise NovaUnavailable(f"{host}: {Unreachable.__name__}")
