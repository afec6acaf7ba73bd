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
from rich.table import Table
from rich.text import Text

from tests.lab.demo.model import NodeSeen, ServerSeen
from tests.lab.demo.scene import Scene, sentence_of
from tests.lab.demo.timeline import Stage

_SERVERS_IN_A_BLOCK = 10
_LAST_LINES = 5
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
        events = Text("\n".join(self._last), no_wrap=True, overflow="ellipsis")
        self._live.update(picture(self._scene, events) if self._scene else events)


@contextmanager
def open_view() -> Iterator[View]:
    """Give the view that fits where standard output leads."""
    console = Console(highlight=False)
    if not console.is_terminal:
        yield PlainView()
        return
    with Live(console=console, refresh_per_second=8, vertical_overflow="crop") as live:
        yield LiveView(live)


def picture(scene: Scene, events: Text) -> RenderableType:
    """Return the scene as something that rich draws; what may be cropped comes last."""
    title = Text(f"{scene.title}, {scene.seconds:.0f} s ago", style="bold")
    others = "  ".join(
        f"{node.name} {node.condition}" for node in scene.look.nodes or () if not _is_compute(scene, node)
    )
    servers = Columns(_servers(scene), padding=(0, 3))
    blank = Text()
    return Group(title, _stages(scene), blank, _nodes(scene), Text(others), blank, servers, blank, events)


def _dated(seconds: float | None, text: str) -> str:
    return f"+{seconds:6.1f} s  {text}" if seconds is not None else f"{'':10}{text}"


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0)
    return table


def _stages(scene: Scene) -> Table:
    table = _table("", *(stage.word for stage in Stage))
    for node in scene.goal.victims:
        table.add_row(node, *(_stage_cell(scene, node, stage) for stage in Stage))
    return table


def _stage_cell(scene: Scene, node: str, stage: Stage) -> Text:
    seconds = scene.timeline.seconds(node, stage)
    if seconds is None:
        return Text("...", style="dim")
    progress = f" {scene.progress(node)}" if stage is Stage.EVACUATING else ""
    return Text(f"{seconds:.1f}{progress}", style="green")


def _is_compute(scene: Scene, node: NodeSeen) -> bool:
    return any(service.host == node.name for service in scene.look.services or ())


def _nodes(scene: Scene) -> Table:
    table = _table("node", "Pacemaker", "Nova", "nova-ha-state")
    services = {service.host: service.text for service in scene.look.services or ()}
    for node in scene.look.nodes or ():
        if _is_compute(scene, node):
            nova = services[node.name]
            style = "green" if nova == "up, enabled" else "yellow"
            table.add_row(node.name, _condition(node), Text(nova, style=style), sentence_of(node))
    return table


def _condition(node: NodeSeen) -> Text:
    style = {"online": "green", "UNCLEAN": "bold red", "OFFLINE": "red"}.get(node.condition, "yellow")
    return Text(node.condition, style=style)


def _servers(scene: Scene) -> list[Table]:
    servers = sorted(scene.look.servers or (), key=lambda server: _natural(server.name))
    blocks = [servers[at : at + _SERVERS_IN_A_BLOCK] for at in range(0, len(servers), _SERVERS_IN_A_BLOCK)]
    return [_block(scene, block) for block in blocks]


def _natural(name: str) -> tuple[str, int]:
    word, _, number = name.rpartition("-")
    return (word, int(number)) if number.isdecimal() else (name, 0)


def _block(scene: Scene, servers: list[ServerSeen]) -> Table:
    table = _table("server", "host", "state")
    for server in servers:
        is_dead = server.host == scene.goal.homes.get(server.id) and server.host in scene.goal.victims
        is_verified = server.id in scene.verified
        host = Text(server.host, style="red" if is_dead and not is_verified else "green")
        state = Text(server.task or server.status) + Text(" verified" if is_verified else "", style="green")
        table.add_row(server.name, host, state)
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
