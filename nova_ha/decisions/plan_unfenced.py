# SPDX-License-Identifier: Apache-2.0
"""What the evacuator decides to do about hosts that were not fenced: lost ones, and those that are silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from nova_ha.model import Service


@dataclass(frozen=True)
class Disable:
    """Let the scheduler pass over a host that Pacemaker has lost, before anybody knows what it is about."""

    service: Service
    reason: str


@dataclass(frozen=True)
class TakeBack:
    """Enable the service of a host that was lost and is back, unfenced."""

    service: Service


@dataclass(frozen=True)
class ForgetState:
    """Remove the sentence on the node's entry: what it tells is over."""

    node: str


@dataclass(frozen=True)
class MarkWedged:
    """Publish that the node's nova-compute does not report; the value is that of `record.WEDGED`."""

    node: str
    value: str


@dataclass(frozen=True)
class UnmarkWedged:
    """Take that back."""

    node: str


@dataclass(frozen=True)
class FenceWedged:
    """Ask Pacemaker to fence a node whose nova-compute does not report, whatever was tried."""

    node: str
    reason: str


UnfencedStep = Union[Disable, TakeBack, ForgetState, MarkWedged, UnmarkWedged, FenceWedged]

#: What is sent beside the loop (`evacuation.asides`): its effect shows in a later look, perhaps much later.
ASIDE = (Disable, TakeBack, FenceWedged)
