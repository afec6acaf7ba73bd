# SPDX-License-Identifier: Apache-2.0
"""The option domain tells every subcommand which of two hosts with one short name a node is."""

from __future__ import annotations

import pytest

from nova_ha.commands import doctor, targets
from nova_ha.commands.doctor_facts import Gatherer
from nova_ha.commands.status import StatusGatherer
from nova_ha.commands.workplace import Workplace
from nova_ha.errors import HostNameError
from nova_ha.testing.clock import VirtualClock
from tests.unit.commands.command_world import NoTools, SimulatedAccount
from tests.unit.commands.deployment import Deployment, a_service

HOSTS = ("compute-0.a.example", "compute-0.b.example", "compute-1.b.example")
SETTINGS = {"domain": "b.example"}


class TwoOfOneName:
    """A Nova with two hosts of the same short name, and no server."""

    def services(self):
        """Return the hosts."""
        return tuple(map(a_service, HOSTS))

    def servers(self, _host):
        """Return that nothing runs there."""
        return ()


def gathered(settings):
    """Return what doctor learns from Nova."""
    account = SimulatedAccount(TwoOfOneName())
    account.nova.server_groups = account.nova.conductors_up = lambda: None
    gatherer = Gatherer(NoTools(), VirtualClock(), lambda _settings: account, lambda: settings, ())
    return gatherer.facts(None).nova


def test_target(commands):
    """A command for the node is one for the host that domain says; without it, it is refused."""
    commands.with_pacemaker(evacuator=True).nova = TwoOfOneName()
    work = Workplace(commands.here(settings=SETTINGS), "compute-0")
    assert ("compute-0.b.example", "compute-0") == (work.target.host, work.name)
    with pytest.raises(HostNameError, match="may be any of"):
        Workplace(commands.here(settings={}), "compute-0")


def test_target_by_its_full_name():
    """Nova's own name of a host finds its node, too."""
    nodes = Deployment().all_facts().cluster.nodes
    found = targets.find("compute-0.b.example", TwoOfOneName().services(), nodes, "b.example")
    assert ("compute-0.b.example", "compute-0") == (found.host, found.node.name)
    other = targets.find("compute-0.a.example", TwoOfOneName().services(), nodes, "b.example")
    assert other.node is None


def test_status(commands):
    """The node stands beside the host that domain says."""
    commands.with_pacemaker(evacuator=True).nova = TwoOfOneName()
    report = StatusGatherer(commands.here(settings=SETTINGS)).look()
    shown = {host.host: host.node and host.node.name for host in report.hosts}
    assert dict(zip(HOSTS, (None, "compute-0", "compute-1"))) == shown


def test_doctor():
    """With domain one host is no node, and nothing else is wrong with names; without it a node is unknown."""
    for settings, expected in ((SETTINGS, {HOSTS[0]}), ({}, {HOSTS[0], HOSTS[1], "compute-0"})):
        sound = Deployment()
        sound.services = list(TwoOfOneName().services())
        sound.nova["domain"] = gathered(settings).domain
        found = doctor.examine(sound.all_facts())
        assert expected == {one.subject for one in found if one.check == "host-name"}
