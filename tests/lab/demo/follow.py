# SPDX-License-Identifier: Apache-2.0
"""Follow a recovery from the hit to its end: read the logs, look at the cloud, tell what is new."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from tests.lab.demo.logs import ControllerLogs
from tests.lab.demo.model import Goal, Look
from tests.lab.demo.scene import Scene, stage_line
from tests.lab.demo.timeline import Timeline
from tests.lab.demo.watch import Watch
from tests.lab.errors import LabError
from tests.lab.lab import Lab

_LOOK_EVERY = 2.0
_READ_EVERY = 0.25
_LAST_LINES = 30


class Listener(Protocol):
    """Who is told."""

    def say(self, seconds: float | None, text: str) -> None:
        """Hear one event; seconds since the hit."""

    def show(self, scene: Scene) -> None:
        """See how things stand."""


class NotInTime(LabError):
    """Something did not happen in time; the text has what a person needs to find out why."""


class Follow:
    """The recovery that one hit sets off; make it before the hit, so that nothing is missed.

    Args:
        lab: the lab.
        title: what is done to which node.
        goal: what must be the case at the end.
        listener: who is told.
    """

    def __init__(self, lab: Lab, title: str, goal: Goal, listener: Listener) -> None:
        self._lab = lab
        self._listener = listener
        self._watch = Watch(lab)
        self._eyes = ThreadPoolExecutor(1)
        self._logs = ControllerLogs(lab.logs, [node.name for node in lab.controllers])
        self._logs.skip()
        self._looking: Future[Look] | None = None
        self._next_look = 0.0
        self._names = {server.id: server.name for server in goal.servers}
        self.scene = Scene(title, goal, Timeline(time.time(), goal.victims), self._watch.look())
        self._services = {service.id: service.host for service in self.scene.look.services or ()}

    @property
    def now(self) -> float:
        """Return the seconds since the hit."""
        return time.time() - self.scene.timeline.zero

    def begin(self, zero: float) -> None:
        """Count from the moment of the hit, epoch seconds."""
        self.scene.timeline = Timeline(zero, self.scene.goal.victims)

    def step(self) -> Scene:
        """Read the logs, look if it is time to, and tell what is new; return how things stand."""
        self.scene.seconds = self.now
        self._read()
        self._look()
        self._listener.show(self.scene)
        return self.scene

    def until(self, what: str, condition: Callable[[Scene], bool], limit: float) -> float:
        """Step until the condition holds and return the seconds since the hit.

        Raises:
            NotInTime: it does not hold `limit` seconds after the hit.
        """
        while not condition(self.step()):
            if self.scene.seconds > limit:
                raise NotInTime(f"{what}: not within {limit:.0f} s of the hit\n{self.picture()}")
            time.sleep(_READ_EVERY)
        return self.scene.seconds

    def until_done(self, limit: float) -> float:
        """Step until everything is as it must be at the end; otherwise as `until`."""
        seconds = self.until("recovery and return of the host", self._is_done, limit)
        self._read()
        return seconds

    def _read(self) -> None:
        zero = self.scene.timeline.zero
        news = self._logs.read(zero, self.scene.goal.homes, self._services)
        for event in news.events:
            if self.scene.timeline.add(event):
                self._listener.say(event.at - zero, stage_line(event))
        for at, server in news.verified:
            if server in self._names and server not in self.scene.verified:
                self.scene.verified.add(server)
                home = self.scene.goal.homes[server]
                text = f"{home}: server {self._names[server]} verified, {self.scene.progress(home)}"
                self._listener.say(at - zero, text)

    def _look(self) -> None:
        """Take the look that is there, and have the next one made."""
        if self._looking is not None and self._looking.done():
            look, self._looking = self._looking.result(), None
            for line in self.scene.see(look):
                self._listener.say(self.now, line)
        if self._looking is None and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK_EVERY
            self._looking = self._eyes.submit(self._watch.look)

    def fresh_look(self) -> Look:
        """Return a look of this very moment; what does not answer is unknown."""
        return self._watch.look()

    def picture(self) -> str:
        """Return everything that tells why it is not finished: what is missing, Pacemaker, logs, servers."""
        scene, nothing = self.scene, ["(nothing)"]
        servers = [f"{s.name} on {s.host}: {s.status} {s.task}" for s in scene.look.servers or ()]
        parts = {
            "missing": scene.goal.missing(scene.look),
            "crm_mon -1A": self._crm_mon(),
            "end of the evacuators' logs": self._logs.tail_of_evacuators(_LAST_LINES),
            "servers": servers,
            "logs": [str(self._lab.logs)],
        }
        return "\n".join(f"--- {name}\n" + "\n".join(lines or nothing) for name, lines in parts.items())

    def _crm_mon(self) -> list[str]:
        try:
            return self._lab.run_on_controller(
                "crm_mon", "-1A", "--inactive", check=False
            ).stdout.splitlines()
        except LabError as error:
            return [str(error)]

    def _is_done(self, scene: Scene) -> bool:
        """Say whether nothing is missing in the last look, nor in one of this moment."""
        return not scene.goal.missing(scene.look) and not scene.goal.missing(self.fresh_look())
