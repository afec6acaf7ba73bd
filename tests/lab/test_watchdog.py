# SPDX-License-Identifier: Apache-2.0
"""Real sbd on all nodes, and no power device, on a cluster made by pcs-examples with POWER=watchdog."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.lab.demo import hit
from tests.lab.demo.cloud import audit_complaints
from tests.lab.demo.follow import Follow
from tests.lab.demo.scene import Scene
from tests.lab.deployment import Guests, deploy, fencings, pcs
from tests.lab.doctor import Doctor
from tests.lab.lab import Lab
from tests.lab.recoveries import LIMIT, Labs, assert_recovered, prepare, strike

pytestmark = pytest.mark.lab

#: Seconds. The evacuator finds a fencing only until the node joins again; the fencing takes 15 s.
RECONNECT = 25
NODE = "compute-0"
SERVERS = 2


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    keeper = Labs(
        lambda: tmp_path_factory.mktemp("watchdog") / "lab",
        lambda folder: deploy(folder, RECONNECT, computes=2, watchdog=True),
    )
    yield keeper
    keeper.end()


@pytest.fixture
def guarded(clouds: Labs) -> Lab:
    """Give a cloud in which the watchdogs of controllers count as fencing."""
    return clouds.whole()


@pytest.fixture
def trusting(guarded: Lab) -> Iterator[Lab]:
    """Give one in which those of compute nodes do as well, as with WATCHDOG_COMPUTES=yes."""
    count(guarded, [node.name for node in (*guarded.controllers, *guarded.computes)])
    yield guarded
    count(guarded, [node.name for node in guarded.controllers])


def count(lab: Lab, nodes: list[str]) -> None:
    """Let the watchdogs of these nodes count."""
    pcs(lab, "stonith", "update", "watchdog", f"pcmk_host_list={' '.join(nodes)}")


def resets(lab: Lab, node: str) -> int:
    """Return how often a node's watchdog has run out so far."""
    return (lab.logs / "fabric.log").read_text().count(f"node '{node}': reset by its watchdog")


def has_failed(lab: Lab, node: str) -> bool:
    """Say whether Pacemaker has tried to fence a node, and could not."""
    words = ("stonith_admin", "--history", node, "--verbose", "--output-as=xml")
    return 'status="failed"' in lab.run_on_controller(*words, check=False).stdout


def cut_off(lab: Lab) -> tuple[Follow, Guests]:
    """Boot servers on the node and cut its cable; return what to follow, and the guests as they were."""
    seen = prepare(lab, "cable", [NODE], servers=SERVERS)
    guests = Guests(lab)
    lab.cable(NODE, up=False)
    seen.begin(time.time())
    return seen, guests


def are_elsewhere(scene: Scene) -> bool:
    """Say whether every server is as before on a healthy host."""
    return not scene.goal.misplaced(scene.look.servers)


def is_unclean(scene: Scene) -> bool:
    """Say whether Pacemaker takes the node neither for alive nor for fenced."""
    return any((node.name, node.condition) == (NODE, "UNCLEAN") for node in scene.look.nodes or ())


def until_counted(lab: Lab, seen: Follow, node: str, before: int) -> None:
    """Wait until Pacemaker takes a node for fenced once more than `before`."""
    seen.until(f"{node} counts as fenced", lambda _scene: len(fencings(lab, node)) > before, LIMIT)


def bystander(lab: Lab) -> str:
    """Return a controller that holds neither the connection of the node nor the evacuator."""
    status = lab.cluster_status()
    assert status is not None
    busy = status.started[NODE] | status.started[hit.EVACUATOR]
    # Not the first: it is asked first, also while it comes back.
    return next(node.name for node in reversed(lab.controllers) if node.name not in busy)


def test_only_the_cut_off_controller_is_reset(guarded: Lab) -> None:
    """A controller that is cut off is reset and counts as fenced; a compute node is neither.

    The servers of the compute node run on, until an admin has switched it off and says so.
    """
    controller = bystander(guarded)
    counted = len(fencings(guarded, controller))
    before = {node: resets(guarded, node) for node in (controller, NODE)}
    seen, guests = cut_off(guarded)
    guarded.cable(controller, up=False)
    seen.until("the controller is reset", lambda _: resets(guarded, controller) > before[controller], LIMIT)
    guarded.cable(controller, up=True)
    until_counted(guarded, seen, controller, counted)
    seen.until("a fencing fails", lambda _: has_failed(guarded, NODE), LIMIT)
    seen.until("it is not known to be off", is_unclean, LIMIT)
    assert resets(guarded, NODE) == before[NODE]
    guests.assert_untouched()
    guarded.power_off(NODE)
    pcs(guarded, "stonith", "confirm", NODE, "--force")
    seen.until("every server is elsewhere", are_elsewhere, LIMIT)
    guarded.cable(NODE, up=True)
    guarded.power_on(NODE)
    assert_recovered(guarded, seen)


def test_doctor_finds_watchdogs_of_compute_nodes_that_count(trusting: Lab) -> None:
    """The command nova-ha doctor calls it an error, and what it proposes mends it."""
    doctor = Doctor(trusting)
    (found,) = (one for one in doctor.findings() if one["check"] == "watchdog")
    assert found["severity"] == "error"
    assert NODE in found["problem"]
    doctor.type(found["fix"])
    assert "watchdog" not in {one["check"] for one in doctor.findings()}


def test_a_compute_node_that_hangs_is_reset(trusting: Lab) -> None:
    """It counts as fenced when its watchdog must have run out, and the evacuator records that."""
    before, counted = resets(trusting, NODE), len(fencings(trusting, NODE))
    seen = strike(trusting, "freeze", NODE, servers=SERVERS)
    until_counted(trusting, seen, NODE, counted)
    assert resets(trusting, NODE) == before + 1
    assert_recovered(trusting, seen)


def test_a_cut_off_compute_node_that_counts_as_reset(trusting: Lab) -> None:
    """Its watchdog does not run out: it counts as fenced, and its servers run on.

    The evacuator, which would start them a second time, runs only after the node has lost its power.
    """
    refused = trusting.run(NODE, "crmadmin", "--pacemakerd", check=False)
    assert "Remote I/O error" in refused.stderr
    pcs(trusting, "resource", "disable", hit.EVACUATOR, "--wait")
    before, counted = resets(trusting, NODE), len(fencings(trusting, NODE))
    seen, guests = cut_off(trusting)
    until_counted(trusting, seen, NODE, counted)
    guests.assert_running()
    assert resets(trusting, NODE) == before
    trusting.power_off(NODE)
    pcs(trusting, "resource", "enable", hit.EVACUATOR)
    seen.until("every server is elsewhere", are_elsewhere, LIMIT)
    trusting.cable(NODE, up=True)
    trusting.power_on(NODE)
    assert audit_complaints(trusting, seen.scene.goal.active, seen.scene.timeline.zero) == []
