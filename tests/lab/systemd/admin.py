# SPDX-License-Identifier: Apache-2.0
"""A person who types the commands of a README into the nodes of a lab, and the transcript of that."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.lab import Lab

_HOME = "/root"
_WHERE = "/run/admin-is-in"
# As in one long session: "cd" holds for the next command, and errors are shown between what else is shown.
_SESSION = f"""
cd "$(cat {_WHERE} 2>/dev/null || echo {_HOME})" || exit
eval "$1" 2>&1
status=$?
pwd >{_WHERE}
exit $status
"""
_PATIENCE = 180.0


def commands(readme: Path) -> list[str]:
    """Return the lines of all indented blocks of a Markdown file, without the remarks behind them."""
    lines = re.findall(r"^(?: {4}| {6})(\S.*)$", readme.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [re.sub(r" +# .*", "", line) for line in lines]


class Admin:
    """Types only what the README says, and remembers what is left of it.

    Attributes:
        transcript: the file with everything that was typed and what came of it.
    """

    def __init__(self, lab: Lab, readme: Path) -> None:
        self._lab = lab
        self._commands = commands(readme)
        self._typed: set[str] = set()
        self.transcript = lab.logs / "transcript.txt"

    def type(self, command: str, *nodes: str, answer: str = "", timeout: float = _PATIENCE) -> dict[str, str]:
        """Type a command of the README on one or more nodes at once; return what each has shown.

        Args:
            command: as the README has it.
            nodes: where.
            answer: what is typed when the command asks.
            timeout: seconds.

        Raises:
            LabError: the README has no such command, or it failed on a node.
        """
        self._mark(command)
        with ThreadPoolExecutor(len(nodes)) as pool:
            results = dict(
                zip(nodes, pool.map(lambda node: self._type(command, node, answer, timeout), nodes))
            )
        for node, (_status, shown, seconds) in results.items():
            self._write(node, command, shown, seconds)
        failed = [f"on {node}, exit status {one[0]}: {one[1]}" for node, one in results.items() if one[0]]
        if failed:
            raise LabError(f"'{command}' failed {'; '.join(failed)}")
        return {node: shown for node, (_status, shown, _seconds) in results.items()}

    def edit(self, command: str, node: str, values: Mapping[str, str]) -> None:
        """Type the README's command that opens a shell script in an editor, and change variables there.

        Raises:
            LabError: the README has no such command, or the file no such variable.
        """
        self._mark(command)
        name = command.rsplit(maxsplit=1)[-1]
        before = self._run(node, f"cat {name}")
        after = before
        for variable, value in values.items():
            after = assigned(after, variable, value)
        self._run(node, f"cat >{name}", after)
        self._write(node, command, "".join(_changes(before, after)))

    def unused(self) -> list[str]:
        """Return the commands of the README that were not typed."""
        return [command for command in self._commands if command not in self._typed]

    def _mark(self, command: str) -> None:
        if command not in self._commands:
            raise LabError(f"the README has no command '{command}'")
        self._typed.add(command)

    def _type(self, command: str, node: str, answer: str, timeout: float) -> tuple[int, str, float]:
        began = time.monotonic()
        done = self._lab.run(
            node, "bash", "-c", _SESSION, "bash", command, check=False, timeout=timeout, stdin=answer
        )
        return done.returncode, done.stdout + done.stderr, time.monotonic() - began

    def _run(self, node: str, command: str, stdin: str = "") -> str:
        return self._lab.run(node, "bash", "-c", _SESSION, "bash", command, stdin=stdin).stdout

    def _write(self, node: str, command: str, shown: str, seconds: float | None = None) -> None:
        took = "" if seconds is None else f"{' ' * 10}({seconds:.1f} s)"
        with self.transcript.open("a", encoding="utf-8") as file:
            file.write(f"root@{node}:# {command}{took}\n{shown.rstrip()}\n".rstrip() + "\n\n")


def assigned(text: str, variable: str, value: str) -> str:
    """Return a shell script with another value of a variable; raise LabError if it has no such variable."""
    changed, count = re.subn(
        rf'^{variable}=("[^"]*"|\S*)$', lambda _found: f'{variable}="{value}"', text, flags=re.MULTILINE
    )
    if count != 1:
        raise LabError(f"the file has {count} lines for variable {variable}, not one")
    return changed


def _changes(before: str, after: str) -> Iterable[str]:
    return difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), n=0)
