# SPDX-License-Identifier: Apache-2.0
"""What the tests of the deployment model share: a cloud configured by pcs-examples, and eyes on its nodes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from tests.lab.cluster.status import ClusterStatus
from tests.lab.demo.cloud import audit_complaints
from tests.lab.demo.follow import Follow
from tests.lab.demo.logs import GrowingFile
from tests.lab.demo.model import Goal, NodeSeen, ServiceSeen
from tests.lab.demo.watch import Watch
from tests.lab.lab import Lab
from tests.lab.openstack.hypervisor.diskformat import Line, parse
from tests.lab.recoveries import LIMIT, SETTLED, Protocol, goal_of, set_spawn_time, wait_for_reports

STAND_INS = ("neutron-openvswitch-agent", "libvirtd", "ceilometer-compute")
#: In the order in which they start.
CHAIN = (*STAND_INS, "nova-compute")
#: Seconds between attempts to reach a node. Enough when the connection is lost before a fencing begins.
QUICK_RECONNECT = 3
#: A fencing that begins while the connection works must end before the next attempt (020-nodes.sh).
SAFE_RECONNECT = 15
#: Seconds until a service that died is missed, and for a stop.
MISSED, STOPPING = 2, 10
#: Seconds that a guest takes to start.
SPAWN_SECONDS = 0.5
#: A guest writes every half second; on a busy machine some lines are late.
LATEST_LINE = 5.0

Seen = TypeVar("Seen")

_BEGIN = re.compile(r"executing - rsc:(?P<resource>\S+) action:(?P<action>start|stop) ")
_END = re.compile(r": (?P<resource>\S+) (?P<action>start|stop) \(call .*\) exited with status (?P<code>\d+)")


def deploy(folder: Path, reconnect: int, computes: int = 3, watchdog: bool = False) -> Lab:
    """Return a lab that `apply.sh` has configured, with the patience of a lab; `reconnect` as in `hurry`."""
    lab = Lab(folder, controllers=3, computes=computes, by_examples=True, watchdog=watchdog)
    lab.up()
    try:
        hurry(lab, reconnect)
        set_spawn_time(lab, SPAWN_SECONDS)
        lab.wait_cluster()
    except BaseException:
        lab.down()
        raise
    return lab


def hurry(lab: Lab, reconnect: int) -> None:
    """Shorten what a test would wait for, as an admin does who wants other values than the examples'.

    Args:
        lab: the lab.
        reconnect: seconds between attempts to reach a node that is lost.
    """
    for node in lab.computes:
        beat = ("op", "monitor", "interval=2s", "timeout=4s")
        pcs(lab, "resource", "update", node.name, f"reconnect_interval={reconnect}s", *beat)
    for service in STAND_INS:
        quick = ("op", "monitor", f"interval={MISSED}s", "stop", f"timeout={STOPPING}s")
        pcs(lab, "resource", "update", service, *quick)


def pcs(lab: Lab, *words: str, timeout: float = 120) -> str:
    """Run pcs on a controller and return what it prints."""
    return lab.run_on_controller("pcs", *words, timeout=timeout).stdout


def tell(lab: Lab, node: str, service: str, behaviour: str) -> Path:
    """Make a stand-in misbehave until the file that is returned is removed; see cluster/Service."""
    path = lab.folder.private(node, "/var/lib/lab") / f"{service}.{behaviour}"
    path.touch()
    return path


class Steps:
    """The starts and stops on a node, from now on."""

    def __init__(self, lab: Lab, node: str) -> None:
        self._log = GrowingFile(lab.logs / node / "pacemaker" / "pacemaker.log")
        self._log.skip()
        self._seen: list[str] = []

    def seen(self) -> list[str]:
        """Return their beginnings and ends in order: ``start libvirtd``, ``start libvirtd: 0``, ..."""
        for line in self._log.new_lines():
            if begin := _BEGIN.search(line):
                self._seen.append(f"{begin['action']} {begin['resource']}")
            elif end := _END.search(line):
                self._seen.append(f"{end['action']} {end['resource']}: {end['code']}")
        return self._seen


def starts(services: Sequence[str]) -> list[str]:
    """Return the steps when services start in this order, each when the one before it is ready."""
    return [step for service in services for step in (f"start {service}", f"start {service}: 0")]


def stops(services: Sequence[str]) -> list[str]:
    """Return the steps when services stop that were started in this order."""
    return [step.replace("start", "stop") for service in reversed(services) for step in starts([service])]


def running(lab: Lab, node: str) -> set[str]:
    """Return the services of the chain that Pacemaker has started on a node and that have not failed."""
    status: ClusterStatus = lab.wait_until("the cluster answers", lab.cluster_status, SETTLED)
    return {name for name in CHAIN if node in status.started.get(name, ())}


def wait_running(lab: Lab, node: str, services: Iterable[str], timeout: float = SETTLED) -> None:
    """Wait until exactly these services of the chain run on a node."""
    wanted = set(services)
    what = f"on {node} run {', '.join(sorted(wanted)) or 'no services'}"
    lab.wait_until(what, lambda: running(lab, node) == wanted, timeout)


def service_of(lab: Lab, node: str) -> ServiceSeen:
    """Return the nova-compute service of a node as Nova shows it."""
    watch = Watch(lab)
    return _seen(
        lab, f"Nova shows {node}", lambda: [seen for seen in watch.services() or () if seen.host == node]
    )


def node_of(lab: Lab, name: str) -> NodeSeen:
    """Return a node as Pacemaker shows it."""
    watch = Watch(lab)
    return _seen(
        lab, f"Pacemaker shows {name}", lambda: [seen for seen in watch.nodes() or () if seen.name == name]
    )


def _seen(lab: Lab, what: str, look: Callable[[], list[Seen]]) -> Seen:
    """Wait until something is shown, whatever is shown of it."""
    found: list[Seen] = lab.wait_until(what, look, SETTLED)
    return found[0]


def sentence_about(lab: Lab, node: str) -> str:
    """Return what crm_mon says about the recovery of a node, be it online or not; "" if nothing."""
    text = lab.run_on_controller("crm_mon", "-1A", check=False).stdout
    found = re.search(rf"\* nova-ha-{re.escape(node)} *\t*: (.*?) *\t*$", text, re.MULTILINE)
    return found[1] if found else ""


def wait_in_service(lab: Lab, *nodes: str, timeout: float = SETTLED) -> None:
    """Wait until nodes are online and without a record, and Nova uses them and hears from them."""
    wait_for_reports(lab, nodes, timeout)
    goal, watch = Goal(nodes, ()), Watch(lab)
    lab.wait_until(f"in service: {', '.join(nodes)}", lambda: not goal.not_back(watch.look()), timeout)


def fencings(lab: Lab, node: str) -> list[str]:
    """Return the fencings of a node so far, without its unfencings."""
    return [event for event in lab.fencings(node) if not event.startswith("on ")]


class Guests:
    """The guests as they are now, which nobody is to touch from now on."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._since = time.time()
        servers = lab.openstack.client.servers()
        self._last = {server.id: self._last_line(server.id) for server in servers}
        self._fencings = self._all_fencings()
        assert self._last
        assert {server.status for server in servers} == {"ACTIVE"}

    def assert_untouched(self) -> None:
        """They run on as `assert_running`, and no node was fenced."""
        self.assert_running()
        assert self._all_fencings() == self._fencings

    def assert_running(self) -> None:
        """The same processes have written on and write now, and the auditor is content."""
        for server, before in self._last.items():
            now = self._last_line(server)
            assert now.writer == before.writer
            assert now.number > before.number
            assert time.time() - now.time < LATEST_LINE
        assert audit_complaints(self._lab, len(self._last), self._since) == []

    def _all_fencings(self) -> list[list[str]]:
        return [fencings(self._lab, node.name) for node in self._lab.computes]

    def _last_line(self, server: str) -> Line:
        whole = (self._lab.folder.instances / server / "disk").read_text().rpartition("\n")[0]
        return parse(whole.rpartition("\n")[2])


def follow(lab: Lab, title: str, *victims: str) -> Follow:
    """Follow a recovery of all servers on the victims, from now on."""
    return Follow(lab, title, goal_of(lab, victims), Protocol())


def assert_ends_well(lab: Lab, seen: Follow, limit: float = LIMIT) -> None:
    """Every server is as before on a healthy host, exactly once, and the victims are back in service."""
    seen.until_done(limit)
    assert audit_complaints(lab, seen.scene.goal.active, seen.scene.timeline.zero) == []
