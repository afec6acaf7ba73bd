# SPDX-License-Identifier: Apache-2.0
"""The options of fence_compute in the form of the fence agents' library, and back.

The library has traps (conventions 2b.2): it changes what has ``choices`` to upper case, and a flag that was
switched off is present all the same, with the value 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nova_ha.settings.option import Option
from nova_ha.settings.options import FENCE, for_program

#: What the metadata says about the agent, apart from its parameters.
DOCS = {
    "shortdesc": "Fence agent for the recovery of the servers of OpenStack compute nodes",
    "longdesc": "fence_compute is used together with a device that cuts the power, as a later device of the "
    "same fencing level. The action off records in the cluster that the node was fenced and tells Nova "
    "that the host is down; the resource agent ocf:openstack:NovaEvacuate then recovers its servers. The "
    "action on changes nothing; a constraint on the record keeps nova-compute down until the recovery is "
    "complete.",
    "vendorurl": "https://docs.openstack.org/nova/latest/admin/evacuate.html",
}

#: Options that the library itself has, under the keys that it uses.
LIBRARY_KEYS = {"username": "login", "password": "passwd", "password_script": "passwd_script", "plug": "port"}

#: Keys that the predecessor spelled with a hyphen; pcs then accepts both spellings.
_HYPHENATED = frozenset({"user_domain", "project_domain", "compute_domain"})

#: Aliases that the library has already.
_LIBRARY_ALIASES = frozenset(LIBRARY_KEYS.values())

#: Column at which the library expects the text of an option's help.
_TEXT_COLUMN = 31

#: The library's types. Durations are texts for it: its "second" is a bare whole number, and it refuses the
#: 90s that every resource parameter of Pacemaker may be (_get_opts_with_invalid_types).
_TYPES = {"integer": "integer", "boolean": "boolean"}

Definition = dict[str, object]


def definitions() -> dict[str, Definition]:
    """Return the library's definitions of every option that it does not have itself."""
    found: dict[str, Definition] = {}
    for order, option in enumerate(for_program(FENCE), start=2):
        if option.name not in LIBRARY_KEYS:
            found[_key(option.name)] = _definition(option, option.name, order)
        for alias in sorted(set(option.aliases) - _LIBRARY_ALIASES):
            found[_key(alias)] = _definition(option, alias, order)
    return found


def library_summaries() -> dict[str, str]:
    """Return our summaries of the options that the library has itself, by its keys."""
    ours = {option.name: option.summary for option in for_program(FENCE)}
    return {key: ours[name] for name, key in LIBRARY_KEYS.items()}


def given(options: Mapping[str, object]) -> dict[str, str]:
    """Return what the admin wrote, by the names of `settings.options`, from what the library has parsed."""
    written = {name[2:].replace("-", "_"): value for name, value in options.items() if name.startswith("--")}
    flags = {spelling for option in for_program(FENCE) if _is_flag(option) for spelling in _names(option)}
    names = {spelling for option in for_program(FENCE) for spelling in _names(option)}
    texts = {name: str(value) for name, value in written.items() if name in names}
    if texts.get("password"):
        # The library has run the script already, and its output is the password.
        texts.pop("password_script", None)
    return {name: "1" if name in flags and not text else text for name, text in texts.items()}


def _definition(option: Option, name: str, order: int) -> Definition:
    """Return the definition of an option under one of its names."""
    is_alias = name != option.name
    letter = "" if is_alias else option.short
    definition: Definition = {
        "getopt": letter if _is_flag(option) else f"{letter}:",
        "longopt": name.replace("_", "-"),
        "help": _help(option, name, letter),
        "required": "0",
        "shortdesc": f"Old name of {option.name}" if is_alias else option.summary,
        "order": order,
    }
    if option.kind in _TYPES:
        definition["type"] = _TYPES[option.kind]
    if option.default is not None and not is_alias:
        definition["default"] = option.default
    return definition


def _help(option: Option, name: str, letter: str) -> str:
    """Return the lines of ``--help``."""
    head = f"-{letter}, " if letter else ""
    head += f"--{name.replace('_', '-')}"
    head += "" if _is_flag(option) else f"=[{'|'.join(option.choices) or option.kind}]"
    text = option.description if name == option.name else f"Old name of {option.name}."
    return f"{head:<{_TEXT_COLUMN - 1}} {text}"


def _is_flag(option: Option) -> bool:
    """Say whether the option has no value on the command line: a switch that is off by default."""
    return option.kind == "boolean" and option.default in (None, "0")


def _key(name: str) -> str:
    """Return the library's key for a name."""
    return name.replace("_", "-") if name in _HYPHENATED else name


def _names(option: Option) -> Iterator[str]:
    """Yield every name of an option."""
    yield option.name
    yield from option.aliases
