# SPDX-License-Identifier: Apache-2.0
"""What was written becomes typed values: names and aliases, the environment as a fallback, defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nova_ha.errors import ConfigurationError
from nova_ha.settings.option import Option, Value
from nova_ha.settings.option_credentials import NAME_OR_ID
from nova_ha.settings.option_table import OPTIONS
from nova_ha.settings.programs import COMMAND, COMPUTE, EVACUATE, FENCE, PROGRAMS

__all__ = [
    "COMMAND",
    "COMPUTE",
    "EVACUATE",
    "FENCE",
    "OPTIONS",
    "PROGRAMS",
    "Option",
    "Value",
    "for_program",
    "resolve",
    "unknown_names",
]


def for_program(program: str) -> tuple[Option, ...]:
    """Return the options of a program, in the order of manuals."""
    return tuple(option for option in OPTIONS if program in option.used_by)


def unknown_names(program: str, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names that are no option of the program; an agent warns of them, a command refuses them."""
    known = {spelling for option in for_program(program) for spelling in _spellings(option)}
    return tuple(name for name in given if _canonical(name) not in known)


def resolve(program: str, given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, Value]:
    """Return the value of every option of a program, under its canonical name.

    Args:
        program: one of `PROGRAMS`.
        given: what the admin wrote; names may be aliases, and have ``-`` for ``_``. Unknown ones are ignored.
        environ: the environment, a fallback; not for credentials that come from elsewhere.

    Raises:
        ConfigurationError: a value means nothing, or two names of one option contradict each other.
    """
    written = {_canonical(name): text for name, text in given.items() if text.strip()}
    fallback = _fallback(written, environ)
    values = {option.name: _value(option, written, fallback) for option in for_program(program)}
    return _without_opposite(values)


def _value(option: Option, written: Mapping[str, str], environ: Mapping[str, str]) -> Value:
    """Return one option's value from whichever of its names was used."""
    used = [name for name in _spellings(option) if name in written]
    parsed = [option.parse(written[name], name) for name in used]
    if any(value != parsed[0] for value in parsed[1:]):
        raise ConfigurationError(
            f"{' and '.join(used)} mean the same and have different values; keep {used[0]}"
        )
    if parsed:
        return parsed[0]
    return option.parse(environ.get(option.environment or "", ""), option.environment)


def _fallback(written: Mapping[str, str], environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the part of the environment that may fill gaps: never half of another source's credentials."""
    if "credentials_file" in written:
        return {}
    if "cloud" in written or ("auth_url" not in written and environ.get("OS_CLOUD")):
        return {name: environ[name] for name in ("OS_CLOUD", "OS_CLIENT_CONFIG_FILE") if name in environ}
    hidden = {"OS_CLOUD"} if "auth_url" in written else set()
    by_name = {option.name: option for option in OPTIONS}
    for pair in NAME_OR_ID:
        options = [by_name[name] for name in pair]
        if any(spelling in written for option in options for spelling in _spellings(option)):
            hidden |= {option.environment or "" for option in options}
    return {name: text for name, text in environ.items() if name not in hidden}


def _without_opposite(values: dict[str, Value]) -> dict[str, Value]:
    """Fold the old ``no_shared_storage`` into ``shared_storage``."""
    opposite = values.pop("no_shared_storage", None)
    if opposite and "shared_storage" in values:
        values["shared_storage"] = False
    return values


def _spellings(option: Option) -> Iterator[str]:
    """Yield every name of an option."""
    yield option.name
    yield from option.aliases


def _canonical(name: str) -> str:
    """Return a name with underscores: ``user-domain`` and ``user_domain`` are the same."""
    return name.replace("-", "_")
