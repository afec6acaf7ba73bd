# SPDX-License-Identifier: Apache-2.0
"""What the audience knows so far, and what is new about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.lab.demo.model import STATE, Goal, Look, NodeSeen, ServerSeen
from tests.lab.demo.timeline import Event, Stage, Timeline


@dataclass
class Scene:
    """The state of the show.

    Attributes:
        title: what is done to which node.
        goal: what must be the case at the end.
        timeline: the stages that were reached.
        look: the last look.
        verified: ids of the servers that the evacuator has verified.
        seconds: since the hit.
    """

    title: str
    goal: Goal
    timeline: Timeline
    look: Look = field(default_factory=Look)
    verified: set[str] = field(default_factory=set)
    seconds: float = 0.0

    def progress(self, node: str) -> str:
        """Return ``k/n``: how many of the node's servers the evacuator has verified."""
        mine = {server for server, home in self.goal.homes.items() if home == node}
        return f"{len(mine & self.verified)}/{len(mine)}"

    def see(self, look: Look) -> list[str]:
        """Take a look; return what is new in it, a line each."""
        look = look.filled_from(self.look)
        lines = _servers_news(self.look.servers, look.servers) + _nodes_news(self.look.nodes, look.nodes)
        lines += _services_news(self.look, look)
        self.look = look
        return lines


def stage_line(event: Event) -> str:
    """Return a line about a stage that was reached."""
    return f"{event.node}: {event.stage.word.upper()} ({event.stage.proof}; {event.source})"


def _servers_news(before: Iterable[ServerSeen] | None, after: Iterable[ServerSeen] | None) -> list[str]:
    """Return a line for each change, with all servers that it happened to."""
    if before is None or after is None:
        return []
    old = {server.id: server for server in before}
    changes: dict[str, list[str]] = {}
    for server in after:
        if change := _change(old.get(server.id), server):
            changes.setdefault(change, []).append(server.name)
    return [f"Nova: {change}: {', '.join(names)}" for change, names in changes.items()]


def _change(was: ServerSeen | None, now: ServerSeen) -> str:
    if was is None or was == now:
        return ""
    moved = f"{was.host} -> {now.host}" if was.host != now.host else f"on {now.host}"
    return f"{moved}, {now.status}" + (f" ({now.task})" if now.task else "")


def _nodes_news(before: Iterable[NodeSeen] | None, after: Iterable[NodeSeen] | None) -> list[str]:
    if before is None or after is None:
        return []
    old = {node.name: node for node in before}
    return [line for node in after for line in _node_news(old.get(node.name), node)]


def _node_news(was: NodeSeen | None, now: NodeSeen) -> list[str]:
    if was is None:
        return []
    names = sorted(name for name in {*was.attributes, *now.attributes} if name.startswith("nova-ha-"))
    changed = [name for name in names if was.attributes.get(name) != now.attributes.get(name)]
    condition = [f"{was.condition} -> {now.condition}"] if was.condition != now.condition else []
    news = condition + [f"{name} = {now.attributes.get(name, '(removed)')}" for name in changed]
    return [f"Pacemaker: {now.name}: {text}" for text in news]


def _services_news(before: Look, after: Look) -> list[str]:
    if before.services is None or after.services is None:
        return []
    old = {service.host: service for service in before.services}
    return [
        f"Nova: nova-compute of {service.host}: {service.text}"
        for service in after.services
        if service.host in old and old[service.host] != service
    ]


def sentence_of(node: NodeSeen) -> str:
    """Return what the product says about a node in Pacemaker."""
    return node.attributes.get(STATE, "")


def unreached(scene: Scene) -> list[str]:
    """Return for each node the stages of which no log tells, a line each."""
    nodes = {node: scene.timeline.missing(node) for node in scene.goal.victims}
    return [
        f"{node}: no log tells of: {', '.join(stage.word for stage in stages)}"
        for node, stages in nodes.items()
        if stages
    ]


def is_through(scene: Scene, stage: Stage) -> bool:
    """Say whether every victim has reached a stage."""
    return all(scene.timeline.event(node, stage) for node in scene.goal.victims)


def any_reached(scene: Scene, stage: Stage) -> bool:
    """Say whether at least one victim has reached a stage."""
    return any(scene.timeline.event(node, stage) for node in scene.goal.victims)
