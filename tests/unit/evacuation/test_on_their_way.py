# SPDX-License-Identifier: Apache-2.0
"""A request that hangs while its node is fenced again belongs to the new recovery."""

from __future__ import annotations

from nova_ha.clock import SystemClock
from nova_ha.evacuation.journal import MemoryJournal
from nova_ha.evacuation.on_their_way import OnTheirWay
from tests.unit.decisions.builders import a_node

FIRST, SECOND = ("compute-0", "2026-11-22T06:40:12Z"), ("compute-0", "2026-11-22T06:41:30Z")


def fenced(recovery):
    """Return a node with the record of a recovery."""
    return a_node(name=recovery[0], fenced=f"fenced {recovery[1]}")


def asked():
    """Return a journal with a request of the first recovery, and the request on its way."""
    journal = MemoryJournal(SystemClock())
    facts = {"destination": "compute-2", "known": ["r1"], "vm_state": "error"}
    journal.append(*FIRST, "asking", server="s1", was_off=True, **facts)
    on_their_way = OnTheirWay(journal)
    on_their_way.add("s1", FIRST)
    return journal, on_their_way


def test_request_is_carried_over():
    """The new recovery knows everything of the request, and gets its answer."""
    journal, on_their_way = asked()
    on_their_way.carry_over(fenced(SECOND))
    notes = journal.notes(*SECOND).of("s1")
    ask = notes.last_ask
    assert (True, "compute-2", {"r1"}, "error", None) == (
        notes.was_off,
        ask.destination,
        ask.known,
        ask.vm_state,
        ask.outcome,
    )
    assert SECOND == on_their_way.take("s1")


def test_request_is_carried_over_once():
    """Later looks at the same recovery write nothing more."""
    journal, on_their_way = asked()
    for _ in range(3):
        on_their_way.carry_over(fenced(SECOND))
    assert 1 == len(journal.notes(*SECOND).of("s1").asks)


def test_request_stays_where_it_belongs():
    """Neither another node nor the same recovery nor the lack of a record changes anything."""
    journal, on_their_way = asked()
    for node in (fenced(FIRST), fenced(("compute-1", SECOND[1])), a_node(fenced=None)):
        on_their_way.carry_over(node)
    assert [FIRST] == list(journal.storage)
    assert FIRST == on_their_way.take("s1")
