# SPDX-License-Identifier: Apache-2.0
"""Say on which nodes a resource must not run, from the location constraints. No effects.

Pacemaker's scheduler knows better (``crm_simulate``), but it says where something runs now; the question is
where it could ever run. Only a ban (-INFINITY) counts: any other score may be outweighed.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

from nova_ha.commands.configuration import Configuration, Resource

#: How a rule compares an attribute's value with its own.
_COMPARISONS = {
    "eq": lambda one, other: one == other,
    "lt": lambda one, other: one < other,
    "gt": lambda one, other: one > other,
    "lte": lambda one, other: one <= other,
    "gte": lambda one, other: one >= other,
}


def is_banned(
    configuration: Configuration,
    resource: Resource,
    node: str,
    *,
    is_remote: bool,
    extra: Mapping[str, str | None] | None = None,
) -> bool:
    """Say whether the constraints keep a resource off a node for sure.

    Args:
        configuration: the cluster's.
        resource: the resource.
        node: the node's name.
        is_remote: whether it is a Pacemaker Remote node.
        extra: attributes that the node is supposed to have besides, or, with None, not to have.
    """
    attributes: dict[str, str | None] = dict(configuration.node_attributes(node))
    attributes.update({"#uname": node, "#kind": "remote" if is_remote else "cluster", **(extra or {})})
    known = {name: value for name, value in attributes.items() if value is not None}
    scores = [
        score
        for constraint in configuration.root.iterfind("configuration/constraints/rsc_location")
        if _is_about(constraint, resource)
        for score in _scores(constraint, node, known)
    ]
    is_opt_in = (configuration.property("symmetric-cluster") or "true").lower() in ("false", "no", "0", "off")
    return "-INFINITY" in scores or (is_opt_in and not any(not score.startswith("-") for score in scores))


def _is_about(constraint: ET.Element, resource: Resource) -> bool:
    """Say whether a constraint names a resource: by id, by pattern, or in a set."""
    named = {constraint.get("rsc"), *(item.get("id") for item in constraint.iter("resource_ref"))}
    pattern = constraint.get("rsc-pattern")
    if pattern is not None:
        is_negated, pattern = pattern.startswith("!"), pattern.removeprefix("!")
        return any((re.search(pattern, name) is not None) != is_negated for name in resource.names)
    return not named.isdisjoint(resource.names)


def _scores(constraint: ET.Element, node: str, attributes: Mapping[str, str]) -> Iterator[str]:
    """Yield the scores that a constraint gives a node."""
    if constraint.get("node") == node:
        yield _canonical(constraint.get("score", "0"))
    for rule in constraint.iterfind("rule"):
        if _holds(rule, attributes):
            yield _canonical(rule.get("score", "0"))


def _canonical(score: str) -> str:
    return {"-infinity": "-INFINITY", "-1000000": "-INFINITY"}.get(score.lower(), score)


def _holds(rule: ET.Element, attributes: Mapping[str, str]) -> bool:
    """Say whether a rule holds for a node; a part that is about times or operations counts as not."""
    parts = [_part_holds(part, attributes) for part in rule if part.tag != "duration"]
    return any(parts) if rule.get("boolean-op", "and") == "or" else bool(parts) and all(parts)


def _part_holds(part: ET.Element, attributes: Mapping[str, str]) -> bool:
    if part.tag == "rule":
        return _holds(part, attributes)
    if part.tag != "expression":
        return False
    value, operation = attributes.get(part.get("attribute", "")), part.get("operation", "")
    if operation in ("defined", "not_defined"):
        return (value is not None) == (operation == "defined")
    # Pacemaker: an attribute that a node lacks is different from every value, and compares with none.
    if operation == "ne":
        return value != part.get("value")
    return value is not None and _COMPARISONS[operation](value, part.get("value", ""))
