# SPDX-License-Identifier: Apache-2.0
"""The OpenStack half of the lab: servers, services that stop and start, an auditor that sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.openstack.audit_status import AuditStatus
from tests.lab.openstack.client import ACTIONS, Server
from tests.lab.openstack.hypervisor import guest
from tests.lab.openstack.hypervisor.control import CONTROL_FILE, Failure, change
from tests.lab.openstack.judgement import Kind

pytestmark = pytest.mark.lab

#: Seconds until the auditor, which looks twice a second, has seen what there is.
AUDITED = 60.0
SERVICES = ("nova-api", "keystone", "rabbitmq", "mariadb", "nova-conductor", "nova-scheduler")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    # A folder as deep as a checkout may be: unix socket paths end at 108 bytes.
    deep = tmp_path_factory.mktemp("openstack") / ("deep-" * 20) / "lab"
    with Lab(deep, controllers=1, computes=2) as running:
        wait_for_computes(running)
        change(running.openstack.nodes.shared, lambda _seconds, rules: (0.2, rules))
        yield running


@pytest.fixture(autouse=True)
def no_servers_left(lab: Lab) -> Iterator[None]:
    yield
    lab.openstack.client.delete_all()


def wait_for_computes(lab: Lab) -> None:
    def all_up() -> bool:
        try:
            services = lab.openstack.client.services()
        except LabError:
            return False
        up = [one for one in services if (one["binary"], one["state"]) == ("nova-compute", "up")]
        return len(up) == len(lab.computes)

    lab.wait_until("every nova-compute is up", all_up, 60)


def processes(lab: Lab, node: str, server: Server) -> int:
    return lab.run(node, "ps", "ax", "-o", "args").stdout.count(
        f"{guest.__file__.rpartition('/')[2]} {server.id}"
    )


def guest_pid(lab: Lab, node: str, server: Server) -> int:
    return int(lab.run(node, "pgrep", "--full", f"^lab-guest .*{server.id}").stdout)


def if_of(lab: Lab, *kinds: Kind) -> AuditStatus | None:
    """Return what the auditor says if it has found something of each of these kinds."""
    status: AuditStatus = lab.openstack.audit()
    return status if all(status.of(kind) for kind in kinds) else None


def test_twenty_servers_run_where_they_were_put(lab: Lab) -> None:
    """Each server is one process on the host that was asked for, and the auditor has nothing to say."""
    booted = lab.openstack.client.boot(20, host="compute-0")
    assert {server.host for server in booted} == {"compute-0"}
    assert [processes(lab, "compute-0", server) for server in booted] == [1] * 20
    lab.wait_until("the auditor sees them", lambda: lab.openstack.audit().copies == 20, AUDITED)
    status = lab.openstack.audit()
    assert (status.sees_nova, status.copies, status.findings) == (True, 20, ())


@pytest.mark.parametrize("state", tuple(ACTIONS))
def test_a_server_is_booted_into_any_state(lab: Lab, state: str) -> None:
    """Nova shows the state, and a server that does not run has no process."""
    (server,) = lab.openstack.client.boot(1, host="compute-1", state=state, prefix=state.lower())
    assert server.status == state
    assert processes(lab, "compute-1", server) == (0 if state in {"SHUTOFF", "SUSPENDED"} else 1)


def test_a_group_keeps_its_servers_apart(lab: Lab) -> None:
    """Nova's own scheduler honours anti-affinity."""
    group = lab.openstack.client.create_group("apart", "anti-affinity")
    # One after the other: of two at the same time both may be sent to one host, and fail.
    booted = [*lab.openstack.client.boot(1, group=group), *lab.openstack.client.boot(1, group=group)]
    assert {server.host for server in booted} == {"compute-0", "compute-1"}


def test_guests_outlive_nova_compute(lab: Lab) -> None:
    """Killed and started again, nova-compute finds its guest running under the same process id."""
    (server,) = lab.openstack.client.boot(1, host="compute-1")
    before = guest_pid(lab, "compute-1", server)
    lab.kill_process("compute-1", "bin/nova-compute")
    log = lab.logs / "compute-1" / "nova" / "nova-compute.log"
    lab.wait_until(
        "the guest is adopted", lambda: "Adopted 1 running of 1 defined guests" in log.read_text(), 60
    )
    assert guest_pid(lab, "compute-1", server) == before
    # While the service is down, Nova deletes a server without telling the host.
    wait_for_computes(lab)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_stopped_and_started_by_name(lab: Lab, name: str) -> None:
    """A stopped service is gone, a started one works."""
    lab.openstack.stop(name)
    assert not lab.openstack.is_running(name)
    lab.openstack.start(name)
    assert lab.openstack.is_running(name)
    wait_for_computes(lab)


def test_a_spawn_fails_when_told(lab: Lab) -> None:
    """The chosen server goes into ERROR, without a process; the rule is used up by it."""
    change(
        lab.openstack.nodes.shared, lambda seconds, _rules: (seconds, [Failure("bad-*", "before", count=1)])
    )
    with pytest.raises(Exception, match="bad-0 went into ERROR"):
        lab.openstack.client.boot(1, host="compute-1", prefix="bad")
    # Nova has other reasons for ERROR.
    assert json.loads((lab.openstack.nodes.shared / CONTROL_FILE).read_text())["failures"] == []
    assert lab.openstack.client.boot(1, host="compute-1", prefix="good")[0].status == "ACTIVE"


def test_a_second_copy_is_caught(lab: Lab) -> None:
    """A deliberate second copy on another host is seen by its processes, by the lock and on the disk.

    It is the last test, because the auditor does not forget.
    """
    (server,) = lab.openstack.client.boot(1, host="compute-0")
    disk = f"/var/lib/nova/instances/{server.id}/disk"
    journal = str(lab.openstack.nodes.shared / "events.jsonl")
    script = lab.openstack.nodes.code / "tests" / "lab" / "openstack" / "hypervisor" / "guest.py"
    words = ["-I", "-S", str(script), server.id, "compute-1", disk, disk, journal]
    start = 'exec -a lab-guest /usr/bin/python3 "$@" </dev/null >/dev/null 2>&1'
    lab.run("compute-1", "bash", "-c", start, "start", *words)
    status = lab.wait_until("the auditor sees it", lambda: if_of(lab, Kind.DOUBLED, Kind.BROKEN), AUDITED)
    assert status.sees_nova
    assert {finding.uuid for finding in status.findings} == {server.id}
    assert "alarm" in Path(journal).read_text()
    lab.run("compute-1", "kill", "-KILL", str(guest_pid(lab, "compute-1", server)))
