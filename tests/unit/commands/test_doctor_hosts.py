# SPDX-License-Identifier: Apache-2.0
"""What doctor says about hosts beside the one thing that each case of breakages_of_hosts.py breaks."""

from __future__ import annotations

import argparse
import json

import pytest

from nova_ha.commands import doctor, run
from nova_ha.commands.evacuate import evacuate
from nova_ha.commands.finding import ERROR, WARNING
from nova_ha.decisions.policy import Policy
from tests.unit.commands.breakages_of_hosts import (
    break_agent,
    break_closed_record,
    break_foreign_agent,
    break_ledger_closed,
    break_ledger_left,
    break_ledger_open,
    break_left_forced_down,
    break_open_record,
    break_record_of_nobody,
)
from tests.unit.commands.deployment import a_server, add_other_nodes, cluster_facts


def found_by(deployment, check):
    """Return what one check finds."""
    return [one for one in doctor.examine(deployment.all_facts()) if check == one.check]


@pytest.mark.parametrize(
    ("hosts", "why"),
    [
        (("compute-1", "compute-9"), "node 'compute-0' is none of Nova's 2 hosts"),
        (("compute-1", "compute-0.a", "compute-0.b"), "may be any of Nova's hosts compute-0.a, compute-0.b"),
    ],
)
def test_record_whose_host_has_another_name(sound, hosts, why):
    """A recovery whose host cannot be told is never advised to be deleted: its servers would be forgotten."""
    break_open_record(sound)
    sound.services = []
    for host in hosts:
        sound.service(host)
    (found,) = found_by(sound, "records")
    assert (ERROR, True) == (found.severity, why in found.problem)
    assert "--delete" not in found.fix
    assert found.fix.startswith("do not delete it; add the node under the name that its host has in Nova")


def test_closed_record_whose_host_has_another_name(sound):
    """A recovery that is complete has no servers left to be forgotten; its host stays out of service."""
    break_closed_record(sound)
    sound.services = []
    sound.service("compute-1")
    (found,) = found_by(sound, "records")
    assert (WARNING, True) == (found.severity, "it is not returned to service" in found.problem)


def test_record_of_a_node_that_runs_no_nova_compute(sound):
    """Only a record of a node on which nova-compute cannot run is there to be deleted."""
    break_record_of_nobody(sound)
    (found,) = found_by(sound, "records")
    wanted = "crm_attribute --node controller-0 --name nova-ha-fenced --lifetime forever --delete"
    assert wanted == found.fix


def test_two_nodes_of_one_host_are_taken_apart_slowly(sound):
    """Neither is named as the one to go, and a connected node is not removed: it would be fenced."""
    sound.services = []
    sound.service("compute-0")
    sound.set("configuration/resources/primitive[@id='compute-1']", id="compute-0.example.org")
    for path in ("configuration/nodes/node[@uname='compute-1']", "status/node_state[@uname='compute-1']"):
        sound.set(path, uname="compute-0.example.org")
    (found,) = found_by(sound, "host-name")
    assert "the nodes compute-0, compute-0.example.org are all this host" in found.problem
    assert found.fix.index("pcs resource disable NODE --wait") < found.fix.index("remove-remote NODE")


@pytest.mark.parametrize("nova", [{}, {"nova": None, "nova_problem": None}], ids=["Nova", "no Nova"])
def test_other_nodes_are_no_compute_nodes(sound, nova):
    """Containers of a bundle, guests and nodes that nova-compute is kept off need no fencing level."""
    add_other_nodes(sound.root)
    sound.facts.update(nova)
    assert [] == doctor.examine(sound.all_facts())


def test_host_of_nova_that_pacemaker_runs_no_nova_compute_on(sound):
    """What Nova knows as a host is a compute node, also where the constraints keep NovaCompute off."""
    add_other_nodes(sound.root)
    sound.service("network-0")
    (found,) = found_by(sound, "fencing-level")
    assert ("network-0", ERROR) == (found.subject, found.severity)


