# SPDX-License-Identifier: Apache-2.0
"""What stays remembered when a step is interrupted; whole recoveries are in tests/scenarios."""

from __future__ import annotations

from nova_ha.clock import SystemClock
from nova_ha.decisions.host_state import HostState
from nova_ha.decisions.plan import HostPlan, StartAtHome
from nova_ha.errors import AmbiguousAnswer, NovaUnavailable, RequestRefused
from nova_ha.evacuation.act import Actor
from nova_ha.evacuation.asides import Asides
from nova_ha.evacuation.dispatch import InlineDispatcher
from tests.unit.decisions.builders import FENCED_AT, a_host, a_node


def an_actor(nova, cluster, mocker):
    """Return an actor on these ports."""
    beside = Asides(InlineDispatcher())
    journal, observer = mocker.Mock(), mocker.Mock()
    return Actor(nova, cluster, SystemClock(), journal, InlineDispatcher(), observer, "controller-0", beside)


def started(cluster, nova, step, facts, mocker):
    """Perform a step on a host with these facts; return what failed, and the facts that were written."""
    plan = HostPlan(a_host(node=a_node(servers=f"{FENCED_AT} {facts}")), HostState.RETURNING, steps=(step,))
    failed = an_actor(nova, cluster, mocker).perform(plan)
    ((_node, _time, written), _) = cluster.remember.call_args
    return failed, written


def test_server_is_started_at_home_once(mocker):
    """When Nova goes away after some servers are started, those are not asked for again."""
    nova, cluster = mocker.Mock(), mocker.Mock()
    nova.hard_reboot.side_effect = [
        None,
        RequestRefused("locked", 403),
        NovaUnavailable("connection refused"),
    ]
    step = StartAtHome(("s1", "s2", "s3", "s4"))
    failed, written = started(cluster, nova, step, "start:s1 start:s2 start:s3 start:s4", mocker)
    assert failed == ["connection refused"]
    assert written == {"started:s1", "left:s2", "start:s3", "start:s4"}


def test_lost_answer_to_a_start_is_no_start(mocker):
    """A server whose start was not answered is still to be started; no further answer is waited for now."""
    nova, cluster = mocker.Mock(), mocker.Mock()
    nova.hard_reboot.side_effect = [None, AmbiguousAnswer("no answer")]
    step = StartAtHome(("s1", "s2", "s3"))
    failed, written = started(cluster, nova, step, "start:s1 start:s2 start:s3", mocker)
    assert (failed, nova.hard_reboot.call_count) == (["no answer"], 2)
    assert written == {"started:s1", "start:s2", "start:s3"}


def test_what_was_seen_of_starts_is_remembered(mocker):
    """Servers that Nova is starting are remembered as such, and those that run are forgotten."""
    nova, cluster = mocker.Mock(), mocker.Mock()
    step = StartAtHome((), taken=("s1",), over=("s2", "s3"))
    _, written = started(cluster, nova, step, "start:s1 started:s2 start:s3 left:s4", mocker)
    assert written == {"started:s1", "left:s4"}
    nova.hard_reboot.assert_not_called()
