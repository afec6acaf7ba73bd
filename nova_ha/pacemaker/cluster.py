# SPDX-License-Identifier: Apache-2.0
"""Pacemaker behind `nova_ha.ports.ClusterPort`: its command-line tools, with XML output.

The tools and not its libraries: their options and XML are what Pacemaker keeps stable, and a child that hangs
can be killed. Each costs about 10 ms of CPU, so an idle cluster is asked as seldom as possible:
`Pacemaker.change_token` needs no process, one ``cibadmin`` answers `Pacemaker.view`, and the other two tools
run only when something has changed or some time has passed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

from nova_ha import record
from nova_ha.clock import Clock, SystemClock
from nova_ha.errors import ClusterError, ClusterUnavailable
from nova_ha.model import ClusterNode, ClusterView, FencingEvent
from nova_ha.pacemaker import cib, fencing_levels
from nova_ha.pacemaker.cib import Cib, StoredAttribute
from nova_ha.remembered import Remembered
from nova_ha.runner import CommandFailed, Result, Runner

_log = logging.getLogger(__name__)

#: Node attribute with the words of whoever has confirmed that a node is off, for people.
CONFIRMED = "nova-ha-confirmed"

CIB_FILE = "/var/lib/pacemaker/cib/cib.xml"

#: Exit status of Pacemaker's tools (crm_error --exit --list): no such object.
_NO_SUCH = 105
#: attrd_updater 2.1 ends with this for an attribute that nobody has set (peers-pacemaker.md C).
_NO_SUCH_ATTRIBUTE = (78, _NO_SUCH)

#: No rights, wrong usage, bad input, other schema: asking again would not help. All others may pass: no
#: daemon yet, no quorum, no DC, too slow.
_FINAL = frozenset((4, 64, 65, 76, _NO_SUCH))

_TOOL_TIMEOUT = 20.0
#: What a fencing that was asked for may take.
_FENCING = 120.0
#: The history is asked for again even if nothing in the CIB has changed, after this many seconds.
_HISTORY_AGE = 60.0
#: The predecessors looked for the attribute every 10 s (the interval of their monitor).
_LEGACY_AGE = 10.0


class Pacemaker:
    """The cluster that this machine belongs to.

    Args:
        runner: runs its tools.
        clock: for the age of what is kept.
        cib_file: where a full member keeps the configuration on disk.
    """

    def __init__(self, runner: Runner, clock: Clock | None = None, cib_file: str = CIB_FILE) -> None:
        self._runner = runner
        self._cib_file = cib_file
        self._name: str | None = None
        clock = clock or SystemClock()
        self._history: Remembered[tuple[FencingEvent, ...]] = Remembered(clock, _HISTORY_AGE)
        self._legacy: Remembered[dict[str, str]] = Remembered(clock, _LEGACY_AGE)

    def view(self) -> ClusterView:
        """Return nodes, records and membership; the fencing history while a recovery is open."""
        state = self._cib()
        legacy = self._legacy.get((), self._ask_legacy)
        nodes = tuple(_with_legacy(node, legacy) for node in state.nodes())
        is_needed = any(node.recovery_is_open for node in nodes)
        fencing = self._history.get(state.version, self._ask_history) if is_needed else ()
        return ClusterView(quorate=state.is_quorate, nodes=nodes, fencing=fencing)

    def change_token(self) -> object:
        """Return a value that differs when the configuration has changed; costs no process.

        A full member replaces the file whenever the configuration changes, node attributes included, and
        never for the state alone: membership must be looked for with `view`, at a slower pace.
        """
        try:
            found = Path(self._cib_file).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def write_record(self, node: str, fenced_at: str) -> None:
        """Write the record of a fencing and read it back; raise `ClusterError` when it was not kept.

        The mark of an earlier recovery is removed: the constraint that keeps nova-compute off such nodes
        can only ask whether there is a mark.
        """
        self._write(node, record.FENCED, record.record_value(fenced_at))
        mark = self._cib().stored(node, record.EVACUATED)
        if mark is not None and mark.value != fenced_at:
            self._remove(mark)

    def mark_evacuated(self, node: str, fenced_at: str) -> None:
        """Write that the recovery of that fencing is complete, and read it back.

        A node may be fenced again at this very moment. A mark beside the record of a later fencing is taken
        back: the constraint that keeps nova-compute off such nodes can only ask whether there is a mark.
        """
        self._write(node, record.EVACUATED, fenced_at)
        state = self._cib()
        found, mark = state.stored(node, record.FENCED), state.stored(node, record.EVACUATED)
        is_of_another = found is not None and record.fenced_at(found.value) != fenced_at
        if is_of_another and mark is not None and mark.value == fenced_at:
            self._remove(mark)

    def clear_record(self, node: str, fenced_at: str) -> bool:
        """Remove record and mark, but only if the record is still of that fencing; say whether it was.

        Record first: a mark without its record means nothing, a record without its mark is an open recovery.
        """
        state = self._cib()
        found = state.stored(node, record.FENCED)
        if found is None or record.fenced_at(found.value) != fenced_at:
            return False
        self._remove(found)
        mark = state.stored(node, record.EVACUATED)
        if mark is not None and mark.value == fenced_at:
            self._remove(mark)
        for name in (record.SERVERS, CONFIRMED):
            extra = state.stored(node, name)
            if extra is not None:
                self._remove(extra)
        left = self._cib().stored(node, record.FENCED)
        return left is None or record.fenced_at(left.value) != fenced_at

    def note_confirmation(self, node: str, text: str) -> None:
        """Write on whose word a node counts as off; it stays until the record is removed."""
        self._attribute(node, CONFIRMED, "--update", text)

    def publish_state(self, node: str, text: str | None) -> None:
        """Write the sentence for people; None removes it.

        It is kept on the node's own entry, permanently: Pacemaker drops every transient attribute of a remote
        node when the connection is lost. But ``crm_mon -A`` and ``pcs status --full`` show no attribute of a
        node that is offline (2.1.5, tried), so it is shown on this controller as well, as a transient
        attribute, which changes no configuration and ends with the controller.
        """
        if text is None:
            self._attribute(node, record.STATE, "--delete", missing_ok=True)
        else:
            self._attribute(node, record.STATE, "--update", text)
        try:
            self._show(node, text)
        except ClusterError as error:
            _log.debug("the state of node %s is not shown: %s", node, error)

    def why_power_may_be_on(self, node: str) -> str | None:
        """Return why a fencing of a node by its levels may leave its power on, or None when it cannot."""
        return fencing_levels.why_power_may_be_on(self._cib().root, node)

    def remember(self, node: str, fenced_at: str, facts: frozenset[str]) -> None:
        """Write facts about single servers in place of those there were, and read them back."""
        self._write(node, record.SERVERS, record.servers_value(fenced_at, facts))

    def restart_compute(self, node: str) -> None:
        """Have the node's nova-compute restarted: NovaCompute's resource is told to have failed there.

        Raises:
            ClusterError: no resource of Pacemaker runs nova-compute.
        """
        resources = self._cib().resources_of("NovaCompute")
        if not resources:
            raise ClusterError(
                f"no resource ocf:openstack:NovaCompute: restart nova-compute on {node} by hand"
            )
        for resource in resources:
            self._ask("crm_resource", "--fail", "--resource", resource, "--node", node)

    def publish_wedged(self, node: str, value: str | None) -> None:
        """Write or remove the transient attribute that NovaCompute's monitor reads on the node.

        Seen on 2.1.5: on the node ``attrd_updater --name nova-ha-wedged --query`` prints it at once, without
        credentials, and as ``value=""`` after it was removed; Pacemaker drops it with the node's connection.
        To remove one that is not there is no error.
        """
        change = ("--delete",) if value is None else ("--update", value)
        self._ask("attrd_updater", "--name", record.WEDGED, "--node", node, *change)

    def fence(self, node: str) -> None:
        """Have a node fenced by its levels, ``fence_compute`` included, and wait for the end of that.

        Seen on 2.1.5: exit status 0 after 2.5 s; 1 after 44 s when the power device does not answer, and then
        nothing else is tried. ``--tolerance`` lets a request do nothing that comes right after a fencing that
        has succeeded: the evacuator may have died in between.
        """
        command = ("stonith_admin", "--reboot", node, "--tolerance", "60s", "--timeout", f"{_FENCING:.0f}")
        answer = self._run(*command, timeout=_FENCING + _TOOL_TIMEOUT)
        if answer.returncode != 0:
            raise ClusterError(f"node {node!r} could not be fenced: {answer.complaint}")

    def _show(self, node: str, text: str | None) -> None:
        """Show a node's state on this controller, and no longer on another that has shown it."""
        name = f"nova-ha-{node}"
        here = self._local_name()
        holders = self._cib().holders(name)
        if text is not None:
            self._ask("attrd_updater", "--name", name, "--node", here, "--update", text)
        for holder in holders:
            if holder != here or text is None:
                self._ask("attrd_updater", "--name", name, "--node", holder, "--delete")

    def _local_name(self) -> str:
        """Return the cluster's name of this machine; it does not change while we live."""
        if self._name is None:
            self._name = self._ask("crm_node", "--name").stdout.strip()
        return self._name

    def query(self) -> str:
        """Return the whole CIB as XML."""
        return self._ask("cibadmin", "--query").stdout

    def _cib(self) -> Cib:
        return Cib(self.query())

    def _ask_history(self) -> tuple[FencingEvent, ...]:
        answer = self._ask("stonith_admin", "--history", "*", "--verbose", "--output-as=xml")
        return cib.fencing_history(answer.stdout)

    def _ask_legacy(self) -> dict[str, str]:
        command = ("attrd_updater", "--name", "evacuate", "--query", "--all", "--output-as=xml")
        answer = self._run(*command)
        if answer.returncode in _NO_SUCH_ATTRIBUTE:
            return {}
        return cib.private_attributes(_successful(answer).stdout)

    def _write(self, node: str, name: str, value: str) -> None:
        self._attribute(node, name, "--update", value)
        found = self._cib().stored(node, name)
        if found is None or found.value != value:
            kept = "nothing" if found is None else repr(found.value)
            raise ClusterError(
                f"node {node!r}: attribute {name} was written as {value!r}, and {kept} was kept"
            )

    def _attribute(self, node: str, name: str, *change: str, missing_ok: bool = False) -> None:
        """Change a permanent attribute of a node."""
        command = ("crm_attribute", "--node", node, "--name", name, "--lifetime", "forever", *change)
        answer = self._run(*command)
        if answer.returncode == _NO_SUCH and not missing_ok:
            raise ClusterError(
                f"Pacemaker knows no node {node!r}; its nodes are in the output of crm_node --list"
            )
        if answer.returncode != _NO_SUCH:
            _successful(answer)

    def _remove(self, found: StoredAttribute) -> None:
        """Remove an attribute unless its value has changed: Pacemaker compares id, name and value."""
        pair = " ".join(f"{name}={quoteattr(getattr(found, name))}" for name in ("id", "name", "value"))
        self._ask("cibadmin", "--delete", "--xml-text", f"<nvpair {pair}/>")

    def _ask(self, *command: str) -> Result:
        return _successful(self._run(*command))

    def _run(self, *command: str, timeout: float = _TOOL_TIMEOUT) -> Result:
        try:
            return self._runner.run(*command, timeout=timeout)
        except CommandFailed as error:
            raise ClusterUnavailable(str(error)) from error


def _successful(answer: Result) -> Result:
    """Return an answer whose exit status is 0.

    Raises:
        ClusterUnavailable: asking again may help.
        ClusterError: it would not.
    """
    if answer.returncode == 0:
        return answer
    kind = ClusterError if answer.returncode in _FINAL else ClusterUnavailable
    raise kind(f"{answer.command[0]} failed with exit status {answer.returncode}: {answer.complaint}")


def _with_legacy(node: ClusterNode, legacy: Mapping[str, str]) -> ClusterNode:
    """Return the node with its value of the old attribute, which may stand under a name with a domain.

    The predecessors wrote it for Nova's name of the host. A short name that fits several counts for none.
    """
    if node.name in legacy:
        return replace(node, legacy=legacy[node.name])
    found = [value for host, value in legacy.items() if host.partition(".")[0] == node.name]
    return replace(node, legacy=found[0]) if len(found) == 1 else node
