# SPDX-License-Identifier: Apache-2.0
"""What an option is, and how the text that an admin wrote becomes its value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Union

from nova_ha.errors import ConfigurationError

#: The type of an option's value; None means that it was not given and has no default.
Value = Union[str, bool, int, float, None]

_TRUE = frozenset({"1", "yes", "on", "true"})
_FALSE = frozenset({"0", "no", "off", "false"})
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|msec|s|sec|m|min|h|hr)?", re.IGNORECASE)
_UNIT = {"ms": 0.001, "msec": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hr": 3600}


@dataclass(frozen=True)
class Option:
    """One option of one or more of the programs.

    Attributes:
        name: canonical name, with underscores.
        kind: ``string``, ``boolean``, ``integer``, ``seconds`` or ``choice``.
        default: value when it is not given, as text; None when there is none.
        summary: noun phrase for lists.
        description: full sentences for manuals.
        used_by: the programs that have it.
        aliases: names of other programs, and of older versions, that mean the same.
        short: letter on the command line, or empty.
        environment: variable that is the fallback.
        required: whether nothing works without it.
        secret: whether its value must never be shown.
        choices: the words that a ``choice`` may be.
        minimum: the smallest number that makes sense.
        refused: values that have the right form and are refused all the same, each with the reason.
    """

    name: str
    kind: str
    default: str | None
    summary: str
    description: str
    used_by: frozenset[str]
    aliases: tuple[str, ...] = ()
    short: str = ""
    environment: str | None = None
    required: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()
    minimum: int = 0
    refused: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def parse(self, text: str, origin: str | None = None) -> Value:
        """Return the value that a text means; an empty text means the default.

        Args:
            text: what the admin wrote.
            origin: the name under which it was written; the option's own when None.

        Raises:
            ConfigurationError: the text means nothing; the message names option, value and fix.
        """
        word = text.strip()
        if not word:
            return None if self.default is None else self.parse(self.default)
        if word.lower() in self.refused:
            raise ConfigurationError(
                f"{origin or self.name}={self._shown(word)}: {self.refused[word.lower()]}"
            )
        try:
            return _READERS[self.kind](self, word)
        except ValueError as error:
            raise ConfigurationError(f"{origin or self.name}={self._shown(word)}: {error}") from None

    def _shown(self, text: str) -> str:
        """Return the text as a message may show it."""
        return "***" if self.secret else text


def _read_string(_option: Option, text: str) -> Value:
    """Return the text itself."""
    return text


def _read_boolean(_option: Option, text: str) -> Value:
    """Return whether the text says yes."""
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("not a yes or no; use true or false")


def _read_integer(option: Option, text: str) -> Value:
    """Return the whole number in the text."""
    if not text.isascii() or not text.isdigit() or int(text) < option.minimum:
        raise ValueError(f"not a whole number of at least {option.minimum}")
    return int(text)


def _read_seconds(option: Option, text: str) -> Value:
    """Return the seconds in a duration such as ``90``, ``90s``, ``2min`` or ``500ms``."""
    match = _SECONDS.fullmatch(text)
    if not match:
        raise ValueError("not a duration; write seconds, such as 90, or 90s, 2min, 500ms")
    seconds = float(match[1]) * _UNIT[(match[2] or "s").lower()]
    if seconds < option.minimum:
        raise ValueError(f"too short, at least {option.minimum} seconds are needed")
    return seconds


def _read_choice(option: Option, text: str) -> Value:
    """Return one of the option's words; ``internalURL`` is novaclient's spelling of ``internal``."""
    word = text.lower().removesuffix("url")
    if word not in option.choices:
        raise ValueError(f"must be one of {', '.join(option.choices)}")
    return word


_READERS: Mapping[str, Callable[[Option, str], Value]] = {
    "string": _read_string,
    "boolean": _read_boolean,
    "integer": _read_integer,
    "seconds": _read_seconds,
    "choice": _read_choice,
}