def test_without_a_resource_for_nova_compute(sound):
    """Then the hosts of Nova are the compute nodes, and every connection while Nova is silent."""
    add_other_nodes(sound.root)
    sound.remove(".//resources/clone[@id='nova-compute-clone']")
    assert [] == found_by(sound, "fencing-level")
    cluster = cluster_facts(sound.root)
    assert ["compute-0", "compute-1", "network-0"] == [node.name for node in cluster.compute_nodes]


def test_open_record_makes_no_other_kind_of_node(sound):
    """The rule that keeps nova-compute off while a recovery is open hides no compute node."""
    break_open_record(sound)
    sound.services = []
    assert "compute-0" in [node.name for node in sound.all_facts().cluster.compute_nodes]


@pytest.mark.parametrize(
    ("break_it", "fix"),
    [
        (break_ledger_open, "nova-ha evacuate compute-9"),
        (break_ledger_closed, "nova-ha return compute-9"),
        (break_ledger_left, "rm /var/lib/nova-ha/hosts/compute-9.json"),
    ],
)
def test_way_on_without_pacemaker(sound, break_it, fix):
    """An admin goes on with what the ledger holds, for nobody else does."""
    break_it(sound)
    (found,) = found_by(sound, "records")
    assert fix == found.fix


@pytest.mark.parametrize("break_it", [break_agent, break_foreign_agent])
def test_way_to_install_an_agent_anew(sound, break_it):
    """The fix is one line for a shell, which shows at its end whether the agent is there."""
    break_it(sound)
    (found,) = found_by(sound, "agents")
    wanted = "apt-get install --reinstall nova-ha && /usr/sbin/fence_compute -o metadata"
    assert wanted == found.fix


def test_way_back_of_a_host_that_is_forced_down(sound):
    """The evacuator brings it back once its nova-compute runs; nobody is led to fence a healthy host."""
    break_left_forced_down(sound)
    (found,) = found_by(sound, "services")
    assert found.fix == (
        "start its nova-compute (pcs resource cleanup nova-compute node=compute-1); the evacuator then "
        "brings it back, see nova-ha status"
    )
    sound.set("status/node_state[@uname='compute-1']", in_ccm="false")
    assert "nova-ha status" == found_by(sound, "services")[0].fix


def test_way_back_without_an_evacuator(sound):
    """Then an admin does by hand what it would have done."""
    break_left_forced_down(sound)
    sound.remove(".//resources/primitive[@id='nova-evacuate']")
    up = "openstack compute service set --up compute-1 nova-compute && nova-ha enable compute-1"
    assert found_by(sound, "services")[0].fix.endswith(up)
    sound.set("status/node_state[@uname='compute-1']", in_ccm="false")
    assert "nova-ha evacuate compute-1" == found_by(sound, "services")[0].fix


def test_way_back_without_pacemaker(sound):
    """A record of the ledger is on one machine only, and only there the host can be returned."""
    break_left_forced_down(sound)
    sound.facts["cluster"] = None
    (found,) = found_by(sound, "services")
    assert "nova-ha return compute-1, on the machine whose nova-ha has recovered it" == found.fix


def records_of(commands):
    """Call nova-ha doctor; return what it says of records: subject and fix."""
    commands.said.clear()
    run.doctor(commands.here(settings={}), argparse.Namespace(json=True))
    found = json.loads(commands.text)["findings"]
    return [(one["subject"], one["fix"]) for one in found if "records" == one["check"]]


def test_disks_that_are_not_shared(sound):
    """With shared_storage=0 each such server is named with its reason, and no count is needed."""
    sound.nova["servers"] = {"compute-0": (a_server("web", is_volume_backed=False),)}
    sound.facts["policy"] = Policy(shared_storage=False)
    (found,) = found_by(sound, "guests")
    assert "its disk is on the failed host" in found.problem


def test_ledger_of_this_machine(commands):
    """A recovery without Pacemaker that nobody has ended is found, and so is a ledger that cannot be read."""
    commands.die("compute-0")
    evacuate(commands.here(), "compute-0", "Ann pulled the plug", take_over=False)
    assert [("compute-0", "nova-ha return compute-0")] == records_of(commands)
    (commands.folder / "hosts" / "compute-0.json").write_text("{", encoding="utf-8")
    assert [("ledger", "ls -l /var/lib/nova-ha/hosts")] == records_of(commands)
