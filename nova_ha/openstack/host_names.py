# SPDX-License-Identifier: Apache-2.0
"""Find the Nova host that a Pacemaker node is. Nothing is guessed: a wrong host would be evacuated."""

from __future__ import annotations

from collections.abc import Iterable

from nova_ha.errors import HostNameError


class HostNames:
    """Every host that Nova has, to be looked up many times: a large cloud has thousands.

    Args:
        hosts: their names.
        domain: the DNS suffix that the option of that name adds to a node's name.
    """

    def __init__(self, hosts: Iterable[str], domain: str = "") -> None:
        self._known = frozenset(hosts)
        self._domain = domain.lstrip(".")
        self._shorts: dict[str, list[str]] | None = None

    def host_of(self, node: str) -> str:
        """Return Nova's name of a node; see `nova_host`."""
        for name in (node, f"{node}.{self._domain}"):
            if name in self._known:
                return name
        fits = [host for host in self._by_short().get(_short(node), ()) if _one_is_short(host, node)]
        if len(fits) == 1:
            return fits[0]
        if fits:
            may_be = f"node '{node}' may be any of Nova's hosts {', '.join(fits)}"
            raise HostNameError(f"{may_be}; give the node its host's full name")
        known = sorted(self._known)
        raise HostNameError(f"node '{node}' is none of Nova's {len(known)} hosts{_some(known)}")

    def _by_short(self) -> dict[str, list[str]]:
        """Return the hosts by short name; many clouds never need that."""
        if self._shorts is None:
            self._shorts = {}
            for host in sorted(self._known):
                self._shorts.setdefault(_short(host), []).append(host)
        return self._shorts


def nova_host(node: str, hosts: Iterable[str], domain: str | None = None) -> str:
    """Return Nova's name of a node: the same name, else the only host with the same short name.

    Args:
        node: Pacemaker's name of the node.
        hosts: every host that Nova has.
        domain: DNS suffix that old configurations add to the node's name.

    Raises:
        HostNameError: no host fits, or more than one.
    """
    return HostNames(hosts, domain or "").host_of(node)


def _short(name: str) -> str:
    """Return a name without its domain."""
    return name.partition(".")[0].lower()


def _one_is_short(one: str, other: str) -> bool:
    """Say whether at most one of two names has a domain; two different full names are two hosts."""
    return "." not in one or "." not in other


def _some(known: list[str]) -> str:
    """Return the first names of a list, for a message."""
    if not known:
        return ""
    return f" ({', '.join(known[:3])}{', ...' if len(known) > 3 else ''})"  # noqa: PLR2004 - three are enough
