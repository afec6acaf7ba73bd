# SPDX-License-Identifier: Apache-2.0
"""The demo from its first act to its last: bring up, hit, watch, judge."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.lab.demo import hit
from tests.lab.demo.cloud import audit_complaints, boot
from tests.lab.demo.follow import Follow
from tests.lab.demo.model import Goal
from tests.lab.demo.scene import any_reached, is_through, unreached
from tests.lab.demo.timeline import Stage
from tests.lab.demo.view import View, summary
from tests.lab.demo.watch import Watch
from tests.lab.errors import LabError
from tests.lab.lab import Lab

LIMIT = 300.0
_SETTLED = 120.0


@dataclass(frozen=True)
class Story:
    """What is to happen.

    Attributes:
        how: a key of `hit.HOW`.
        servers: how many servers are booted on the victims.
        victims: how many compute nodes are hit.
        kill_evacuator: whether the evacuator's controller loses its power in the middle.
    """

    how: str = "power-cut"
    servers: int = 20
    victims: int = 1
    kill_evacuator: bool = False


class Show:
    """One demo in one lab.

    Args:
        lab: a lab that is prepared.
        story: what is to happen.
        view: where it is shown.
    """

    def __init__(self, lab: Lab, story: Story, view: View) -> None:
        self._lab = lab
        self._story = story
        self._view = view
        self._victims = tuple(node.name for node in lab.computes[: story.victims])

    def prepare(self) -> None:
        """Bring the lab up and boot the servers on the victims."""
        began = time.monotonic()
        self._say(f"bringing up {', '.join(self._lab.nodes)} and an OpenStack")
        self._lab.up()
        where = " and ".join(self._victims)
        self._say(
            f"up after {time.monotonic() - began:.0f} s; booting {self._story.servers} servers on {where}"
        )
        boot(self._lab, self._victims, self._story.servers)
        self._say(f"they are there after {time.monotonic() - began:.0f} s")

    def run(self) -> bool:
        """Hit, watch and judge; return whether all is well at the end."""
        follow = self._hit()
        problems = self._watch(follow) + audit_complaints(self._lab, follow.scene.goal.active)
        self._view.print(summary(follow.scene))
        for line in unreached(follow.scene):
            self._view.print(line)
        self._judge(follow, problems)
        return not problems

    def _say(self, text: str) -> None:
        self._view.say(None, text)

    def _hit(self) -> Follow:
        goal = Goal(self._victims, Watch(self._lab).servers() or ())
        if len(goal.servers) != self._story.servers:
            raise LabError(f"Nova lists {len(goal.servers)} servers where {self._story.servers} were booted")
        follow = Follow(self._lab, hit.title(self._story.how, self._victims), goal, self._view)
        self._view.show(follow.scene)
        self._say(f"now: {follow.scene.title}")
        follow.begin(hit.hit(self._lab, self._story.how, self._victims))
        return follow

    def _watch(self, follow: Follow) -> list[str]:
        """Follow the recovery to its end; return why it does not come to one."""
        try:
            if self._story.kill_evacuator:
                self._kill_evacuator(follow)
            if self._story.how == "cable":
                self._repair_cables(follow)
            follow.until_done(LIMIT)
            self._lab.wait_cluster(_SETTLED)
        except LabError as error:
            return [str(error)]
        return []

    def _kill_evacuator(self, follow: Follow) -> None:
        """Cut the power of the evacuator's controller while its first requests are under way."""
        controller = hit.controller_of_evacuator(self._lab)
        follow.until("first evacuation", lambda scene: any_reached(scene, Stage.EVACUATING), LIMIT)
        self._lab.power_off(controller)
        self._view.say(follow.now, f"{controller}: POWER CUT in the middle; {hit.EVACUATOR} ran there")

    def _repair_cables(self, follow: Follow) -> None:
        """Repair the cables once the servers are elsewhere; without them the nodes could not return."""
        follow.until("every server verified", lambda scene: is_through(scene, Stage.VERIFIED), LIMIT)
        for node in self._victims:
            self._lab.cable(node, up=True)
            self._view.say(follow.now, f"{node}: somebody repairs its cable")

    def _judge(self, follow: Follow, problems: list[str]) -> None:
        """Say how it ended."""
        count = len(follow.scene.goal.servers)
        if not problems:
            hosts = " and ".join(self._victims)
            self._view.print(
                f"{count} of {count} servers are as before on other hosts; the auditor saw nothing lost and"
                f" nothing doubled; {hosts} back in service. All logs: {self._lab.logs}"
            )
            return
        self._view.print("FAILED")
        for problem in problems:
            self._view.print(problem)
        self._view.print(f"All logs: {self._lab.logs}")
