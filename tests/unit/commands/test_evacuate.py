# SPDX-License-Identifier: Apache-2.0
"""nova-ha evacuate and return, in a simulated data centre without Pacemaker."""

from __future__ import annotations

import json
import signal

import pytest

from nova_ha.commands import evacuate as command
from nova_ha.commands.evacuate import LEFT_BEHIND, RECOVERED, evacuate
from nova_ha.commands.return_host import return_host
from nova_ha.errors import HostNameError, NovaHaError
from nova_ha.testing.clock import Killed
from nova_ha.testing.effects import Watched
from nova_ha.testing.machines import start_compute

WORD = "Ann has pulled both power cords"


def call(commands, host="compute-0", word=WORD, **options):
    """Call nova-ha evacuate."""
    return evacuate(commands.here(), host, word, **{"take_over": False, **options})


def refusal(commands, *arguments, **options):
    """Return the one line with which a call is refused; nothing was asked of Nova."""
    before = commands.nova.api.posts
    with pytest.raises(NovaHaError) as caught:
        call(commands, *arguments, **options)
    assert before == commands.nova.api.posts
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_dead_host_is_recovered(commands):
    """On somebody's word the servers of a dead host come up elsewhere; Nova and the ledger tell why."""
    commands.die("compute-0")
    assert RECOVERED == call(commands)
    assert "compute-0" not in commands.hosts_of(0)
    compute = commands.world.cloud.computes["compute-0"]
    assert compute.forced_down
    assert compute.disabled_reason.startswith("nova-ha: fenced ")
    ledger = json.loads((commands.folder / "hosts" / "compute-0.json").read_text())
    assert WORD == ledger["statement"]["text"]
    assert "@" in ledger["statement"]["by"]
    assert "compute-0: 2 servers recovered, 0 not; when the host is repaired" in commands.text
    journal = "".join(path.read_text() for path in commands.folder.glob("compute-0@*.jsonl"))
    assert WORD in journal


def test_a_live_host_is_refused_whatever_is_said(commands):
    """A host whose heartbeats go on is not off, and the word of a person does not change that."""
    assert "its nova-compute reports to Nova at this moment" in refusal(commands)
    assert commands.hosts_of(0) == {"compute-0"}
    assert not commands.world.cloud.computes["compute-0"].forced_down


def test_a_live_host_is_refused_although_it_is_forced_down(commands):
    """Forced down, Nova shows a host as down although it is alive; its heartbeats give it away."""
    commands.world.cloud.computes["compute-0"].forced_down = True
    assert "reports to Nova at this moment" in refusal(commands)


def test_a_host_that_died_just_now(commands):
    """Nova still shows it as up; after having listened in vain the recovery begins."""
    commands.die("compute-0", seconds=11.0)
    assert RECOVERED == call(commands)
    assert "listening for 25 s" in commands.said[0]


def test_without_a_word(commands):
    """Silence proves nothing: somebody must say who has made sure, and how."""
    commands.die("compute-0")
    said = refusal(commands, word="")
    assert "nothing proves that it is off" in said
    assert '--confirm-host-is-off "who and how"' in said


@pytest.mark.parametrize("word", ["yes", "  Ann  "])
def test_half_a_word(commands, word):
    """A statement that names nobody, or not how, is none."""
    commands.die("compute-0")
    assert "say who has made sure, and how" in refusal(commands, word=word)


def test_an_unknown_host(commands):
    """A name that fits no host of Nova is refused with those that there are."""
    with pytest.raises(HostNameError, match=r"compute-7.*compute-0"):
        call(commands, "compute-7")


def test_a_down_cell(commands):
    """Where Nova cannot see the host nothing is done."""
    commands.die("compute-0")
    commands.world.cloud.cells_down.add("cell1")
    assert "its cell is down" in refusal(commands)


def test_what_cannot_be_recovered_is_named(commands):
    """A paused server is named with the reason, and the exit status tells."""
    commands.world.cloud.add_server("sleepy", "compute-0", vm_state="paused")
    commands.die("compute-0")
    assert LEFT_BEHIND == call(commands)
    assert "not recovered: server sleepy" in commands.text
    assert "2 servers recovered, 1 not" in commands.text


def test_a_second_call_says_that_all_is_done(commands):
    """Called again after the end it does nothing."""
    commands.die("compute-0")
    call(commands)
    before = commands.nova.api.posts
    assert RECOVERED == call(commands, word="")
    assert "every server has been recovered" in commands.said[-1]
    assert before == commands.nova.api.posts


