# SPDX-License-Identifier: Apache-2.0
"""What the evacuator remembers: journal, notes, heartbeats, closer looks, lists, requests on their way."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import replace

import pytest

from nova_ha.decisions.heartbeat import SILENT_AFTER, HeartbeatWatch
from nova_ha.decisions.notes import ServerNotes
from nova_ha.errors import UntrustworthyAnswer
from nova_ha.evacuation.closer import INTERVAL, CloserLooks
from nova_ha.evacuation.dispatch import InlineDispatcher, ThreadDispatcher
from nova_ha.evacuation.journal import KEPT, FileJournal, MemoryJournal, read_events
from nova_ha.evacuation.listing import Listings
from nova_ha.record import owner_of, state_text
from tests.unit.decisions.builders import NOW, a_host, a_record, a_server, a_service, an_attempt


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.time = NOW

    def now(self):
        """Return the time that was set."""
        return self.time

    monotonic = now


RECOVERY = ("compute-0", "2026-11-22T06:40:12Z")


# --- journal and notes ---


@pytest.fixture(params=["file", "memory"])
def reopen(request, tmp_path):
    """Return a function that opens the same journal as another process would."""
    storage = {}
    if request.param == "file":
        return lambda: FileJournal(tmp_path / "journal", Clock())
    return lambda: MemoryJournal(Clock(), storage)


def test_line_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    """A write that took only a part is completed; on a full disk it is an error, never a lost request."""
    journal = FileJournal(tmp_path, Clock())
    journal.append(*RECOVERY, "begun")
    write, room = os.write, [1000]

    def almost_full(descriptor, data):
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = write(descriptor, data[: min(7, room[0])])
        room[0] -= taken
        return taken

    monkeypatch.setattr(os, "write", almost_full)
    journal.append(*RECOVERY, "asking", server="s1", destination=None, known=[], vm_state="active")
    room[0] = 20
    with pytest.raises(OSError, match="No space left"):
        journal.append(*RECOVERY, "asking", server="s2", destination=None, known=[], vm_state="active")
    assert "s2" not in journal.notes(*RECOVERY).servers
    monkeypatch.setattr(os, "write", write)
    later = FileJournal(tmp_path, Clock())
    later.append(*RECOVERY, "asking", server="s3", destination=None, known=[], vm_state="active")
    assert set(FileJournal(tmp_path, Clock()).notes(*RECOVERY).servers) == {"s1", "s3"}


def test_another_process_reads_what_one_wrote(reopen):
    """Requests, answers, failures and the power state survive the process that noted them."""
    journal = reopen()
    journal.append(*RECOVERY, "begun")
    journal.append(
        *RECOVERY, "asking", server="s1", destination="c1", known=["r0"], vm_state="error", was_off=True
    )
    journal.append(*RECOVERY, "answered", server="s1", outcome="accepted", request_id="req-1", text="")
    journal.append(*RECOVERY, "failed", server="s1", record="r1", destination="c1", fault="qemu died")
    journal.append(*RECOVERY, "restarted")
    journal.sync(*RECOVERY)
    notes = reopen().notes(*RECOVERY)
    server = notes.of("s1")
    assert (True, 1) == (notes.begun, len(notes.restarts))
    assert ("accepted", "req-1", {"r0"}) == (
        server.last_ask.outcome,
        server.last_ask.request_id,
        set(server.last_ask.known),
    )
    assert server.must_be_stopped
    assert "qemu died" == server.failures[0].fault


def test_power_state_of_the_first_request_counts(reopen):
    """How a server's power stood before the first request is not overwritten by what failed attempts left."""
    journal = reopen()
    journal.append(*RECOVERY, "asking", server="s1", was_off=True)
    journal.append(*RECOVERY, "asking", server="s1", was_off=False)
    assert journal.notes(*RECOVERY).of("s1").was_off is True


def test_recoveries_do_not_mix(reopen):
    """Each fencing of a host has notes of its own."""
    journal = reopen()
    journal.append(*RECOVERY, "begun")
    assert not journal.notes("compute-0", "2026-11-23T00:00:00Z").begun


def test_unknown_events_change_nothing(reopen):
    """Events of a later version are left alone."""
    journal = reopen()
    journal.append(*RECOVERY, "teleported", server="s1")
    assert ServerNotes() == reopen().notes(*RECOVERY).of("s1")


def test_torn_line(tmp_path):
    """A crash in the middle of a line loses that line only, and the next event is not glued to it."""
    journal = FileJournal(tmp_path, Clock())
    journal.append(*RECOVERY, "begun")
    (path,) = tmp_path.iterdir()
    with path.open("ab") as file:
        file.write(b'{"t": 1, "event": "asking", "ser')
    journal = FileJournal(tmp_path, Clock())
    journal.append(*RECOVERY, "asking", server="s2")
    assert ["begun", "asking"] == [event["event"] for event in read_events(path)]
    assert FileJournal(tmp_path, Clock()).notes(*RECOVERY).of("s2").asks


def test_old_journals_are_removed(tmp_path):
    """Only the newest recoveries are kept."""
    for number in range(KEPT + 5):
        FileJournal(tmp_path, Clock()).append("compute-0", f"2026-11-22T06:40:{number}Z", "begun")
    assert KEPT + 1 >= len(list(tmp_path.iterdir()))


