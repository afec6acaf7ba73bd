# SPDX-License-Identifier: Apache-2.0
"""The machine half of the lab: nodes, cluster and fencing do what real ones do, and leave nothing behind."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import fabric_process
from tests.lab.cluster.status import parse
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.layout import checkout
from tests.lab.systemd import cgroups

pytestmark = pytest.mark.lab

REJOIN = 120
#: Seconds for what takes one on an idle machine.
SOON = 60
#: Seconds for what is done at once; waiting for anybody's answer takes longer.
AT_ONCE = 10


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    # A folder as deep as a checkout may be: unix socket paths end at 108 bytes.
    deep = tmp_path_factory.mktemp("machine") / ("deep-" * 20) / "lab"
    with Lab(deep, controllers=3, computes=3, with_openstack=False) as running:
        yield running


def is_online(lab: Lab, node: str) -> bool:
    status = lab.cluster_status()
    return status is not None and node in status.online


def wait_for_fencing(lab: Lab, node: str, before: int, timeout: float = 120) -> float:
    """Wait for one more successful fencing of `node` than `before`; return how long it took, in seconds."""
    started = time.monotonic()
    lab.wait_until(f"{node} is fenced", lambda: len(lab.fencings(node)) > before, timeout)
    return time.monotonic() - started


def boots(lab: Lab, node: str) -> int:
    return (lab.logs / node / "console.log").read_text().count(f"{node} boots")


def test_every_node_is_online_and_has_its_own_name(lab: Lab) -> None:
    """The cluster has quorum and every node answers under its own name in its own namespaces."""
    status = lab.cluster_status()
    assert status is not None
    assert status.has_quorum
    assert status.online == set(lab.nodes)
    for node in lab.nodes:
        assert lab.run(node, "hostname").stdout.strip() == node
    assert lab.run("compute-1", "crm_node", "--name").stdout.strip() == "compute-1"


def test_pcs_status_reads_well_in_a_controller(lab: Lab) -> None:
    """An admin's `pcs status` works in a controller and shows the compute nodes as remote nodes online."""
    output = lab.run("controller-0", "pcs", "status").stdout
    assert "RemoteOnline: [ compute-0 compute-1 compute-2 ]" in output


def test_node_disks_are_private_and_instances_are_shared(lab: Lab) -> None:
    """A file on one node's disk is not on another's; the instances folder is the same in compute nodes."""
    lab.run("compute-0", "touch", "/var/lib/nova/mine", "/var/lib/nova/instances/ours", "/tmp/volatile")
    assert lab.run("compute-1", "ls", "/var/lib/nova/instances").stdout.split() == ["ours"]
    assert lab.run("compute-1", "ls", "/var/lib/nova").stdout.split() == ["instances"]
    assert not Path("/var/lib/nova/mine").exists()
    assert not Path("/tmp/volatile").exists()


def test_machine_cannot_be_changed_from_a_node(lab: Lab) -> None:
    """A node cannot write into /etc, /usr/sbin or /proc/sys of the machine it runs on."""
    for path in ("/etc/x", "/usr/sbin/x", "/proc/sys/kernel/hostname"):
        done = lab.run("compute-0", "sh", "-c", f"echo x > {path}", check=False)
        assert "Read-only file system" in done.stderr


def test_nodes_run_the_built_package(lab: Lab) -> None:
    """What the nodes have of nova-ha was in the Debian package, which has more than the checkout's files."""
    metadata = "/usr/lib/python3/dist-packages/nova_ha-*.dist-info/METADATA"
    for node in ("controller-0", "compute-0"):
        assert "Name: nova-ha" in lab.run(node, "sh", "-c", f"cat {metadata}").stdout
        found = lab.run(node, "/usr/bin/python3", "-c", "import nova_ha; print(nova_ha.__file__)").stdout
        assert found == "/usr/lib/python3/dist-packages/nova_ha/__init__.py\n"
        agents = lab.run(node, "crm_resource", "--list-agents", "ocf:openstack").stdout.split()
        assert agents == ["NovaCompute", "NovaEvacuate"]


def test_power_cut_is_fenced_by_ipmi_and_the_node_rejoins(lab: Lab) -> None:
    """A compute node without power is fenced through its BMC, boots again, keeps its disk and rejoins."""
    before = len(lab.fencings("compute-0"))
    lab.power_off("compute-0")
    assert lab.conditions()["compute-0"] == "off"
    assert wait_for_fencing(lab, "compute-0", before) > 1, "a power cut is silent: noticed by a timeout only"
    lab.wait_until("compute-0 is back", lambda: is_online(lab, "compute-0"), REJOIN)
    assert lab.run("compute-0", "ls", "/var/lib/nova").stdout.split() == ["instances", "mine"]
    assert "volatile" not in lab.run("compute-0", "ls", "/tmp").stdout


