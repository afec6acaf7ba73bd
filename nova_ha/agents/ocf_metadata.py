# SPDX-License-Identifier: Apache-2.0
"""Write an agent's metadata from the one table of options, with nothing but the standard library.

The document says that it is of OCF 1.1 and uses only what every schema in use accepts: those of
resource-agents (which ocf-tester asks), pcs and the OCF (conventions.md 2a.4). An agent whose metadata pcs
cannot validate counts as not installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape, quoteattr

from nova_ha import __version__
from nova_ha.settings.option import Option
from nova_ha.settings.options import PROGRAMS, for_program

#: Kinds of options that the schemas have no word for become strings, whose description says what they may be.
_TYPES = {"boolean": "boolean", "integer": "integer"}
_IGNORED = re.compile(r"\baccept(s|ed) and ignore(s|d)\b", re.IGNORECASE)
#: Aliases that the predecessors' metadata had; the others are names of the fence agent.
_OLD_NAMES = frozenset(("tenant_name", "endpoint_type"))


@dataclass(frozen=True)
class Action:
    """An action and the times that Pacemaker uses unless the admin says others; seconds.

    Attributes:
        name: of the action.
        timeout: how long it may take.
        interval: how often it is repeated; None: never.
        depth: of a monitor, its OCF_CHECK_LEVEL.
    """

    name: str
    timeout: int
    interval: int | None = None
    depth: int = 0


@dataclass(frozen=True)
class Description:
    """What the metadata says about an agent, apart from its parameters.

    Attributes:
        summary: noun phrase.
        text: paragraphs in lines of less than 80 columns; older ``pcs`` make one paragraph of them.
        actions: what it can do.
    """

    summary: str
    text: str
    actions: tuple[Action, ...]


def metadata(name: str, description: Description) -> str:
    """Return the metadata of an agent."""
    parts = (
        '<?xml version="1.0"?>',
        '<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">',
        f'<resource-agent name={quoteattr(name)} version="{__version__}">',
        "  <version>1.1</version>",
        f'  <longdesc lang="en">\n{escape(description.text)}\n  </longdesc>',
        f'  <shortdesc lang="en">{escape(description.summary)}</shortdesc>',
        "  <parameters>",
        *_parameters(name),
        "  </parameters>",
        "  <actions>",
        *(_action(action) for action in description.actions),
        "  </actions>",
        "</resource-agent>",
    )
    return "\n".join(parts) + "\n"


def _parameters(agent: str) -> Iterator[str]:
    """Yield every parameter, those without effect last, and the old names of some.

    The old names must be there because pcs refuses names that the metadata does not have.
    """
    fitted = [replace(option, description=description_for(agent, option)) for option in for_program(agent)]
    for option in sorted(fitted, key=lambda option: _IGNORED.search(option.description) is not None):
        yield _parameter(option)
        for alias in option.aliases:
            if alias in _OLD_NAMES:
                text = f"Old name of {option.name}."
                yield _parameter(replace(option, name=alias, default=None, description=text, required=False))


def _parameter(option: Option) -> str:
    default = "" if option.default is None else f" default={quoteattr(option.default)}"
    return "\n".join(
        (
            f'    <parameter name={quoteattr(option.name)} required="{int(option.required)}">',
            f'      <longdesc lang="en">{escape(_longdesc(option))}</longdesc>',
            f'      <shortdesc lang="en">{escape(option.summary)}</shortdesc>',
            f'      <content type="{_TYPES.get(option.kind, "string")}"{default}/>',
            "    </parameter>",
        )
    )


def description_for(program: str, option: Option) -> str:
    """Return what an option means to a program, without the sentences about other programs."""
    others = tuple(other for other in PROGRAMS if other != program)
    sentences = re.split(r"(?<=\.) ", option.description)
    return " ".join(sentence for sentence in sentences if not sentence.startswith(others))


def _longdesc(option: Option) -> str:
    """Return the description, with the words that a choice may be."""
    words = f" One of: {', '.join(option.choices)}." if option.choices else ""
    return option.description + words


def _action(action: Action) -> str:
    interval = "" if action.interval is None else f' interval="{action.interval}s"'
    depth = f' depth="{action.depth}"' if action.name == "monitor" else ""
    return f'    <action name="{action.name}" timeout="{action.timeout}s"{interval}{depth}/>'
