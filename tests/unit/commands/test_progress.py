# SPDX-License-Identifier: Apache-2.0
"""How far servers are, from Nova's records; and the last recoveries, from the journal."""

from __future__ import annotations

import json

from nova_ha.commands.past import past_recoveries, tell
from nova_ha.commands.progress import progress, summary
from tests.unit.decisions.builders import FENCED_AT, NOW, a_record, a_server


def test_phases():
    """What Nova's records say of each server of this recovery, and of no earlier one."""
    here = [
        a_server(id="w", name="waits"),
        a_server(id="g", name="goes"),
        a_server(id="f", name="fails", fault="No valid host"),
        a_server(id="d", name="dies", task_state="deleting"),
    ]
    old = NOW - 4000
    records = [
        a_record("done", uuid="0", server_id="w", created_at=old, updated_at=old),
        a_record("accepted", uuid="1", server_id="g"),
        a_record("error", uuid="2", server_id="f"),
        a_record("failed", uuid="3", server_id="l"),
        a_record("done", uuid="4", server_id="l", destination="compute-2"),
    ]
    found = {one.id: one for one in progress(here, records, {"l": "left"}, FENCED_AT)}
    phases = {name: one.phase for name, one in found.items()}
    assert {"w": "waiting", "g": "evacuating", "f": "failed", "d": "ignored", "l": "done"} == phases
    assert ("left", "compute-2", 2) == (found["l"].name, found["l"].destination, found["l"].attempts)
    assert "No valid host" == found["f"].fault
    assert "1 done, 1 evacuating, 1 waiting, 1 failed, 1 ignored" == summary(found.values())


def test_journal(tmp_path):
    """The last recoveries come from the journal's files, the newest first; a torn line is no obstacle."""
    events = [
        {"t": 10.0, "event": "begun", "owner": "controller-1"},
        {"t": 11.0, "event": "asking", "server": "s"},
        {"t": 30.0, "event": "evacuated", "summary": "1 verified"},
    ]
    text = "".join(f"{json.dumps(event)}\n" for event in events)
    (tmp_path / "compute-0@2026-01-01T000100Z.jsonl").write_text(text + '{"t": 31', encoding="utf-8")
    (found,) = past_recoveries(tmp_path)
    assert ("compute-0", "2026-01-01T00:01:00Z", 11.0, 30.0) == (
        found.host, found.fenced_at, found.began, found.ended,
    )  # fmt: skip
    assert ("1 verified", "controller-1") == (found.summary, found.by)


def test_journal_of_an_open_recovery():
    """A recovery that has not ended says so."""
    found = tell("compute-0", FENCED_AT, [{"t": 1.0, "event": "begun", "owner": "a"}])
    assert (None, None, "a") == (found.began, found.ended, found.by)


def test_no_journal(tmp_path):
    """A machine that never recovered anything has nothing to tell."""
    assert () == past_recoveries(tmp_path / "none")
