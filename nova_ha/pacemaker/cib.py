# SPDX-License-Identifier: Apache-2.0
"""Read what Pacemaker's tools print as XML (2.1 and 3.0) into values. No effects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from xml.etree import ElementTree as ET

from nova_ha import record
from nova_ha.clock import parse_time
from nova_ha.errors import ClusterError
from nova_ha.model import ClusterNode, FencingEvent
from nova_ha.pacemaker import compute_history, lost_connection, remote_connection

#: ``off`` and ``reboot`` prove that a node was without power; ``on`` is unfencing.
_POWERED_OFF = frozenset(("off", "reboot"))
_OFFLINE_WORDS = frozenset(("", "0", "false", "offline", "lost"))


@dataclass(frozen=True)
class StoredAttribute:
    """A permanent node attribute, and the id of the XML element that holds it."""

    id: str
    name: str
    value: str


class Cib:
    """The cluster's configuration and state at one moment, as ``cibadmin --query`` prints it."""

    def __init__(self, text: str) -> None:
        self._root = parse(text, "cib")

    @property
    def root(self) -> ET.Element:
        """Return the whole of it."""
        return self._root

    @property
    def version(self) -> tuple[str, ...]:
        """Return what differs whenever anything in it differs."""
        return tuple(self._root.get(name, "") for name in ("admin_epoch", "epoch", "num_updates", "dc-uuid"))

    @property
    def is_quorate(self) -> bool:
        """Say whether the partition that this CIB belongs to has quorum."""
        return self._root.get("have-quorum") == "1"

    def nodes(self) -> tuple[ClusterNode, ...]:
        """Return every node that the CIB knows, by name."""
        remote = self._remote_names()
        names = remote | set(self._configured()) | set(self._states())
        nodes = (self._node(name, is_remote=name in remote) for name in sorted(names))
        return tuple(self._with_compute(node) if node.is_remote and node.online else node for node in nodes)

    def stored(self, node: str, name: str) -> StoredAttribute | None:
        """Return a permanent attribute of a node."""
        return next(
            (item for item in stored_attributes(self._configured().get(node)) if item.name == name), None
        )

    def holders(self, name: str) -> tuple[str, ...]:
        """Return the nodes that have a transient attribute of that name."""
        path = f"transient_attributes/instance_attributes/nvpair[@name='{name}']"
        return tuple(node for node, state in self._states().items() if state.find(path) is not None)

    def _node(self, name: str, *, is_remote: bool) -> ClusterNode:
        permanent = {item.name: item.value for item in stored_attributes(self._configured().get(name))}
        online = self._is_online(name) if is_remote else _is_member(self._states().get(name))
        return ClusterNode(
            name=name,
            is_remote=is_remote,
            online=online,
            lost=(lost := is_remote and not online and lost_connection.is_lost(self._root, name)),
            lost_since=lost_connection.lost_since(self._root, name) if lost else None,
            fenced=permanent.get(record.FENCED) or None,
            evacuated=permanent.get(record.EVACUATED) or None,
            state=permanent.get(record.STATE) or None,
            servers=permanent.get(record.SERVERS) or None,
            fenced_since=_fenced_since(self._states().get(name)),
        )

    def _with_compute(self, node: ClusterNode) -> ClusterNode:
        """Add what Pacemaker knows of the nova-compute of a node that is online."""
        state = self._states().get(node.name)
        path = f"transient_attributes/instance_attributes/nvpair[@name='{record.WEDGED}']"
        wedged = None if state is None else state.find(path)
        return replace(
            node,
            wedged=None if wedged is None else wedged.get("value") or None,
            compute_since=compute_history.running_since(state, self._computes),
        )

    @cached_property
    def _computes(self) -> frozenset[str]:
        return compute_history.managed_resources(self._root)

    def _is_online(self, remote: str) -> bool:
        """Say whether the connection to a remote node is up.

        Since 2.1.7 Pacemaker writes times for true and false, and for remote nodes always 0.
        """
        state = self._states().get(remote)
        in_ccm = "" if state is None else state.get("in_ccm", "").lower()
        return remote_connection.is_up(self._root, remote) if in_ccm == "0" else in_ccm not in _OFFLINE_WORDS

    def _configured(self) -> dict[str, ET.Element]:
        return _by_name(self._root.iterfind("configuration/nodes/node"))

    def _states(self) -> dict[str, ET.Element]:
        return _by_name(self._root.iterfind("status/node_state"))

    def _remote_names(self) -> set[str]:
        """Return the nodes that run pacemaker_remoted; the kind may be said in any of these places."""
        states = (name for name, state in self._states().items() if state.get("remote_node") == "true")
        entries = (name for name, entry in self._configured().items() if entry.get("type") == "remote")
        return {*states, *entries, *self._remote_resources(), *self._guests()}

    def _remote_resources(self) -> Iterator[str]:
        for primitive in self._root.iterfind("configuration/resources//primitive"):
            agent = tuple(primitive.get(name) for name in ("class", "provider", "type"))
            if agent == ("ocf", "pacemaker", "remote"):
                yield primitive.get("id", "")

    def resources_of(self, agent: str) -> tuple[str, ...]:
        """Return the ids of the resources of one of our agents."""
        primitives = self._root.iterfind(f"configuration/resources//primitive[@type='{agent}']")
        return tuple(p.get("id", "") for p in primitives if p.get("provider") == "openstack")

    def _guests(self) -> Iterator[str]:
        for pair in self._root.iterfind(
            "configuration/resources//meta_attributes/nvpair[@name='remote-node']"
        ):
            yield pair.get("value", "")


