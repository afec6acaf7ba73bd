# SPDX-License-Identifier: Apache-2.0
"""What stays remembered when a step is interrupted; whole recoveries are in tests/scenarios."""

from __future__ import annotations

from nova_ha.act import Actor
from nova_ha.asides import Asides
from nova_ha.clock import SystemClock
from nova_ha.dispatch import InlineDispatcher
from nova_ha.errors import NovaUnavailable, RequestRefused
from nova_ha.model import HostState
from nova_ha.plan import HostPlan, StartAtHome
from tests.unit.core.builders import FENCED_AT, a_host, a_node


def test_server_is_started_at_home_once(mocker):
    """When Nova goes away after some servers are started, those are not asked for again."""
    nova, cluster, journal, observer = (mocker.Mock() for _ in range(4))
    nova.hard_reboot.side_effect = [
        None,
        RequestRefused("locked", 409),
        NovaUnavailable("connection refused"),
    ]
    beside = Asides(InlineDispatcher())
    actor = Actor(nova, cluster, SystemClock(), journal, InlineDispatcher(), observer, "controller-0", beside)
    step = StartAtHome(("s1", "s2", "s3"))
    node = a_node(servers=f"{FENCED_AT} start:s1 start:s2 start:s3")
    plan = HostPlan(a_host(node=node), HostState.RETURNING, steps=(step,))
    assert actor.perform(plan) == ["connection refused"]
    cluster.remember.assert_called_once_with("compute-0", FENCED_AT, frozenset({"left:s2", "start:s3"}))
