# SPDX-License-Identifier: Apache-2.0
"""A simulated data centre in which subcommands of nova-ha are called, with or without Pacemaker."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from nova_ha.commands.configuration import Configuration
from nova_ha.commands.surroundings import Surroundings
from nova_ha.pacemaker.cib import Cib
from nova_ha.runner import Result
from nova_ha.testing import SimulatedWorld
from nova_ha.testing.dispatcher import ActorDispatcher
from tests.unit.commands.deployment import SAMPLE

HOSTS = ("compute-0", "compute-1", "compute-2")


class SimulatedPacemaker:
    """The simulated cluster with what the real port has besides."""

    def __init__(self, cluster, root):
        self._cluster = cluster
        self._root = root
        self.confirmations = {}

    def __getattr__(self, name):
        return getattr(self._cluster, name)

    def note_confirmation(self, node, text):
        """Keep the words."""
        self.confirmations[node] = text

    def query(self):
        """Return the CIB; it shows what was configured, and not what the simulation has done since."""
        return ET.tostring(self._root, encoding="unicode")


class SimulatedAccount:
    """An account of an admin."""

    def __init__(self, nova):
        self.nova = nova

    def roles(self):
        """Return the admin's roles."""
        return frozenset({"admin"})

    def uncovered_calls(self):
        """Return that a password has no rules."""
        return ()

    def newest_microversion(self):
        """Return the newest."""
        return (2, 104)

    def clock_offset(self):
        """Return that the clocks agree."""
        return 0.0


class NoTools:
    """A machine without Pacemaker's tools; agents answer with their metadata."""

    def run(self, *command, timeout=30.0):
        """Answer as if the tool were an agent."""
        assert timeout
        return Result(command, 0, '<resource-agent name="x"/>', "")


class CommandWorld:
    """Three hosts with two servers each, and somebody who calls commands.

    Args:
        folder: of the ledger and the journal.
    """

    def __init__(self, folder):
        self.folder = folder
        self.world = SimulatedWorld()
        self.said = []
        self.root = None
        self.nova = self.world.nova
        for host in HOSTS:
            self.world.add_host(host)
            for number in range(2):
                self.world.cloud.add_server(f"web-{host[-1]}-{number}", host)
        self.world.fencing.level = "none"
        self.world.fencing.reboots = False

    def with_pacemaker(self, *, evacuator):
        """Let the hosts be nodes of a cluster."""
        self.root = ET.parse(SAMPLE).getroot()
        if not evacuator:
            section = self.root.find("configuration/resources")
            section.remove(section.find("primitive[@id='nova-evacuate']"))
        return self

    def die(self, host, seconds=90.0):
        """Cut a host's power, and let so much time pass."""
        self.world.machines.switch_off(host, "power cut")
        self.world.run(seconds)

    def here(self, **different):
        """Return new surroundings, as for a new process."""
        account = SimulatedAccount(self.nova)
        here = Surroundings(
            given={}, environ={}, runner=NoTools(), clock=self.world.clock,
            open_account=lambda _settings: account, say=self.say,
            make_dispatcher=lambda: ActorDispatcher(self.world.clock), storage=self.folder,
        )  # fmt: skip
        here.__dict__["cluster_problem"] = None
        here.__dict__["configuration"] = None
        if self.root is not None:
            text = ET.tostring(self.root, encoding="unicode")
            here.__dict__["configuration"] = (Cib(text), Configuration(self.root))
            here.__dict__["pacemaker"] = SimulatedPacemaker(self.world.cluster, self.root)
        here.__dict__.update(different)
        return here

    def say(self, text):
        """Keep a line."""
        self.said.append(text)

    @property
    def text(self):
        """Return all that was said."""
        return "\n".join(self.said)

    def hosts_of(self, number):
        """Return where the servers of a host are now."""
        return {self.world.cloud.by_name(f"web-{number}-{n}").host for n in range(2)}

    def close(self):
        """End the world."""
        self.world.close()