def test_names_of_journals_are_safe(tmp_path):
    """A node's name cannot lead out of the journal's folder."""
    FileJournal(tmp_path / "j", Clock()).append("../../etc/x", "now", "begun")
    assert ["j"] == [path.name for path in tmp_path.iterdir()]


def test_state_names_its_evacuator():
    """What is published tells people the progress, and the next evacuator who was at work."""
    text = state_text("evacuating", "12/20", "controller-1", "looking again: by hand")
    assert "evacuating 12/20 by controller-1: looking again: by hand" == text
    assert ("controller-1", None, None) == (owner_of(text), owner_of("held: by somebody"), owner_of(None))


# --- heartbeats ---


def look(watch, seconds, **service):
    """Look at the service some seconds later."""
    return watch.look(a_service(**service), NOW + seconds)


def test_two_moves_prove_a_heartbeat():
    """One move may be anybody's PUT, two are heartbeats."""
    watch = HeartbeatWatch()
    assert not look(watch, 0, updated_at="1").is_proven
    assert not look(watch, 10, updated_at="2").is_proven
    assert look(watch, 20, updated_at="3").is_proven


def test_put_is_no_heartbeat():
    """A move that comes with a change of what a PUT changes does not count, and begins anew."""
    watch = HeartbeatWatch()
    look(watch, 0, updated_at="1")
    look(watch, 10, updated_at="2")
    assert 0 == look(watch, 20, updated_at="3", disabled_reason="other").advances


def test_heart_that_stops_is_forgotten():
    """After a long silence earlier heartbeats prove nothing."""
    watch = HeartbeatWatch()
    for second in range(3):
        look(watch, second, updated_at=str(second))
    assert look(watch, 2 + SILENT_AFTER, updated_at="2").is_proven
    assert not look(watch, 3 + SILENT_AFTER, updated_at="2").is_proven


# --- closer looks ---


class NovaOfOne:
    """Counts what is asked about one server."""

    def __init__(self):
        self.asked = 0

    def attempts(self, _server_id):
        """Return an action."""
        self.asked += 1
        return (an_attempt(),)

    def server(self, _server_id):
        """Return the server."""
        return a_server()


def test_closer_look_is_rare_and_lasts():
    """Nova is asked when that is wanted, not again within the interval, and the answer is kept meanwhile."""
    nova, clock = NovaOfOne(), Clock()
    looks = CloserLooks(nova, clock)
    assert looks.look("s1", with_server=True).attempts is None
    for seconds, asked in ((0, 1), (INTERVAL - 1, 1), (INTERVAL, 2)):
        clock.time = NOW + seconds
        looks.want("s1")
        looks.see("s1", ())
        assert looks.look("s1", with_server=True).attempts
        assert asked == nova.asked


def test_closer_look_ends_with_its_records():
    """What was learned proves nothing once the server's records have changed."""
    looks = CloserLooks(NovaOfOne(), Clock())
    looks.want("s1")
    looks.see("s1", (a_record(),))
    assert looks.look("s1", with_server=False).attempts
    looks.see("s1", (replace(a_record(), status="pre-migrating"),))
    assert looks.look("s1", with_server=False).attempts is None


# --- requests on their way ---


def test_inline_answers_are_fetched_once():
    """Each answer, an error as well, is handed out once."""
    dispatcher = InlineDispatcher()
    dispatcher.send("s1", lambda: "req-1")
    dispatcher.send("s2", lambda: {}["missing"])
    assert {"s1", "s2"} == dispatcher.outstanding()
    first, second = dispatcher.answers()
    assert ("req-1", KeyError) == (first.request_id, type(second.error))
    assert (frozenset(), ()) == (dispatcher.outstanding(), dispatcher.answers())


def test_threads_do_not_wait_for_a_slow_answer():
    """A slow answer stays outstanding while others are fetched, and no second request goes out for it."""
    dispatcher, free = ThreadDispatcher(threads=2), threading.Event()
    dispatcher.send("slow", lambda: str(free.wait(10)))
    dispatcher.send("quick", lambda: "req-2")
    answers = ()
    while not answers:
        answers = dispatcher.answers()
    assert ["quick"] == [answer.key for answer in answers]
    assert {"slow"} == dispatcher.outstanding()
    with pytest.raises(ValueError, match="on its way"):
        dispatcher.send("slow", lambda: "req-3")
    free.set()


class Lists:
    """A Nova whose lists a test sets."""

    def __init__(self):
        self.records = (a_record("pre-migrating"),)
        self.here = (a_server(),)

    def evacuations(self, _host):
        """Return the evacuations that were set."""
        return self.records

    def servers(self, _host):
        """Return the servers that were set."""
        return self.here


@pytest.mark.parametrize("between", [(), ("no servers",)])
def test_list_that_lacks_an_evacuation(between):
    """An evacuation that was listed must be listed again, also when the servers were not in between."""
    nova = Lists()
    listings = Listings(nova, Clock(), MemoryJournal(Clock(), {}))
    listings.ask(a_host(), frozenset(), anew=True)
    nova.records = ()
    if between:
        nova.here = ()
        listings.ask(a_host(), frozenset(), anew=True)
        nova.here = (a_server(),)
    with pytest.raises(UntrustworthyAnswer, match="Nova lists no evacuation of server s1, and did before"):
        listings.ask(a_host(), frozenset(), anew=True)
