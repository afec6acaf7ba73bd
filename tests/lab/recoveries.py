# SPDX-License-Identifier: Apache-2.0
"""What all tests of recoveries share: a whole cloud for each, a hit, and what must be the case at the end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tests.lab.demo import hit
from tests.lab.demo.cloud import audit_complaints, boot
from tests.lab.demo.follow import Follow
from tests.lab.demo.model import Goal
from tests.lab.demo.scene import Scene
from tests.lab.demo.timeline import Stage
from tests.lab.demo.watch import Watch
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.leaks import leaks
from tests.lab.openstack.hypervisor.control import change

SERVERS = 10
#: Seconds from the hit to the end, return of the host included.
LIMIT = 300.0
SETTLED = 60.0
#: Another parameter of fence_compute makes Pacemaker unfence every node and start its nova-compute again,
#: one node after the other: 45 s on two idle cores.
RESTARTED = 300.0


class Protocol:
    """Write what happens to standard output, which pytest shows when a test fails."""

    def say(self, seconds: float | None, text: str) -> None:
        print(f"+{seconds or 0:6.1f} s  {text}")

    def show(self, scene: Scene) -> None:
        pass


def four_nodes(folder: Path) -> Lab:
    """Return a cloud of four compute nodes."""
    lab = Lab(folder, controllers=3, computes=4)
    lab.up()
    return lab


class Labs:
    """One cloud for all tests, and a new one after a test that left it broken; the logs of both stay.

    Args:
        new_folder: gives the folder of the next one.
        new_lab: brings up a lab in a folder.
    """

    def __init__(self, new_folder: Callable[[], Path], new_lab: Callable[[Path], Lab] = four_nodes) -> None:
        self._new_folder = new_folder
        self._new_lab = new_lab
        self._lab: Lab | None = None

    def whole(self) -> Lab:
        """Return a lab that is settled, with every compute node in service and no servers."""
        if self._lab is None or not self._is_whole(self._lab):
            self.end()
            self._lab = self._new_lab(self._new_folder())
            self._settle(self._lab)
        return self._lab

    def end(self) -> None:
        """End the lab, if there is one; nothing of it may tell a password."""
        lab, self._lab = self._lab, None
        if lab is not None:
            try:
                assert leaks(lab) == []
            finally:
                lab.down()

    def _is_whole(self, lab: Lab) -> bool:
        try:
            lab.run_on_controller("crm_resource", "--cleanup")
            self._settle(lab)
        except LabError:
            return False
        return True

    @staticmethod
    def _settle(lab: Lab) -> None:
        lab.openstack.client.delete_all()
        lab.wait_cluster(SETTLED)
        goal = Goal(tuple(node.name for node in lab.computes), ())
        watch = Watch(lab)
        lab.wait_until("every compute node is in service", lambda: not goal.not_back(watch.look()), SETTLED)
        avoided = lab.openstack.client.hosts_that_placement_avoids
        lab.wait_until("Placement offers every compute node", lambda: not avoided(), 2 * SETTLED)


def set_spawn_time(lab: Lab, seconds: float) -> None:
    """Set how long every guest takes to start from now on; what is starting may only become quicker."""
    change(lab.openstack.nodes.shared, lambda _seconds, rules: (seconds, rules))


def goal_of(lab: Lab, victims: Sequence[str]) -> Goal:
    """Return the goal of a recovery of these nodes: every server that is there now."""
    return Goal(tuple(victims), lab.wait_until("Nova lists the servers", Watch(lab).servers, SETTLED))


def prepare(lab: Lab, how: str, victims: Sequence[str], servers: int = SERVERS) -> Follow:
    """Boot servers on the victims, one in ten of them SHUTOFF, and get ready to follow them."""
    boot(lab, victims, servers)
    goal = goal_of(lab, victims)
    off = servers // 10
    assert (
        sorted(server.status for server in goal.servers) == ["ACTIVE"] * (servers - off) + ["SHUTOFF"] * off
    )
    assert {server.host for server in goal.servers} == set(victims)
    return Follow(lab, hit.title(how, victims), goal, Protocol())


def strike(lab: Lab, how: str, *victims: str, servers: int = SERVERS) -> Follow:
    """Boot the servers, and let it happen."""
    follow = prepare(lab, how, victims, servers)
    follow.begin(hit.hit(lab, how, victims))
    return follow


def assert_recovered(
    lab: Lab, follow: Follow, but: frozenset[Stage] = frozenset(), limit: float = LIMIT
) -> None:
    """Every server is as before elsewhere, exactly once; the hosts are back; every stage is logged."""
    follow.until_done(limit)
    goal = follow.scene.goal
    assert audit_complaints(lab, goal.active, follow.scene.timeline.zero) == []
    for node in goal.victims:
        assert set(follow.scene.timeline.missing(node)) <= but
        for stage, at, took, source in follow.scene.timeline.table(node):
            print(f"{node} {stage.word:14} {at:6.1f} {took:6.1f}  {source}")


def wait_for_restarts(lab: Lab) -> None:
    """Wait until every nova-compute reports to Nova again.

    Whoever depends on unfencing by a device that was changed is started again, also nova-compute: Pacemaker
    may not have begun yet, and what has just been stopped counts as up until service_down_time is over.
    """
    lab.run_on_controller("crm_resource", "--wait", timeout=RESTARTED)
    lab.wait_cluster(SETTLED)
    wait_for_reports(lab, [node.name for node in lab.computes])


def wait_for_reports(lab: Lab, nodes: Collection[str], timeout: float = SETTLED) -> None:
    """Wait until the nova-compute of each of these nodes has reported to Nova from now on."""
    since = datetime.now(timezone.utc).replace(tzinfo=None).isoformat()

    def all_report() -> bool:
        try:
            services = lab.openstack.client.services()
        except LabError:
            return False
        reported = {one["host"] for one in services if has_reported(one, since)}
        return reported >= set(nodes)

    lab.wait_until(f"a report from {', '.join(nodes)}", all_report, timeout)


def has_reported(service: Mapping[str, Any], since: str) -> bool:
    """Say whether a service, as the API gives it, is a nova-compute that is up by a report after a time.

    Without a later report it may have ended: it counts as up until service_down_time is over.
    """
    later = (service["updated_at"] or "") > since
    return later and (service["binary"], service["state"]) == ("nova-compute", "up")
