# SPDX-License-Identifier: Apache-2.0
"""The calls of Nova's API that nova-ha makes, as rules of an application credential.

An application credential may be confined to some calls (``access_rules``). keystonemiddleware, in front of
Nova, refuses every other one with HTTP 401, so one call that was forgotten shows in the middle of a recovery.
pcs-examples/CREDENTIALS.md has the rules for an admin; a test keeps both equal to what `nova` sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

#: The catalog's type of Nova, and the name of a rule's service.
SERVICE = "compute"

#: Method, and path below Nova's endpoint; ``*`` stands for one id.
CALLS = (
    ("GET", "/os-services"),
    ("PUT", "/os-services/*"),
    ("GET", "/servers/detail"),
    ("GET", "/servers/*"),
    ("POST", "/servers/*/action"),
    ("GET", "/servers/*/os-instance-actions"),
    ("GET", "/servers/*/os-instance-actions/*"),
    ("GET", "/os-migrations"),
    ("GET", "/os-server-groups"),
)

#: What a pattern may hold, as in keystonemiddleware.auth_token._path_matches.
_PARTS = re.compile(r"(?P<many>\*\*)|(?P<one>\*|\{[^}]*\})|(?P<text>[^*{}])")


def uncovered(granted: Iterable[Mapping[str, str]], endpoint: str) -> tuple[str, ...]:
    """Return those calls that no rule covers, such as ``PUT /v2.1/os-services/*``.

    Args:
        granted: the rules that a token brings along, each with ``service``, ``method`` and ``path``.
        endpoint: the path of Nova's URL, such as ``/compute/v2.1``. What Nova sees of it begins at the
            version where a proxy keeps the rest to itself; either form of a rule counts.
    """
    rules = [(rule["method"], _pattern(rule["path"])) for rule in granted if rule["service"] == SERVICE]
    whole = endpoint.rstrip("/")
    _, version, rest = whole.rpartition("/v2")
    places = {whole, version + rest}
    return tuple(
        f"{method} {version}{rest}{path}"
        for method, path in CALLS
        if not any(_is_covered(rules, method, place + path) for place in places)
    )


def _is_covered(rules: Iterable[tuple[str, re.Pattern[str]]], method: str, path: str) -> bool:
    return any(method == allowed and pattern.fullmatch(path) for allowed, pattern in rules)


def _pattern(path: str) -> re.Pattern[str]:
    """Return the expression for a rule's path: ``*`` and ``{name}`` are one part of it, ``**`` is many."""
    return re.compile("".join(map(_expression, _PARTS.finditer(path))))


def _expression(part: re.Match[str]) -> str:
    if part["many"]:
        return ".*"
    return "[^/]+" if part["one"] else re.escape(part["text"])
