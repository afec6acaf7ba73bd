# SPDX-License-Identifier: Apache-2.0
"""The ledger for hosts without Pacemaker: durable, readable, and never empty by mistake."""

from __future__ import annotations

import stat

import pytest

from nova_ha.errors import ClusterError
from nova_ha.pacemaker.standalone_cluster import StandaloneCluster, Statement

AT, LATER = "2026-11-22T06:40:12Z", "2026-11-23T06:40:12Z"


@pytest.fixture
def ledger(tmp_path):
    """Give a ledger with one host in it."""
    found = StandaloneCluster(tmp_path / "hosts")
    found.state_that_host_is_off(Statement("compute-0", "Ann pulled the plug", "root@ctl", AT))
    return found


def entry(ledger):
    """Return the host."""
    return next((node for node in ledger.entries() if node.name == "compute-0"), None)


def test_statement(ledger):
    """Somebody's word is an open recovery, and can be read later."""
    found = entry(ledger)
    assert (AT, True, False) == (found.fenced_at, found.recovery_is_open, found.online)
    assert "Ann pulled the plug" == ledger.statement("compute-0").text
    assert ledger.statement("compute-9") is None


def test_life_of_a_record(ledger):
    """A record is marked, remembers facts, lets its host back, and is removed."""
    ledger.remember("compute-0", AT, frozenset({"off:1"}))
    assert {"off:1"} == entry(ledger).facts
    ledger.publish_state("compute-0", "evacuating 1/2 by me")
    assert "evacuating 1/2 by me" == entry(ledger).state
    ledger.mark_evacuated("compute-0", AT)
    assert not entry(ledger).recovery_is_open
    ledger.say_that_host_is_back("compute-0")
    assert entry(ledger).online
    ledger.publish_state("compute-0", None)
    assert ledger.clear_record("compute-0", AT)
    assert entry(ledger) is None


def test_a_sentence_outlives_the_record(ledger):
    """What could not be recovered stays readable; such a host is neither lost nor fenced."""
    ledger.publish_state("compute-0", "up: not recovered: 1")
    assert ledger.clear_record("compute-0", AT)
    found = entry(ledger)
    assert (None, True, "up: not recovered: 1") == (found.fenced, found.online, found.state)
    assert () == ledger.view().nodes


def test_another_fencing_is_not_cleared(ledger):
    """Only the record of that very fencing is removed; a newer one begins with nothing of the old."""
    ledger.mark_evacuated("compute-0", AT)
    ledger.write_record("compute-0", LATER)
    assert not ledger.clear_record("compute-0", AT)
    assert (LATER, None) == (entry(ledger).fenced_at, entry(ledger).evacuated)


def test_same_record_again(ledger):
    """Written again the same record keeps its mark."""
    ledger.mark_evacuated("compute-0", AT)
    ledger.write_record("compute-0", AT)
    assert AT == entry(ledger).evacuated


def test_change_token(ledger):
    """Each change of the ledger changes the token."""
    before = ledger.change_token()
    ledger.forget("compute-0")
    assert before != ledger.change_token()
    assert StandaloneCluster(ledger._directory / "none").change_token() is None


def test_only_root_reads_it(ledger):
    """Names of hosts and people are nobody else's business."""
    (path,) = ledger._directory.iterdir()
    assert (0o700, 0o600) == (
        stat.S_IMODE(ledger._directory.stat().st_mode),
        stat.S_IMODE(path.stat().st_mode),
    )


@pytest.mark.parametrize("text", ["", "{", "[]", '{"fenced": "x"}'])
def test_a_broken_file_is_no_empty_ledger(ledger, text):
    """A file that cannot be read is an error that names it: the host would be forgotten otherwise."""
    (path,) = ledger._directory.iterdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ClusterError, match=r"compute-0\.json"):
        ledger.view()


def test_change_without_a_record(ledger):
    """Facts about a host that has been removed meanwhile are refused."""
    ledger.forget("compute-0")
    with pytest.raises(ClusterError, match="removed from the ledger meanwhile"):
        ledger.mark_evacuated("compute-0", AT)


def test_name_that_is_a_path(ledger):
    """A host's name is never used as a path."""
    with pytest.raises(ClusterError, match="cannot be the name of a host"):
        ledger.write_record("../etc/passwd", AT)


def test_what_takes_hands(ledger):
    """Nobody can restart nova-compute or switch a host off from here."""
    with pytest.raises(ClusterError, match="restart nova-compute on compute-0 by hand"):
        ledger.restart_compute("compute-0")
    with pytest.raises(ClusterError, match="switch compute-0 off by hand"):
        ledger.fence("compute-0")


def test_no_permission(tmp_path):
    """A ledger that cannot be written is an error in one line."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ClusterError, match="Not a directory"):
        StandaloneCluster(tmp_path / "file" / "hosts").write_record("compute-0", AT)
    with pytest.raises(ClusterError, match="Not a directory"):
        StandaloneCluster(tmp_path / "file").view()