def parse(text: str, tag: str) -> ET.Element:
    """Return the root element of a tool's output.

    Raises:
        ClusterError: it is no XML, or not of that kind.
    """
    try:
        root = ET.fromstring(text)  # noqa: S314 (written by Pacemaker on this machine, not by strangers)
    except ET.ParseError as error:
        raise ClusterError(f"Pacemaker's answer is no XML ({error}): {text[:80]!r}") from None
    if root.tag != tag:
        raise ClusterError(f"Pacemaker answered <{root.tag}> where <{tag}> belongs")
    return root


def stored_attributes(node: ET.Element | None) -> Iterator[StoredAttribute]:
    """Yield the permanent attributes of a ``<node>`` element of the CIB."""
    pairs = () if node is None else node.iterfind("instance_attributes/nvpair")
    for pair in pairs:
        yield StoredAttribute(pair.get("id", ""), pair.get("name", ""), pair.get("value", ""))


def record_of(nodes: str, name: str) -> tuple[str | None, str | None, str | None]:
    """Return the values of `record.FENCED`, `record.EVACUATED` and `record.STATE` of a node.

    Args:
        nodes: the CIB's section ``nodes``.
        name: the node.
    """
    entry = _by_name(parse(nodes, "nodes").iterfind("node")).get(name)
    values = {item.name: item.value for item in stored_attributes(entry)}
    fenced, evacuated, state = (
        values.get(key) or None for key in (record.FENCED, record.EVACUATED, record.STATE)
    )
    return fenced, evacuated, state


def fencing_history(text: str) -> tuple[FencingEvent, ...]:
    """Return the successful fencings in the output of ``stonith_admin --history``, oldest first."""
    root = _result(text, "fencing history")
    events = (_fencing_event(event) for event in root.iter("fence_event") if event.get("status") == "success")
    known = (event for event in events if event is not None and event.action in _POWERED_OFF)
    return tuple(sorted(known, key=lambda event: event.completed_at))


def failed_fencings(text: str) -> dict[str, str]:
    """Return by node why its last fencing has failed, from the same output; not of those that succeeded.

    Seen in Pacemaker's schema (api/fence-event.rng): ``exit-reason`` is optional, and what is pending has no
    ``completed``.
    """
    events = (e for e in _result(text, "fencing history").iter("fence_event") if _completed(e) is not None)
    last: dict[str, ET.Element] = {}
    for event in sorted(events, key=lambda one: _completed(one) or 0.0):
        if event.get("action") in _POWERED_OFF:
            last[event.get("target", "")] = event
    failed = {node: event for node, event in last.items() if event.get("status") == "failed"}
    return {node: event.get("exit-reason") or "no reason given" for node, event in failed.items()}


def private_attributes(text: str) -> dict[str, str]:
    """Return value by host, from the output of ``attrd_updater --query --all``; empty values are left out."""
    found = _result(text, "attributes").iter("attribute")
    return {item.get("host", ""): item.get("value", "") for item in found if item.get("value")}


def _result(text: str, what: str) -> ET.Element:
    """Return the root of a formatted answer: ``<pacemaker-result>`` in 2.1 and 3.0."""
    root = parse(text, "pacemaker-result")
    status = root.find("status")
    if status is None or status.get("code") not in ("0", None):
        message = "no status" if status is None else status.get("message")
        raise ClusterError(f"Pacemaker did not tell the {what}: {message}")
    return root


def _fencing_event(event: ET.Element) -> FencingEvent | None:
    completed = _completed(event)
    if completed is None:
        return None
    return FencingEvent(
        target=event.get("target", ""),
        action=event.get("action", ""),
        completed_at=completed,
        by=event.get("delegate", "") or event.get("client", ""),
    )


def _completed(event: ET.Element) -> float | None:
    """Return when a fencing was over, epoch seconds; None for one that is under way."""
    return parse_time(event.get("completed", "").replace(" ", "T", 1).replace(" ", ""))


def _by_name(elements: Iterator[ET.Element]) -> dict[str, ET.Element]:
    return {name: element for element in elements if (name := element.get("uname", ""))}


def _fenced_since(state: ET.Element | None) -> float | None:
    """Return when a node was fenced that has not been up since, epoch seconds.

    Seen on 2.1.5: ``node_fenced`` of a remote node is 0 while it is up and after a clean stop, and the time
    of the fencing after any successful one (device, watchdog, ``stonith_admin --confirm``) until its
    connection is up.
    """
    value = "" if state is None else state.get("node_fenced", "")
    return float(value) if value.isdigit() and int(value) > 1 else None


def _is_member(state: ET.Element | None) -> bool:
    """Say whether a full member takes part: it must be in its process group (``crmd``), too.

    Pacemaker 2.1.7 writes the time of joining, and 0, where older ones write true and false.
    """
    words = () if state is None else (state.get("in_ccm", ""), state.get("crmd", ""))
    return bool(words) and not any(word.lower() in _OFFLINE_WORDS for word in words)
