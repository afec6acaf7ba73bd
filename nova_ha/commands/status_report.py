# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha status`` shows, as values; `nova_ha.commands.status` gathers it."""

from __future__ import annotations

from dataclasses import dataclass

from nova_ha.commands.progress import ServerProgress
from nova_ha.decisions.host_state import HostState
from nova_ha.model import ClusterNode, Service


@dataclass(frozen=True)
class HostStatus:
    """One compute node.

    Attributes:
        host: Nova's name of it; Pacemaker's where Nova does not know it, or does not answer.
        node: Pacemaker's entry, or that of the ledger; None when neither has one.
        service: Nova's; None when Nova does not show it.
        servers: of a host with an open recovery, how far each server is; None when that is not known.
        on_whose_word: who said that it is off, where no fencing says so.
    """

    host: str
    node: ClusterNode | None
    service: Service | None
    servers: tuple[ServerProgress, ...] | None = None
    on_whose_word: str | None = None

    @property
    def state(self) -> str:
        """Return the word for its state, as in the evacuator's log."""
        node = self.node
        if node is not None and node.fenced:
            word = (node.state or "").partition(":")[0].partition(" ")[0]
            return word or (HostState.FENCED if node.recovery_is_open else HostState.EVACUATED).word
        if node is not None and node.is_remote and not node.online:
            return HostState.LOST.word
        if self.service is not None and (self.service.forced_down or self.service.state == "down"):
            return HostState.DOWN.word
        return HostState.UP.word

    @property
    def sentence(self) -> str:
        """Return the evacuator's sentence about it; empty when there is none."""
        return (self.node.state if self.node is not None else None) or ""

    def as_json(self) -> dict[str, object]:
        """Return it with the keys that ``--json`` promises."""
        node, service = self.node, self.service
        return {
            "host": self.host,
            "state": self.state,
            "sentence": self.sentence,
            "node": None if node is None else {"name": node.name, "online": node.online},
            "nova": None if service is None else _service(service),
            "record": None
            if node is None or not node.fenced
            else {
                "fenced_at": node.fenced_at,
                "open": node.recovery_is_open,
                "on_whose_word": self.on_whose_word,
            },
            "servers": None if self.servers is None else [server.as_json() for server in self.servers],
        }


@dataclass(frozen=True)
class EvacuatorStatus:
    """The resource NovaEvacuate.

    Attributes:
        resource: its name.
        node: where it runs; None when it runs nowhere.
        complaint: why it calls itself degraded; empty when all is well.
    """

    resource: str
    node: str | None
    complaint: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it with the keys that ``--json`` promises."""
        return dict(vars(self))


@dataclass(frozen=True)
class PastRecovery:
    """A recovery as this machine's journal tells it.

    Attributes:
        host: the node.
        fenced_at: the fencing that it was about.
        began: when its first server was asked for, epoch seconds; None if none was.
        ended: when it was complete; None if the journal does not know.
        summary: how many servers ended how.
        by: who worked on it.
    """

    host: str
    fenced_at: str
    began: float | None
    ended: float | None
    summary: str
    by: str

    def as_json(self) -> dict[str, object]:
        """Return it with the keys that ``--json`` promises."""
        return dict(vars(self))


@dataclass(frozen=True)
class Report:
    """Everything.

    Attributes:
        now: epoch seconds.
        pacemaker: ``quorate``, ``no quorum``, ``none`` (there is none here), or why it does not answer.
        controllers: the full members, and whether each is online.
        nova: ``answers``, or why it does not.
        evacuators: the resources NovaEvacuate.
        hosts: every compute node.
        past: recoveries in this machine's journal, the newest first.
        unreadable: what is wrong with files of this machine's ledger, whose hosts are missing.
        is_blind: whether neither Pacemaker nor Nova answers.
    """

    now: float
    pacemaker: str
    controllers: tuple[ClusterNode, ...]
    nova: str
    evacuators: tuple[EvacuatorStatus, ...]
    hosts: tuple[HostStatus, ...]
    past: tuple[PastRecovery, ...]
    unreadable: tuple[str, ...] = ()
    is_blind: bool = False


def _service(service: Service) -> dict[str, object]:
    return {
        "state": service.state,
        "status": service.status,
        "forced_down": service.forced_down,
        "disabled_reason": service.disabled_reason,
        "updated_at": service.updated_at,
    }
