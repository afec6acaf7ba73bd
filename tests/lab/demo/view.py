# SPDX-License-Identifier: Apache-2.0
"""Show the scene: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich import box
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tests.lab.demo.model import NodeSeen, ServerSeen
from tests.lab.demo.scene import Scene, sentence_of
from tests.lab.demo.timeline import Stage

_SERVERS_IN_A_BLOCK = 10
_LAST_LINES = 6
_PLAIN_WIDTH = 120


class View(Protocol):
    """Where the show is seen."""

    def say(self, seconds: float | None, text: str) -> None:
        """Tell one event; seconds since the hit, None before it."""

    def show(self, scene: Scene) -> None:
        """Show how things stand."""

    def print(self, what: RenderableType) -> None:
        """Print something that stays."""


class PlainView:
    """One line per event; how things stand is not shown."""

    def __init__(self) -> None:
        self._console = Console(width=_PLAIN_WIDTH, highlight=False)

    def say(self, seconds: float | None, text: str) -> None:
        print(_dated(seconds, text), flush=True)

    def show(self, scene: Scene) -> None:
        pass

    def print(self, what: RenderableType) -> None:
        self._console.print(what)


class LiveView:
    """The scene, redrawn as it changes, above the last events."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._last: deque[str] = deque(maxlen=_LAST_LINES)
        self._scene: Scene | None = None

    def say(self, seconds: float | None, text: str) -> None:
        self._last.append(_dated(seconds, text))
        self._redraw()

    def show(self, scene: Scene) -> None:
        self._scene = scene
        self._redraw()

    def print(self, what: RenderableType) -> None:
        self._live.console.print(what)

    def _redraw(self) -> None:
        lines = Text("\n".join(self._last), no_wrap=True, overflow="ellipsis")
        events = Panel(lines, title="what happens", title_align="left", height=_LAST_LINES + 2)
        self._live.update(Group(picture(self._scene), events) if self._scene else events)


@contextmanager
def open_view() -> Iterator[View]:
    """Give the view that fits where standard output leads."""
    console = Console(highlight=False)
    if not console.is_terminal:
        yield PlainView()
        return
    with Live(console=console, refresh_per_second=8, vertical_overflow="crop") as live:
        yield LiveView(live)


def picture(scene: Scene) -> RenderableType:
    """Return the scene as something that rich draws."""
    title = Text(f"{scene.title}: {scene.seconds:.0f} s", style="bold")
    return Group(title, Columns([_stages(scene), _nodes(scene), *_servers(scene)], padding=(0, 2)))


def _dated(seconds: float | None, text: str) -> str:
    return f"+{seconds:6.1f} s  {text}" if seconds is not None else f"{'':10}{text}"


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _stages(scene: Scene) -> Table:
    table = _table("stages", "", *scene.goal.victims)
    for stage in Stage:
        table.add_row(stage.word, *(_stage_cell(scene, node, stage) for node in scene.goal.victims))
    return table


def _stage_cell(scene: Scene, node: str, stage: Stage) -> Text:
    seconds = scene.timeline.seconds(node, stage)
    if seconds is None:
        return Text("...", style="dim")
    progress = f"  {scene.progress(node)}" if stage is Stage.EVACUATING else ""
    return Text(f"{seconds:6.1f} s{progress}", style="green")


def _nodes(scene: Scene) -> Table:
    table = _table("nodes", "", "Pacemaker", "Nova", "nova-ha-state")
    services = {service.host: service.text for service in scene.look.services or ()}
    for node in scene.look.nodes or ():
        nova = services.get(node.name, "")
        nova_style = "green" if nova == "up, enabled" else "yellow"
        table.add_row(node.name, _condition(node), Text(nova, style=nova_style), sentence_of(node))
    return table


def _condition(node: NodeSeen) -> Text:
    style = {"online": "green", "UNCLEAN": "bold red", "OFFLINE": "red"}.get(node.condition, "yellow")
    return Text(node.condition, style=style)


def _servers(scene: Scene) -> list[Table]:
    servers = sorted(scene.look.servers or (), key=lambda server: server.name)
    blocks = [servers[at : at + _SERVERS_IN_A_BLOCK] for at in range(0, len(servers), _SERVERS_IN_A_BLOCK)]
    return [_block(scene, block) for block in blocks]


def _block(scene: Scene, servers: list[ServerSeen]) -> Table:
    table = _table("servers", "", "host", "state", "")
    for server in servers:
        is_dead = server.host in scene.goal.victims and server.id in scene.goal.homes
        host = Text(server.host, style="red" if is_dead and server.id not in scene.verified else "green")
        state = server.task or server.status
        table.add_row(server.name, host, state, "verified" if server.id in scene.verified else "")
    return table


def summary(scene: Scene) -> Table:
    """Return the table of seconds per stage; every row names the log it was read from."""
    table = Table(title=f"{scene.title}: seconds per stage", title_justify="left", box=box.SIMPLE_HEAD)
    for column, justify in (("node", "left"), ("stage", "left"), ("at", "right"), ("took", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    table.add_column("read from")
    for node in scene.goal.victims:
        for stage, at, took, source in scene.timeline.table(node):
            table.add_row(node, stage.word, f"{at:.1f}", f"{took:.1f}", source)
        table.add_section()
    return table
