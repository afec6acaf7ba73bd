# SPDX-License-Identifier: Apache-2.0
"""While a dead compute node's servers are being evacuated, something else fails, and all still ends well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.lab.demo import hit
from tests.lab.demo.follow import Follow
from tests.lab.demo.scene import Scene, is_through
from tests.lab.demo.timeline import Stage
from tests.lab.lab import Lab
from tests.lab.openstack.judgement import Finding, Kind
from tests.lab.recoveries import SERVERS, SETTLED, Labs, assert_recovered, prepare, set_spawn_time

pytestmark = pytest.mark.lab

VICTIM = "compute-0"
DESTINATION = "compute-2"
#: Long enough that what fails in the middle hits guests that are being started.
SPAWN_SECONDS = 5.0
#: So many guests are being started when the middle has come.
MANY = 3
#: How long a service of the control plane stays away.
OUTAGE = 20.0
#: Seconds from the hit to the end: the outage, what it costs (lost answers, lost messages), the return.
LIMIT = 300.0
#: Every service is on this machine and no proxy is before them, so what a lost answer may still bring shows
#: within seconds. A few requests at a time let the outage hit some on their way and find others unsent.
SETTINGS = ("settle_time=20", "dead_after=45", "stuck_after=60", "max_in_flight=5")


@pytest.fixture
def middle(labs: Labs) -> Lab:
    """Return a whole cloud in which an evacuation has a middle that lasts."""
    lab = labs.whole()
    lab.run_on_controller("pcs", "resource", "update", "nova-evacuate", *SETTINGS)
    lab.run_on_controller("crm_resource", "--wait", timeout=LIMIT)
    lab.wait_cluster(SETTLED)
    set_spawn_time(lab, 0.5)
    return lab


def evacuations_under_way(lab: Lab, destination: str = "") -> list[str]:
    """Return the servers whose guests are being started elsewhere, as Nova's own records say."""
    return [
        record["instance_uuid"]
        for record in lab.openstack.client.migrations()
        if record["migration_type"] == "evacuation"
        and record["source_compute"] == VICTIM
        and record["status"] in ({"pre-migrating"} if destination else {"accepted", "pre-migrating"})
        and destination in {"", record["dest_compute"]}
    ]


def follow_to_the_middle(
    lab: Lab, destination: str = "", servers: int = SERVERS, spawn: float = SPAWN_SECONDS
) -> Follow:
    """Cut the victim's power, and return when evacuations are under way.

    Args:
        lab: the lab.
        servers: how many.
        spawn: seconds that each takes to start.
        destination: a node that will be hit as well: evacuations to it are waited for, and it must be back
            in service at the end; "" for none.
    """
    also = (destination,) if destination else ()
    follow = prepare(lab, "power-cut", [VICTIM], servers)
    follow.scene.goal = replace(follow.scene.goal, victims=(VICTIM, *also))
    set_spawn_time(lab, spawn)
    follow.begin(hit.hit(lab, "power-cut", [VICTIM]))
    enough = 1 if destination else MANY
    follow.until(
        "evacuations under way", lambda _: len(evacuations_under_way(lab, destination)) >= enough, LIMIT
    )
    return follow


def say_what_is_hit(lab: Lab, follow: Follow, what: str, destination: str = "") -> None:
    """Make sure that what happens now happens in the middle."""
    running = evacuations_under_way(lab, destination)
    assert running
    assert not is_through(follow.scene, Stage.VERIFIED)
    print(f"+{follow.now:6.1f} s  NOW: {what}, {len(running)} evacuations under way")


@contextmanager
def away(lab: Lab, follow: Follow, service: str) -> Iterator[None]:
    """Stop a service of the control plane, and start it again some time later."""
    say_what_is_hit(lab, follow, f"{service} stops")
    lab.openstack.stop(service)
    try:
        back = follow.now + OUTAGE
        yield
        follow.until(f"{service} was away long enough", lambda scene: scene.seconds >= back, LIMIT)
    finally:
        lab.openstack.start(service)
    print(f"+{follow.now:6.1f} s  NOW: {service} is back")


@pytest.mark.parametrize("service", ["nova-api", "rabbitmq"])
def test_service_of_the_control_plane_is_away(middle: Lab, service: str) -> None:
    """A service that stops during the evacuation and comes back later costs time, but no server.

    RabbitMQ can cost more: a destination whose last call to the conductor gets no answer takes the evacuation
    for failed, with the guest running, and Nova goes on naming the dead host (seen with Nova 34).
    """
    follow = follow_to_the_middle(middle)
    with away(middle, follow, service):
        pass
    assert_accounted_for(middle, follow)


def test_keystone_is_away_when_the_evacuator_starts_anew(middle: Lab) -> None:
    """An evacuator that dies together with Keystone is started without it, and goes on when it is back.

    With Keystone alone nothing would happen: everybody has a token that is good for hours.
    """
    controller = hit.controller_of_evacuator(middle)
    follow = follow_to_the_middle(middle)
    with away(middle, follow, "keystone"):
        middle.kill_process(controller, r"nova_ha\.evacuator_main")
    assert_recovered(middle, follow, limit=LIMIT)