def test_frozen_node_is_fenced(lab: Lab) -> None:
    """A hung host stops working without losing power, gets fenced and comes back."""
    before = len(lab.fencings("compute-1"))
    lab.freeze("compute-1")
    assert lab.conditions()["compute-1"] == "frozen"
    wait_for_fencing(lab, "compute-1", before)
    lab.wait_until("compute-1 is back", lambda: is_online(lab, "compute-1"), REJOIN)
    assert lab.conditions()["compute-1"] == "on"


def test_thaw_continues_only_what_the_freeze_stopped(lab: Lab) -> None:
    """A process that was stopped before the freeze is still stopped after the thaw; all others run."""
    # In a session of its own: the kernel ends a stopped process whose group loses its last parent.
    lab.run("compute-2", "sh", "-c", "setsid sh -c 'kill -STOP $$; sleep 4321' </dev/null >/dev/null 2>&1 &")
    lab.wait_until("the process is stopped", lambda: len(stopped_processes(lab, "compute-2")) == 1, SOON)
    lab.freeze("compute-2")
    lab.thaw("compute-2")
    stopped = stopped_processes(lab, "compute-2")
    assert len(stopped) == 1
    assert "sleep 4321" in stopped[0]
    lab.kill_process("compute-2", "sleep 4321")


def stopped_processes(lab: Lab, node: str) -> list[str]:
    lines = lab.run(node, "ps", "-eo", "stat=,args=").stdout.splitlines()
    return [line for line in lines if line.startswith("T")]


def test_power_off_of_a_frozen_node_works_at_once(lab: Lab) -> None:
    """A hung host loses its power as fast as any other."""
    before = len(lab.fencings("compute-2"))
    lab.freeze("compute-2")
    started = time.monotonic()
    lab.power_off("compute-2")
    assert time.monotonic() - started < AT_ONCE
    wait_for_fencing(lab, "compute-2", before)
    lab.wait_until("compute-2 is back", lambda: is_online(lab, "compute-2"), REJOIN)


def test_cut_cable_is_fenced_and_the_repaired_node_rejoins(lab: Lab) -> None:
    """A node without network is fenced although it lives; with a whole cable it rejoins."""
    before, boots_before = len(lab.fencings("compute-0")), boots(lab, "compute-0")
    lab.cable("compute-0", up=False)
    wait_for_fencing(lab, "compute-0", before)
    lab.wait_until("compute-0 boots", lambda: boots(lab, "compute-0") > boots_before, SOON)
    assert not is_online(lab, "compute-0")
    lab.cable("compute-0", up=True)
    lab.wait_until("compute-0 is back", lambda: is_online(lab, "compute-0"), REJOIN)


def test_silent_bmc_leaves_the_node_unfenced_until_it_answers(lab: Lab) -> None:
    """While a dead node's BMC answers nothing the node is unclean; later it is fenced and returns."""
    before = len(lab.fencings("compute-1"))
    lab.bmc("compute-1", "silent")
    lab.power_off("compute-1")
    lab.wait_until("compute-1 is unclean", lambda: _is_troubled(lab, "compute-1"), SOON)
    time.sleep(5)
    assert len(lab.fencings("compute-1")) == before
    assert lab.conditions()["compute-1"] == "off"
    lab.bmc("compute-1", "normal")
    wait_for_fencing(lab, "compute-1", before)
    lab.wait_until("compute-1 is back", lambda: is_online(lab, "compute-1"), REJOIN)


def _is_troubled(lab: Lab, node: str) -> bool:
    status = lab.cluster_status()
    return status is not None and node in status.troubled


IPMI = ("fence_ipmilan", "--lanplus", "--cipher=3")
REDFISH = ("fence_redfish", "--systems-uri=/redfish/v1/Systems/1", "--ssl-insecure")
FENCE_OFF = (
    "--action=off",
    "--ip=10.77.0.198",
    "--username=admin",
    "--password=secret",
    "--power-wait=0",
)


@pytest.mark.parametrize("agent", [IPMI, REDFISH], ids=["ipmi", "redfish"])
@pytest.mark.parametrize(("mode", "believed"), [("refuse", False), ("lies-off", True)])
def test_bmc_that_refuses_or_lies_switches_nothing(
    lab: Lab, agent: tuple[str, ...], mode: str, believed: bool
) -> None:
    """A fence agent fails at a BMC that refuses and believes one that lies, untold; the node runs on."""
    before = told_off(lab)
    lab.bmc("compute-2", mode)
    # Each question may take so long, and the agent waits so long for the effect of what was refused.
    patience = "--power-timeout=20" if believed else "--power-timeout=5"
    done = lab.run("controller-0", *agent, *FENCE_OFF, patience, check=False)
    assert (done.returncode == 0) is believed, done.stderr
    assert (told_off(lab) == before) is believed
    assert lab.conditions()["compute-2"] == "on"
    lab.bmc("compute-2", "normal")