def test_interrupted_and_called_again(commands):
    """Ctrl-C ends the command, not the evacuations; the next call goes on, and asks for none twice."""
    commands.die("compute-0")
    say = commands.say

    def press_ctrl_c(text):
        say(text)
        if "evacuating (" in text:
            signal.raise_signal(signal.SIGINT)

    commands.say = press_ctrl_c
    assert 130 == call(commands)
    assert "Go on with: nova-ha evacuate compute-0" in commands.said[-1]
    commands.say = say
    assert RECOVERED == call(commands, word="")
    assert "going on with the recovery" in commands.text
    assert 2 == commands.nova.api.posts


@pytest.mark.parametrize("effect", range(1, 6))
def test_killed_after_any_request(commands, effect):
    """Killed right after any change in Nova, the next call brings the recovery to its end."""
    commands.die("compute-0")
    seen = []

    def announce(name):
        seen.append(name)
        if len(seen) == effect:
            raise Killed

    nova, commands.nova = commands.nova, Watched(commands.nova, announce)
    try:
        ended = call(commands)
    except (Killed, KeyboardInterrupt):
        ended = None
    commands.nova = nova
    assert ended is not None or len(seen) >= effect
    assert RECOVERED == call(commands, word="")
    assert "compute-0" not in commands.hosts_of(0)


def test_two_hosts(commands):
    """A second host that fails meanwhile is recovered by a second call; both end."""
    commands.die("compute-0", seconds=1.0)
    commands.die("compute-1")
    assert RECOVERED == call(commands, "compute-0")
    assert RECOVERED == call(commands, "compute-1")
    assert {"compute-2"} == commands.hosts_of(0) | commands.hosts_of(1)


def test_another_command_is_at_work(commands, monkeypatch):
    """While another nova-ha of this machine is at work this one watches, and takes over at its end."""
    commands.die("compute-0")
    watched = []

    def watch(work, is_over):
        watched.append(is_over())
        holder.close()

    (commands.folder).mkdir()
    import fcntl

    holder = (commands.folder / "lock").open("w")
    fcntl.flock(holder, fcntl.LOCK_EX)
    monkeypatch.setattr(command, "watch_until", watch)
    assert RECOVERED == call(commands)
    assert [False] == watched
    assert "another nova-ha on this machine is at work" in commands.text


def test_begun_on_another_machine(commands, tmp_path):
    """A marker whose ledger is elsewhere: somebody may be at it, and only --take-over goes on."""
    commands.world.cloud.add_server("sleepy", "compute-0", vm_state="paused")
    commands.die("compute-0")
    call(commands)
    commands.folder = tmp_path / "other machine"
    assert "add --take-over" in refusal(commands)
    before = commands.world.clock.monotonic()
    assert LEFT_BEHIND == call(commands, word="", take_over=True)
    assert commands.world.clock.monotonic() - before > 3


def test_return(commands):
    """A repaired host comes back: guests are cleaned up, forced_down is cleared, it is enabled."""
    commands.die("compute-0")
    call(commands)
    start_compute(commands.world.cloud, "compute-0")
    assert 0 == return_host(commands.here(), "compute-0")
    compute = commands.world.cloud.computes["compute-0"]
    assert (False, False) == (compute.forced_down, compute.disabled)
    assert [] == list((commands.folder / "hosts").iterdir())
    assert "its recovery is over" in commands.said[-1]


def test_return_keeps_what_an_operator_did(commands):
    """A host that an operator had disabled comes back disabled."""
    compute = commands.world.cloud.computes["compute-0"]
    compute.disabled, compute.disabled_reason = True, "new memory"
    commands.die("compute-0")
    call(commands)
    start_compute(commands.world.cloud, "compute-0")
    return_host(commands.here(), "compute-0")
    assert (False, True, "new memory") == (
        compute.forced_down,
        compute.disabled,
        compute.disabled_reason,
    )


def test_return_too_early(commands):
    """While the recovery is not complete the host must not come back."""
    commands.die("compute-0")
    work = command.Workplace(commands.here(), "compute-0")
    work.begin("2026-01-01T00:01:30Z", WORD, is_foreign=False)
    with pytest.raises(NovaHaError, match="not complete; a nova-compute that starts now would destroy"):
        return_host(commands.here(), "compute-0")


def test_return_of_a_host_that_never_left(commands):
    """There is nothing to do for a host in service."""
    assert 0 == return_host(commands.here(), "compute-1")
    assert "nothing to do" in commands.text


def test_return_of_what_somebody_else_forced_down(commands):
    """What nova-ha has not forced down it does not clear."""
    commands.world.cloud.computes["compute-1"].forced_down = True
    with pytest.raises(NovaHaError, match="by somebody else, and nova-ha leaves that as it is"):
        return_host(commands.here(), "compute-1")
