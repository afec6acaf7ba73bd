# SPDX-License-Identifier: Apache-2.0
"""The demo reads stages from lines that Pacemaker 2.1.5, the evacuator and nova-api really wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.demo import timeline
from tests.lab.demo.timeline import Event, Stage, Timeline

YEAR = 2026
SERVER = "6b1c6c8e-9d2e-4d7e-8f0a-1c2d3e4f5a6b"
SERVICE = "0f0e0d0c-0b0a-4908-8706-050403020100"

SAMPLES = Path(__file__).parent / "samples"
PACEMAKER = (SAMPLES / "pacemaker-stages.log").read_text().splitlines()
#: What each line of that file proves; None where it only resembles a proof.
PROVEN = (
    Stage.LOST,
    Stage.LOST,
    Stage.FENCED,
    Stage.RECORDED,
    Stage.RECORDED,
    Stage.REJOINED,
    Stage.BACK,
    None,
    None,
)


@pytest.mark.parametrize(("raw", "stage"), list(zip(PACEMAKER, PROVEN)))
def test_line_of_pacemaker_proves_a_stage(raw, stage):
    """Each line gives its node, its stage if it proves one, and its own date with milliseconds."""
    line = timeline.pacemaker_line("controller-0: pacemaker.log", raw, YEAR)
    assert line is not None
    assert f"{line.at % 60:.3f}" == f"{float(raw[13:19]):.3f}"
    event = Event(line.at, "compute-0", stage, "controller-0: pacemaker.log") if stage else None
    assert timeline.pacemaker_event(line) == event


def test_every_line_of_the_sample_is_judged():
    """The sample and what its lines prove have the same length."""
    assert len(PACEMAKER) == len(PROVEN)


def test_line_without_a_date_is_no_line():
    """What has no date of its own is left out: a stage is never dated by a guess."""
    assert timeline.pacemaker_line("x", "   continued here", YEAR) is None
    assert timeline.iso_line("x", "Traceback (most recent call last):") is None


def evacuator_line(text):
    """Return a line of the evacuator's log."""
    line = timeline.iso_line("controller-1: evacuator.log", f"2026-11-22T12:02:14.250Z INFO {text}")
    assert line is not None
    return line


def test_lines_of_the_evacuator_prove_stages():
    """Nova told, the first accepted request and the verified host are read from the evacuator's log."""
    homes = {SERVER: "compute-0"}
    for text, stage in (
        ("host 'compute-0': forced down in Nova in 0.2 s", Stage.TOLD),
        (f"server {SERVER}: Nova accepted to evacuate it (request req-1)", Stage.EVACUATING),
        ("host 'compute-0': evacuating -> evacuated (18 verified)", Stage.VERIFIED),
    ):
        event = timeline.evacuator_event(evacuator_line(text), homes)
        assert event is not None
        assert (event.node, event.stage) == ("compute-0", stage)
    assert timeline.evacuator_event(evacuator_line("host 'compute-0': down -> evacuating"), homes) is None


@pytest.mark.parametrize("name", [SERVER, f"demo-01 ({SERVER})"])
def test_verified_server_is_read_from_the_evacuators_log(name):
    """A server counts as verified when the evacuator says so, whether it knows its name or only its id."""
    assert timeline.verified_server(evacuator_line(f"server {name}: verified")) == SERVER
    assert timeline.verified_server(evacuator_line(f"server {name}: evacuating")) is None


def test_nova_itself_says_when_it_was_told():
    """A successful change of the node's service in nova-api's log is the stage; any other request is not."""
    template = (
        "2026-11-22 12:02:13.100 7 INFO nova.api.openstack.requestlog [None req-1 admin admin - - default "
        'default] 10.77.0.10 "{} /v2.1/os-services/{}" status: {} len: 300 microversion: 2.90 time: 0.05'
    )
    services = {SERVICE: "compute-0"}
    told = timeline.iso_line("nova-api.log", template.format("PUT", SERVICE, 200))
    refused = timeline.iso_line("nova-api.log", template.format("PUT", SERVICE, 409))
    read = timeline.iso_line("nova-api.log", template.format("GET", SERVICE, 200))
    assert told is not None
    assert timeline.nova_api_event(told, services) == Event(told.at, "compute-0", Stage.TOLD, "nova-api.log")
    assert [timeline.nova_api_event(line, services) for line in (refused, read) if line] == [None, None]


def test_timeline_keeps_the_first_of_each_stage_and_nothing_older_than_the_hit():
    """Lines of an earlier recovery do not count; of several controllers' lines the earliest does."""
    line = Timeline(100.0, ["compute-0"])
    assert not line.add(Event(99.9, "compute-0", Stage.LOST, "old"))
    assert not line.add(Event(101.0, "compute-9", Stage.LOST, "another node"))
    assert line.add(Event(105.6, "compute-0", Stage.LOST, "a"))
    assert not line.add(Event(105.5, "compute-0", Stage.LOST, "b"))
    assert line.seconds("compute-0", Stage.LOST) == pytest.approx(5.5)
    assert line.missing("compute-0") == [stage for stage in Stage if stage is not Stage.LOST]


def test_table_says_when_each_stage_was_reached_and_how_long_it_took():
    """The rows are in order of time, whatever the order of the stages' names is."""
    line = Timeline(100.0, ["compute-0"])
    for at, stage in ((108.0, Stage.REJOINED), (105.5, Stage.LOST), (107.0, Stage.FENCED)):
        line.add(Event(at, "compute-0", stage, "log"))
    rows = [(stage, round(at, 1), round(took, 1)) for stage, at, took, _ in line.table("compute-0")]
    assert rows == [(Stage.LOST, 5.5, 5.5), (Stage.FENCED, 7.0, 1.5), (Stage.REJOINED, 8.0, 1.0)]
