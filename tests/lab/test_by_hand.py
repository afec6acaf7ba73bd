# SPDX-License-Identifier: Apache-2.0
"""nova-ha evacuate and return on a real cloud: beside Pacemaker's evacuator, and without Pacemaker."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.lab import Lab
from tests.lab.recoveries import LIMIT, SETTLED
from tests.lab.waiting import FabricProcess

pytestmark = pytest.mark.lab

WORD = "Ann has pulled both power cords"
SERVERS = 4


def boot(lab: Lab, host: str) -> set[str]:
    """Boot some servers on a host; return their ids."""
    return {server.id for server in lab.openstack.client.boot(SERVERS, host=host)}


def where(lab: Lab, ids: set[str]) -> set[str]:
    """Return the hosts of servers, all of which are ACTIVE."""
    found = [server for server in lab.openstack.client.servers() if server.id in ids]
    assert {"ACTIVE"} == {server.status for server in found}
    assert SERVERS == len(found)
    return {server.host for server in found}


def test_a_host_whose_bmc_is_dead(cloud: Lab) -> None:
    """Fencing fails; a person makes sure, says so, and the cluster's evacuator does the rest."""
    ids = boot(cloud, "compute-1")
    cloud.bmc("compute-1", "silent")
    try:
        assert "is online in Pacemaker" in refusal(cloud, "compute-1")
        cloud.power_off("compute-1")
        # crm_mon calls it lost as soon as a monitor has failed; it is online in the CIB until the stop that
        # follows. And what it told Nova last may still be on its way.
        cloud.wait_until(
            "nova-ha asks for a proof",
            lambda: "nothing proves that it is off" in refusal(cloud, "compute-1"),
            LIMIT,
        )
        command = ("nova-ha", "evacuate", "compute-1", "--confirm-host-is-off", WORD)
        done = cloud.run_on_controller(*command, timeout=LIMIT)
        print(done.stdout)
        assert "the cluster's evacuator recovers it" in done.stdout
        assert "every server is recovered" in done.stdout
        assert "compute-1" not in where(cloud, ids)
        cib = cloud.run_on_controller("cibadmin", "--query", "--scope", "nodes").stdout
        assert WORD in cib
        # As soon as the BMC answers, Pacemaker fences the node: then there is another record, and it is open.
        status = json.loads(cloud.run_on_controller("nova-ha", "status", "--json").stdout)
        (host,) = [host for host in status["hosts"] if host["host"] == "compute-1"]
        assert host["record"]["open"] is False
    finally:
        cloud.bmc("compute-1", "normal")
    cloud.wait_cluster(SETTLED * 2)
    cloud.wait_until("compute-1 is back", lambda: "nova-ha-confirmed" not in nodes(cloud), SETTLED)
    audit = cloud.openstack.audit()
    assert () == audit.findings


def refusal(lab: Lab, host: str) -> str:
    """Return why nova-ha refuses to evacuate a host."""
    done = lab.run_on_controller("nova-ha", "evacuate", host, check=False)
    print(done.stdout, done.stderr, sep="\n")
    assert 1 == done.returncode
    return str(done.stderr)


def nodes(lab: Lab) -> str:
    """Return the nodes' entries in the CIB."""
    return str(lab.run_on_controller("cibadmin", "--query", "--scope", "nodes").stdout)


class Machine:
    """A machine without Pacemaker from which Nova is reached: the fabric, with a disk of its own.

    Args:
        lab: the lab.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._disk = lab.directory / "by-hand"
        for folder in ("lib", "log"):
            (self._disk / folder).mkdir(parents=True, exist_ok=True)
        self._clouds = lab.folder.private("controller-0", "/etc/nova-ha") / "clouds.yaml"

    def run(self, *words: str, status: int = 0) -> str:
        """Call nova-ha with these words and return what it says; it ends with that exit status."""
        done = self._lab.run_fabric(*self._command(*words), check=False, timeout=LIMIT)
        print(" ".join(words), done.returncode, done.stdout, done.stderr, sep="\n")
        assert status == done.returncode
        return done.stdout + done.stderr

    def begin(self, name: str, *words: str) -> FabricProcess:
        """Begin a call of nova-ha, which writes to NAME.log."""
        return self._lab.popen_fabric(self._command(*words), name)

    def host(self, name: str) -> dict[str, Any]:
        """Return what its status says about a host."""
        hosts = json.loads(self.run("status", "--json"))["hosts"]
        return next(host for host in hosts if host["host"] == name)

    def _command(self, *words: str) -> tuple[str, ...]:
        """Return what gives a command in the fabric, whose disk cannot be written, a disk of its own."""
        mounts = " && ".join(
            f"mount --bind {self._disk}/{name} /var/{name}/nova-ha" for name in ("lib", "log")
        )
        alone = ("unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh")
        place = ("--clouds-yaml", str(self._clouds), "--cacert", str(self._clouds.with_name("ca.pem")))
        return (*alone, "nova-ha", "--cloud", "lab", *place, *words)


@pytest.fixture
def machine(cloud: Lab) -> Iterator[Machine]:
    """Give a machine without Pacemaker; the cloud's own keeps its hands off, and fences afterwards."""
    cloud.run_on_controller("pcs", "resource", "disable", "nova-evacuate", "--wait=100", timeout=120)
    cloud.run_on_controller("pcs", "property", "set", "maintenance-mode=true")
    yield Machine(cloud)
    cloud.run_on_controller("pcs", "property", "set", "maintenance-mode=false")
    cloud.run_on_controller("pcs", "resource", "enable", "nova-evacuate")