def test_destination_dies_while_it_receives(middle: Lab) -> None:
    """What was on its way to a destination that dies, and what had arrived there, ends on a third host."""
    # Of twenty servers at least one goes there, but once in 3,000 times: Nova chooses among three hosts.
    follow = follow_to_the_middle(middle, DESTINATION, servers=20)
    say_what_is_hit(middle, follow, f"power cut of {DESTINATION}", DESTINATION)
    middle.power_off(DESTINATION)
    assert_recovered(middle, follow, but=frozenset({Stage.EVACUATING}), limit=LIMIT)


def test_source_is_switched_on_by_hand(middle: Lab) -> None:
    """A node that fencing leaves off and a person switches on waits until its servers are elsewhere."""
    middle.run_on_controller("pcs", "property", "set", "stonith-action=off")
    try:
        # So slow that the node is back before the last one has started.
        follow = follow_to_the_middle(middle, spawn=2 * SPAWN_SECONDS)
        assert middle.conditions()[VICTIM] == "off"
        say_what_is_hit(middle, follow, f"{VICTIM} is switched on")
        middle.power_on(VICTIM)
        follow.until(
            "the node is back in the cluster", lambda scene: is_through(scene, Stage.REJOINED), LIMIT
        )
        say_what_is_hit(middle, follow, f"{VICTIM} is back in the cluster")
        set_spawn_time(middle, SPAWN_SECONDS)
        assert_recovered(middle, follow, limit=LIMIT)
    finally:
        middle.run_on_controller("pcs", "property", "set", "stonith-action=")


def test_database_is_away(middle: Lab) -> None:
    """Every server ends elsewhere, or the evacuator says by name which one Nova does not get on with.

    A destination that cannot reach the database when it fails leaves its evacuation open in Nova for ever.
    Its guest may run there, so that server is never asked for again, and its host must not come back.
    """
    follow = follow_to_the_middle(middle)
    with away(middle, follow, "mariadb"):
        pass
    assert_accounted_for(middle, follow)


def assert_accounted_for(lab: Lab, follow: Follow) -> None:
    """Every server is as before elsewhere, or the evacuator names it and says rightly why it is not."""
    follow.until("every server is accounted for", lambda scene: not unaccounted(lab, scene), LIMIT)
    stuck, strayed = left_open(lab, follow.scene), named_as_strayed(lab, follow.scene)
    if not stuck | strayed:
        assert_recovered(lab, follow, limit=LIMIT)
        return
    print(f"+{follow.now:6.1f} s  left open by Nova: {sorted(stuck)}, placed wrongly: {sorted(strayed)}")
    if stuck:
        # With the next monitor of NovaEvacuate.
        lab.wait_until(
            "pcs status says so",
            lambda: "no progress" in lab.run_on_controller("pcs", "status").stdout,
            SETTLED,
        )
        assert follow.scene.goal.not_back(follow.fresh_look())
    else:
        follow.until("the host is back", lambda scene: not scene.goal.not_back(scene.look), LIMIT)
        lab.wait_until(
            "pcs status names them",
            lambda: strayed <= set(re.findall(r"[-0-9a-f]{36}", pcs_status_in_full(lab))),
            SETTLED,
        )
    assert unaccounted(lab, follow.scene) == []
    assert unexpected_findings(lab, follow.scene.timeline.zero, strayed) == []


def pcs_status_in_full(lab: Lab) -> str:
    """Return what pcs status shows, node attributes included."""
    return lab.run_on_controller("pcs", "status", "--full").stdout


def unexpected_findings(lab: Lab, since: float, strayed: set[str]) -> list[Finding]:
    """Return what the auditor has against the run, but that the named servers run where Nova has them not."""
    status = lab.openstack.audit()
    assert status.sees_nova
    return [
        found
        for found in status.findings
        if found.since >= since and not (found.kind is Kind.MISPLACED and found.uuid in strayed)
    ]


def unaccounted(lab: Lab, scene: Scene) -> list[str]:
    """Return what is wrong with servers that are neither as before elsewhere nor named by the evacuator."""
    named = left_open(lab, scene) | named_as_strayed(lab, scene)
    others = tuple(server for server in scene.goal.servers if server.id not in named)
    return replace(scene.goal, servers=others).misplaced(scene.look.servers)


def left_open(lab: Lab, scene: Scene) -> set[str]:
    """Return the servers of which the evacuator says, and Nova's records too, that Nova does not get on."""
    stuck = named(lab, scene, r"server \S+ \((\S+)\): evacuating \(.*no progress since")
    return stuck & servers_with_open_records(lab) if stuck else stuck


def named_as_strayed(lab: Lab, scene: Scene) -> set[str]:
    """Return the servers that an evacuator's log has given up: their guests may run where they should not."""
    return named(lab, scene, r"not recovered: server \S+ \((\S+)\): immovable \(its guest may run on")


def named(lab: Lab, scene: Scene, pattern: str) -> set[str]:
    """Return the servers of this recovery in lines like that of the evacuators' logs."""
    logs = [lab.logs / node.name / "nova-ha" / "evacuator.log" for node in lab.controllers]
    text = "".join(log.read_text() for log in logs if log.exists())
    return set(re.findall(pattern, text)) & {server.id for server in scene.goal.servers}


def servers_with_open_records(lab: Lab) -> set[str]:
    """Return the servers whose evacuations are open in Nova."""
    records = lab.openstack.client.migrations()
    return {one["instance_uuid"] for one in records if one["status"] in {"accepted", "pre-migrating"}}
