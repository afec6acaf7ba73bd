# SPDX-License-Identifier: Apache-2.0
"""Describe the command nova-ha for its manual page, from the parser of its command line."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator

import roff

from nova_ha.settings.options import COMMAND, for_program


def parser() -> argparse.ArgumentParser | None:
    """Return the command's parser; None in a checkout that has no such command."""
    try:
        module = importlib.import_module("nova_ha.command")
    except ModuleNotFoundError as error:
        if error.name != "nova_ha.command":
            raise
        return None
    made = module.parser()
    if not isinstance(made, argparse.ArgumentParser):
        raise TypeError(f"nova_ha.command.parser() is {made!r}: it must be a parser of argparse")
    return made


def commands(whole: argparse.ArgumentParser) -> str:
    """Return each subcommand with what it takes, without the options that every one has."""
    return "\n".join(part for word, text, sub in _subcommands(whole) for part in _command(word, text, sub))


def general(whole: argparse.ArgumentParser) -> str:
    """Return what stands before the subcommand."""
    return "\n".join(_entries(whole))


def _subcommands(whole: argparse.ArgumentParser) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Yield name, short help and parser of each subcommand."""
    for action in whole._actions:  # noqa: SLF001 (argparse has no other way to ask)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
            for word, sub in action.choices.items():
                if word in helps:
                    yield word, helps[word], sub


def _command(word: str, text: str, sub: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the section of a subcommand."""
    places = [_place(action) for action in _shown(sub) if not action.option_strings]
    yield f".SS {roff.escape(' '.join(('nova-ha', word, *places)))}"
    yield roff.prose(sub.description or _sentence(text))
    yield from _entries(sub)


def _entries(some: argparse.ArgumentParser) -> Iterator[str]:
    """Yield what a parser takes, positional arguments first."""
    for action in sorted(_shown(some), key=lambda action: bool(action.option_strings)):
        words = [roff.bold(word) for word in action.option_strings] or [roff.italic(_place(action))]
        value = "" if not action.option_strings or action.nargs == 0 else f" {roff.italic(_place(action))}"
        text = (action.help or "") % {**vars(action), "prog": some.prog}
        yield roff.item(", ".join(words) + value, _sentence(text))


def _shown(some: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return what a parser takes, without the table's options, help, and what is hidden."""
    table = {option.name for option in for_program(COMMAND)}
    kept = (action for action in some._actions if action.help != argparse.SUPPRESS)  # noqa: SLF001
    return [
        action
        for action in kept
        if action.dest not in table | {"help"} and not isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
    ]


def _place(action: argparse.Action) -> str:
    """Return what stands for an argument's value."""
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices is not None:
        return "|".join(str(choice) for choice in action.choices)
    return action.dest.upper() if action.option_strings else action.dest


def _sentence(text: str) -> str:
    """Return a phrase of a parser as a sentence."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) or not text else ".")