def service(lab: Lab, host: str) -> tuple[str, str, bool]:
    """Return status, state and forced_down of a host's nova-compute as Nova shows them."""
    services = lab.openstack.client.services()
    (found,) = [one for one in services if (one["binary"], one["host"]) == ("nova-compute", host)]
    return found["status"], found["state"], found["forced_down"]


def test_maintenance_without_pacemaker(cloud: Lab) -> None:
    """A host is disabled and enabled by a word; that nothing answers is an exit status of its own."""
    machine = Machine(cloud)
    machine.run("disable", "compute-3", "--reason", "new memory")
    assert ("disabled", "up", False) == service(cloud, "compute-3")
    assert "already" in machine.run("disable", "compute-3")
    machine.run("enable", "compute-3")
    assert ("enabled", "up", False) == service(cloud, "compute-3")
    nowhere = ("--auth-url", "http://10.77.0.1:9/v3")
    machine.run(*nowhere, "doctor", "--json", status=3)
    machine.run(*nowhere, "status", "--json", status=3)


def test_recovery_without_pacemaker(cloud: Lab, machine: Machine) -> None:
    """A live host is refused, and one without proof; killed half-way, the recovery is taken up again."""
    ids = boot(cloud, "compute-2")
    statement = ("--confirm-host-is-off", WORD)
    evacuate = ("evacuate", "compute-2")
    assert "reports to Nova at this moment" in machine.run(*evacuate, *statement, status=1)
    cloud.power_off("compute-2")
    assert "nothing proves that it is off" in machine.run(*evacuate, status=1)
    assert {"compute-2"} == where(cloud, ids)
    watching = machine.begin("watch", "status", "--watch")
    kill_half_way(cloud, machine.begin("evacuate", "--max-in-flight", "1", *evacuate, *statement))
    half = machine.host("compute-2")
    assert {"done"} < {server["phase"] for server in half["servers"]}
    assert (True, True) == (half["record"]["open"], WORD in half["record"]["on_whose_word"])
    assert "its recovery is not complete" in machine.run("return", "compute-2", status=1)
    said = machine.run(*evacuate)
    assert "going on with the recovery that was begun" in said
    assert f"{SERVERS} servers recovered, 0 not" in said
    assert "compute-2" not in where(cloud, ids)
    cloud.wait_until("it is watched", lambda: "its servers are recovered" in log(cloud, "watch"), SETTLED)
    watching.send_signal(signal.SIGTERM)
    assert_returns(cloud, machine)
    assert "compute-2" not in where(cloud, ids)
    assert () == cloud.openstack.audit().findings


def log(lab: Lab, name: str) -> str:
    """Return what a process of the fabric has said."""
    return (lab.logs / f"{name}.log").read_text()


def kill_half_way(lab: Lab, process: FabricProcess) -> None:
    """Kill a recovery when a part of the servers is recovered."""
    lab.wait_until("some are recovered", lambda: re.search("[1-3] done", log(lab, "watch")), LIMIT)
    process.send_signal(signal.SIGKILL)
    process.wait()


def assert_returns(lab: Lab, machine: Machine) -> None:
    """The host is repaired, its nova-compute is started by hand, and a word brings it back into service."""
    assert ("disabled", "down", True) == service(lab, "compute-2")
    lab.power_on("compute-2")
    lab.run("compute-2", "sh", "-c", "setsid nova-compute </dev/null >/dev/null 2>&1 &")
    machine.run("return", "compute-2")
    assert ("enabled", "up", False) == service(lab, "compute-2")
    status = json.loads(machine.run("status", "--json"))
    (host,) = [host for host in status["hosts"] if host["host"] == "compute-2"]
    assert (None, "up") == (host["record"], host["state"])
    (past,) = status["recoveries"]
    assert ("compute-2", True) == (past["host"], past["ended"] is not None)