def told_off(lab: Lab) -> int:
    """Return how often a BMC of compute-2 that does not obey was told to switch the node off."""
    said = (lab.logs / "fabric.log").read_text()
    return sum(said.count(f"BMC of 'compute-2', {mode}: is told off") for mode in ("refuse", "lies-off"))


def test_reboot_from_inside_boots_the_node_again(lab: Lab) -> None:
    """reboot(2) in a node, which Pacemaker's panic ends in, is a reboot of that node only."""
    boots_before = boots(lab, "controller-2")
    lab.run("controller-2", "reboot", "-f", check=False)
    lab.wait_until("controller-2 boots again", lambda: boots(lab, "controller-2") > boots_before, SOON)
    lab.wait_until("controller-2 is back", lambda: sees_quorum(lab, "controller-2"), REJOIN)
    lab.wait_cluster()


def sees_quorum(lab: Lab, node: str) -> bool:
    """Tell whether the node itself is a member: others believe that until a token is lost."""
    done = lab.run(node, "crm_mon", "--one-shot", "--output-as=xml", check=False)
    return done.returncode == 0 and parse(done.stdout).has_quorum


def test_dead_controller_is_fenced_by_the_power_supply(lab: Lab) -> None:
    """A controller without power is fenced with fence_lab, and the cluster is whole again afterwards."""
    before = len(lab.fencings("controller-1"))
    lab.power_off("controller-1")
    wait_for_fencing(lab, "controller-1", before)
    lab.wait_cluster()


def test_background_process_is_logged_and_watched(lab: Lab) -> None:
    """A background process of the fabric has a log and an exit status; its name is taken while it runs."""
    end = lab.directory / "end"
    script = 'hostname; while [ ! -e "$0" ]; do sleep 0.1; done; exit 3'
    process = lab.popen_fabric(["sh", "-c", script, str(end)], "sample")
    with pytest.raises(LabError, match="'sample' runs already"):
        lab.popen_fabric(["true"], "sample")
    end.touch()
    assert process.wait(SOON) == 3
    assert (lab.logs / "sample.log").read_text() == "fabric\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up", "--controllers", "2"], "controllers=2: the lab has 1 or 3 controllers"),
        (["up", "--computes", "13"], "computes=13: the lab has 0 to 12 compute nodes"),
        (["off", "compute-0"], "there is no lab in {folder}: start one with 'python -m tests.lab up'"),
        (
            ["--dir", "/dev/null", "list"],
            "there is no lab in /dev/null: start one with 'python -m tests.lab up'",
        ),
        (
            ["--dir", "/dev/null", "up", "--no-openstack"],
            "/dev/null is not a folder: name another one with --dir",
        ),
        (["up", "--no-openstack"], "{folder} is not empty and no lab made it: name another one with --dir"),
    ],
)
def test_command_line_says_in_one_line_what_is_wrong(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    """A mistake on the command line ends with status 1 and one line that names it and the way out."""
    (tmp_path / "precious").touch()
    command = [sys.executable, "-m", "tests.lab", "--dir", str(tmp_path), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=checkout())
    assert done.returncode == 1
    assert done.stderr == f"lab: {message.format(folder=tmp_path)}\n"
    assert (tmp_path / "precious").exists()


@pytest.mark.parametrize("systemd", [False, True])
def test_teardown_leaves_no_process_mount_or_namespace(tmp_path: Path, systemd: bool) -> None:
    """As soon as `down` returns nothing of a lab is left; `down` with a stale file does no harm."""
    network, mounts = Path("/proc/self/ns/net").readlink(), Path("/proc/self/mountinfo").read_text()
    small = Lab(tmp_path / "lab", controllers=1, computes=1, with_openstack=False, systemd=systemd)
    with small:
        assert {group.exists() for group in cgroups.of_lab(small.directory)} == {systemd}
        members = processes_of(small)
        assert len(members) > 10
        stale = small.folder.fabric_process.read_text()
        started = time.monotonic()
    assert time.monotonic() - started < AT_ONCE
    assert [pid for pid in members if Path(f"/proc/{pid}").exists()] == []
    assert [group for group in cgroups.of_lab(small.directory) if group.exists()] == []
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert Path("/proc/self/ns/net").readlink() == network
    small.folder.fabric_process.write_text(stale)
    small.down()
    assert fabric_process.find(small.folder) is None


def processes_of(lab: Lab) -> list[int]:
    """Return everything that lives in the fabric's or a node's namespaces: what descends from the fabric."""
    found, waiting = [], [lab.fabric_pid]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            waiting += [int(child) for child in task.read_text().split()]
    return found
