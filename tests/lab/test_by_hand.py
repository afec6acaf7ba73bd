# SPDX-License-Identifier: Apache-2.0
"""nova-ha evacuate and return on a real cloud: beside Pacemaker's evacuator, and without Pacemaker."""

from __future__ import annotations

import json

import pytest

from tests.lab.lab import Lab
from tests.lab.recoveries import LIMIT, SETTLED

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
        done = cloud.run_on_controller("nova-ha", "evacuate", "compute-1", check=False)
        assert (1, True) == (done.returncode, "is online in Pacemaker" in done.stderr)
        cloud.power_off("compute-1")
        cloud.wait_until("compute-1 is lost", lambda: not is_online(cloud, "compute-1"), 60)
        done = cloud.run_on_controller("nova-ha", "evacuate", "compute-1", check=False)
        assert (1, True) == (done.returncode, "nothing proves that it is off" in done.stderr)
        command = ("nova-ha", "evacuate", "compute-1", "--confirm-host-is-off", WORD)
        done = cloud.run_on_controller(*command, timeout=LIMIT)
        print(done.stdout)
        assert "the cluster's evacuator recovers it" in done.stdout
        assert "every server is recovered" in done.stdout
        assert "compute-1" not in where(cloud, ids)
        cib = cloud.run_on_controller("cibadmin", "--query", "--scope", "nodes").stdout
        assert WORD in cib
    finally:
        cloud.bmc("compute-1", "normal")
    status = json.loads(cloud.run_on_controller("nova-ha", "status", "--json").stdout)
    (host,) = [host for host in status["hosts"] if host["host"] == "compute-1"]
    assert host["record"]["open"] is False
    cloud.wait_cluster(SETTLED * 2)
    cloud.wait_until("compute-1 is back", lambda: "nova-ha-confirmed" not in nodes(cloud), SETTLED)
    audit = cloud.openstack.audit()
    assert () == audit.findings


def is_online(lab: Lab, node: str) -> bool:
    """Say whether Pacemaker has a connection to a node; yes while it does not answer."""
    status = lab.cluster_status()
    return status is None or node in status.online


def nodes(lab: Lab) -> str:
    """Return the nodes' entries in the CIB."""
    return str(lab.run_on_controller("cibadmin", "--query", "--scope", "nodes").stdout)


def on_another_machine(lab: Lab) -> tuple[str, ...]:
    """Return what gives a command in the fabric, whose disk cannot be written, a disk of its own."""
    disk = lab.directory / "by-hand"
    for folder in ("lib", "log"):
        (disk / folder).mkdir(parents=True, exist_ok=True)
    mounts = (
        f'mount --bind {disk}/lib /var/lib/nova-ha && mount --bind {disk}/log /var/log/nova-ha && exec "$@"'
    )
    return ("unshare", "--mount", "sh", "-c", mounts, "sh")


def test_without_pacemaker(cloud: Lab) -> None:
    """On a machine without Pacemaker the command refuses a live host, and recovers a dead one itself.

    Pacemaker is told to keep its hands off meanwhile; afterwards it fences the node as it would have before.
    """
    ids = boot(cloud, "compute-2")
    cloud.run_on_controller("pcs", "property", "set", "maintenance-mode=true")
    clouds = cloud.folder.private("controller-0", "/etc/nova-ha") / "clouds.yaml"
    place = ("--clouds-yaml", str(clouds), "--cacert", str(clouds.with_name("ca.pem")))
    command = (*on_another_machine(cloud), "nova-ha", "--cloud", "lab", *place)
    evacuate = (*command, "evacuate", "compute-2", "--confirm-host-is-off", WORD)
    try:
        done = cloud.run_fabric(*evacuate, check=False, timeout=60)
        assert (1, True) == (done.returncode, "reports to Nova at this moment" in done.stderr), done.stderr
        cloud.power_off("compute-2")
        done = cloud.run_fabric(*evacuate, timeout=LIMIT)
        print(done.stdout)
        assert f"{SERVERS} servers recovered, 0 not" in done.stdout
        assert "compute-2" not in where(cloud, ids)
        shown = cloud.run_fabric(*command, "status").stdout
        assert f"off on the word of {WORD}" in shown
    finally:
        cloud.run_on_controller("pcs", "property", "set", "maintenance-mode=false")
    assert () == cloud.openstack.audit().findings
