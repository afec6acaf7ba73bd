# SPDX-License-Identifier: Apache-2.0
"""The runner of scenarios: what it refuses, what it compares, how it interrupts."""

from __future__ import annotations

import json

import pytest

from nova_ha.testing.clock import VirtualClock
from nova_ha.testing.dispatcher import ActorDispatcher
from nova_ha.testing.scenario import Interruption, Scenario, compare, load

CLOUD = {
    "hosts": {"compute-0": {}, "compute-1": {}},
    "servers": [{"name": "web", "count": 2, "host": "compute-0"}],
}
CUT = [(10, "power-cut compute-0"), (120, "end")]


def run(cloud=CLOUD, script=CUT, interruption=None):
    """Run a scenario."""
    scenario = Scenario(cloud, script, interruption)
    scenario.run()
    return scenario


def test_whole_story():
    """A power cut ends with every server elsewhere, once, and the host back in service."""
    scenario = run()
    assert scenario.log().endswith("evacuate requests that reached Nova: 2\nviolations: none\n")
    assert scenario.outcome() == {
        "web-0": ("ACTIVE", "elsewhere", 1),
        "web-1": ("ACTIVE", "elsewhere", 1),
        "compute-0": (False, False, False),
        "compute-1": (False, False, False),
    }


def test_log_has_names_and_virtual_time():
    """No identifier and no time of day that a person would have to look up is in the log."""
    log = run().log()
    assert "accepted: record 1" in log
    assert "2026-01-01" not in log
    assert "fenced T+" in log


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("after", [1, 5, 9])
def test_interruption(after, elsewhere):
    """An interrupted run has one more start of the evacuator and the same end."""
    scenario = run(interruption=Interruption(after, elsewhere))
    assert len(scenario.world.log.matching("evacuator killed")) == 1
    assert len(scenario.world.log.matching("evacuator started")) == 2
    assert scenario.world.violations == []


def test_after_an_effect():
    """A line of the script can happen right after an effect of the evacuator."""
    scenario = run(script=[("evacuate 1", "delete web-1"), *CUT])
    lines = scenario.world.log.lines
    accepted = next(line for line in lines if "accepted: record 1" in line)
    deleted = next(line for line in lines if "server web-1 deleted" in line)
    assert accepted.split()[0] == deleted.split()[0]


@pytest.mark.parametrize(
    "cloud",
    [
        {**CLOUD, "serves": []},
        {**CLOUD, "settings": {"level": "magic"}},
        {**CLOUD, "settings": {"reboot": True}},
        {**CLOUD, "plans": [{"server": "web-0", "outcome": "explodes"}]},
    ],
)
def test_misspelt_cloud(cloud):
    """A cloud with a word that means nothing is refused."""
    with pytest.raises(ValueError, match=r"cloud\.json: unknown"):
        Scenario(cloud, CUT)


def test_misspelt_script():
    """A line of the script with an unknown word is refused, with the words that there are."""
    with pytest.raises(ValueError, match=r"unknown word 'pover-cut'; known: .*power-cut"):
        run(script=[(1, "pover-cut compute-0"), (2, "end")])


def test_compare(tmp_path):
    """A missing log is recorded and reported; then any other line, time or order is a difference."""
    assert "was recorded" in compare(tmp_path, "1 a\n2 b\n")
    assert compare(tmp_path, "1 a\n2 b\n") == ""
    assert "+3 b" in compare(tmp_path, "1 a\n3 b\n")
    assert compare(tmp_path, "2 b\n1 a\n")


def test_load(tmp_path):
    """A directory's files make a scenario."""
    (tmp_path / "cloud.json").write_text(json.dumps(CLOUD))
    (tmp_path / "script.json").write_text(json.dumps(CUT))
    scenario = load(tmp_path, extra=7.0)
    assert scenario.end == 127.0


def test_dispatcher_sends_beside_its_caller():
    """Requests run beside each other, as many at once as it is wide, each key once at a time."""
    clock = VirtualClock()
    dispatcher = ActorDispatcher(clock, width=2)

    def slow():
        clock.sleep(10.0)
        return f"done at {clock.monotonic():g}"

    for key in "abc":
        dispatcher.send(key, slow)
    with pytest.raises(ValueError, match="on its way"):
        dispatcher.send("a", slow)
    clock.sleep(15.0)
    assert {answer.key: answer.request_id for answer in dispatcher.answers()} == {
        "a": "done at 10",
        "b": "done at 10",
    }
    assert dispatcher.outstanding() == {"c"}
    clock.sleep(10.0)
    assert [answer.request_id for answer in dispatcher.answers()] == ["done at 20"]


def test_dispatcher_keeps_errors():
    """A request's error is its answer."""
    clock = VirtualClock()
    dispatcher = ActorDispatcher(clock)
    dispatcher.send("a", lambda: 1 / 0)
    clock.sleep(1.0)
    [answer] = dispatcher.answers()
    assert isinstance(answer.error, ZeroDivisionError)
