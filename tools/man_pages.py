#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write the manual pages of man/ from their frames (man/*.in), the table of options and the agents' texts.

tools/man_pages.py            write
tools/man_pages.py --check    exit with 1, and change nothing, if writing would change something

A line @name@ in a frame stands for a part that is made here: see `_PARTS`. The page of a program that is not
there is not made.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

_HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_HERE), str(_HERE / "tools")]

import command_line  # noqa: E402 (from tools/)
import roff  # noqa: E402 (from tools/)

from nova_ha import __version__  # noqa: E402 (the checkout is on the path only now)
from nova_ha.agents.nova_compute import NovaCompute  # noqa: E402
from nova_ha.agents.nova_evacuate import NovaEvacuate  # noqa: E402
from nova_ha.agents.ocf import Agent  # noqa: E402
from nova_ha.agents.ocf_metadata import Action, description_for  # noqa: E402
from nova_ha.fence import fence_options  # noqa: E402 (the checkout is on the path only now)
from nova_ha.settings.options import COMMAND, FENCE, Option, for_program  # noqa: E402

MAN = _HERE / "man"
_PART = re.compile(r"^@([a-z-]+)@$", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Write or check the pages; return the exit status."""
    if arguments not in ([], ["--check"]):
        print(f"nova-ha: unknown argument {arguments[0]!r}: use --check or nothing", file=sys.stderr)
        return 2
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    if arguments and stale:
        names = ", ".join(path.name for path in stale)
        print(f"nova-ha: stale in man/: {names}: run tools/man_pages.py", file=sys.stderr)
        return 1
    for path in stale:
        path.write_text(pages()[path], encoding="utf-8")
    return 0


def pages() -> dict[Path, str]:
    """Return the text of every page, by the path where it belongs."""
    frames = sorted(MAN.glob("*.in"))
    made = {frame.with_suffix(""): _page(frame) for frame in frames if _is_there(frame)}
    if not made:
        raise ValueError(f"no frame of a page in {MAN}")
    return made


def _is_there(frame: Path) -> bool:
    """Say whether the program that a frame is about is there."""
    return frame.name != "nova-ha.8.in" or command_line.parser() is not None


def _page(frame: Path) -> str:
    """Return the page of a frame."""
    parts = _PARTS[frame.name.partition(".")[0]]
    name, section = frame.name.rsplit(".", 2)[:2]
    heading = f'.TH {name.upper()} {section} "{_date()}" "nova\\-ha {__version__}" "nova\\-ha"'
    licence, text = frame.read_text(encoding="utf-8").split("\n", 1)
    notice = f'.\\" Made by tools/man_pages.py from {frame.name}: change that, or what it is made from.'
    return "\n".join((licence, notice, heading, ".nh", ".ad l", _PART.sub(lambda m: parts[m[1]](), text)))


def _date() -> str:
    """Return when this version was made, by debian/changelog."""
    lines = (_HERE / "debian" / "changelog").read_text(encoding="utf-8").splitlines()
    newest = next(line for line in lines if line.startswith(" -- "))
    return parsedate_to_datetime(newest.partition("  ")[2]).strftime("%Y-%m-%d")


def _agent_parts(agent: type[Agent]) -> Mapping[str, Callable[[], str]]:
    """Return what an OCF agent's frame may ask for."""
    description = agent({}).description()
    return {
        "summary": lambda: f"ocf_openstack_{agent.name} \\- {roff.escape(_lower(description.summary))}",
        "description": lambda: roff.prose(description.text),
        "parameters": lambda: _parameters(agent.name, _name),
        "actions": lambda: "\n".join(_action(action) for action in description.actions),
    }


def _parameters(program: str, tag: Callable[[Option], str]) -> str:
    """Return the list of a program's parameters; those without effect come last."""
    told = [(option, _meaning(program, option)) for option in for_program(program)]
    told.sort(key=lambda pair: "ccepted and ignored" in pair[1] or "accepts and ignores" in pair[1])
    return "\n".join(roff.item(f"{tag(option)} ({_kind(option)})", text) for option, text in told)


def _meaning(program: str, option: Option) -> str:
    """Return what an option means to a program, with its other names."""
    aliases = sorted(set(option.aliases) - {option.name})
    others = f" Other names: {', '.join(aliases)}." if aliases else ""
    variable = f" Environment: {option.environment}." if program == COMMAND and option.environment else ""
    secret = " Refused as an argument." if program == COMMAND and option.secret else ""
    return description_for(program, option) + others + variable + secret


def _kind(option: Option) -> str:
    """Return what may be written for an option, and what holds when nothing is."""
    kind = " | ".join(roff.bold(choice) for choice in option.choices) or option.kind
    need = "required, " if option.required else ""
    default = "" if option.default is None else f", default {roff.bold(option.default)}"
    return f"{need}{kind}{default}"


def _name(option: Option) -> str:
    """Return how an option of an OCF agent is written."""
    return roff.bold(option.name)


def _long_name(option: Option) -> str:
    """Return how an option of nova-ha is written."""
    return roff.bold(f"--{option.name.replace('_', '-')}")


def _fence_name(option: Option) -> str:
    """Return how an option of fence_compute is written, on standard input and on the command line."""
    letter = f"{roff.bold(f'-{option.short}')}, " if option.short else ""
    return f"{roff.bold(option.name)}, {letter}{_long_name(option)}"


def _action(action: Action) -> str:
    """Return an action and its times."""
    times = [f"timeout {action.timeout}s"]
    times += [] if action.interval is None else [f"interval {action.interval}s"]
    depth = getattr(action, "depth", 0)
    times += [f"OCF_CHECK_LEVEL {depth}"] if depth else []
    return f".TP\n{roff.bold(action.name)}\n{', '.join(times)}."


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command nova-ha.

    Raises:
        LookupError: there is no such command in this checkout.
    """
    parser = command_line.parser()
    if parser is None:
        raise LookupError("there is no nova_ha.command")
    return parser


def _lower(text: str) -> str:
    """Return a phrase as it stands behind a dash."""
    return text[:1].lower() + text[1:]


_PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "ocf_openstack_NovaEvacuate": _agent_parts(NovaEvacuate),
    "ocf_openstack_NovaCompute": _agent_parts(NovaCompute),
    "fence_compute": {
        "summary": lambda: f"fence_compute \\- {roff.escape(_lower(fence_options.DOCS['shortdesc']))}",
        "description": lambda: roff.prose(fence_options.DOCS["longdesc"]),
        "parameters": lambda: _parameters(FENCE, _fence_name),
    },
    "nova-ha": {
        "commands": lambda: command_line.commands(_parser()),
        "general": lambda: command_line.general(_parser()),
        "options": lambda: _parameters(COMMAND, _long_name),
    },
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
