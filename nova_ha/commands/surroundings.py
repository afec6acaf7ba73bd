# SPDX-License-Identifier: Apache-2.0
"""What a subcommand works with: Pacemaker, if there is one, Nova, time, and the folders of this machine."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Callable

from nova_ha.clock import Clock, SystemClock
from nova_ha.commands import sources
from nova_ha.commands.account import OpenAccount
from nova_ha.commands.configuration import Configuration
from nova_ha.errors import ClusterError
from nova_ha.evacuation.dispatch import Dispatcher, ThreadDispatcher
from nova_ha.pacemaker.cib import Cib
from nova_ha.pacemaker.cluster import CIB_FILE, Pacemaker
from nova_ha.ports import NovaPort
from nova_ha.runner import CommandFailed, Runner, SystemRunner
from nova_ha.settings.option import Value

STORAGE = Path("/var/lib/nova-ha")

#: Why nothing is known of Pacemaker, where not even its files may be looked for.
RUN_AS_ROOT = "this account may not ask Pacemaker: run the command as root"


def _real_account() -> OpenAccount:
    """Return what opens real clouds; imported late, for novaclient takes half a second."""
    from nova_ha.commands.account import RealAccount

    clock = SystemClock()
    return lambda settings: RealAccount(settings, clock)


@dataclass
class Surroundings:
    """Everything outside of a subcommand.

    Attributes:
        given: options of the command line, by canonical name.
        environ: the environment.
        runner: runs Pacemaker's tools.
        clock: time.
        open_account: opens the cloud that settings describe.
        say: prints a line.
        make_dispatcher: makes what sends evacuate requests.
        storage: where the ledger and the journal are.
        sign: file that exists on whatever has ever been a member of a cluster, also while it is down.
        machine: the name of this machine.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    runner: Runner = field(default_factory=SystemRunner)
    clock: Clock = field(default_factory=SystemClock)
    open_account: OpenAccount = field(default_factory=_real_account)
    make_dispatcher: Callable[[], Dispatcher] = ThreadDispatcher
    say: Callable[[str], None] = print
    storage: Path = STORAGE
    sign: str = CIB_FILE
    machine: str = field(default_factory=lambda: os.uname().nodename)

    @cached_property
    def cluster_problem(self) -> str | None:
        """Return why Pacemaker does not answer on a member of a cluster; None elsewhere."""
        return None if isinstance(self._first_look, Cib) else self._first_look

    @cached_property
    def configuration(self) -> tuple[Cib, Configuration] | None:
        """Return the cluster's state and configuration as they were at the first look; None without one."""
        if not isinstance(self._first_look, Cib):
            return None
        return self._first_look, Configuration(self._first_look.root)

    def look_again(self) -> None:
        """Ask a Pacemaker once more that did not answer; when it does, begin with what its resources say."""
        if "_first_look" not in self.__dict__ or self.cluster_problem is None:
            return
        for name in ("_first_look", "cluster_problem", "configuration"):
            self.__dict__.pop(name, None)
        if self.configuration is not None:
            for name in ("sources", "settings", "nova"):
                self.__dict__.pop(name, None)

    @property
    def is_blindfolded(self) -> bool:
        """Say whether this account may not ask Pacemaker, nor see whether there is one."""
        return self.cluster_problem == RUN_AS_ROOT

    @property
    def is_compute_node(self) -> bool:
        """Say whether this machine is a Pacemaker Remote node: it sees the cluster, without credentials."""
        nodes = self.configuration[0].nodes() if self.configuration else ()
        return any(node.is_remote and node.name == self.machine for node in nodes)

    @cached_property
    def pacemaker(self) -> Pacemaker:
        """Return the port to Pacemaker."""
        return Pacemaker(self.runner, self.clock)

    @cached_property
    def sources(self) -> tuple[sources.Source, ...]:
        """Return the settings of the cluster's resources; of the command line where there are none."""
        found = sources.of_cluster(self.configuration[1] if self.configuration else None)
        named = sources.names_credentials(self.given, self.environ)
        own = (sources.Source("command line", "", self.given),) if named or not found else ()
        return (*own, *found)

    @cached_property
    def settings(self) -> dict[str, Value]:
        """Return the resolved options; raise `ConfigurationError` when one means nothing."""
        of_cluster = tuple(source for source in self.sources if source.agent)
        return sources.settings(self.given, self.environ, of_cluster, self.runner)

    @cached_property
    def nova(self) -> NovaPort:
        """Return Nova."""
        return self.open_account(self.settings).nova

    @property
    def account(self) -> str:
        """Return who runs the command, and where: ``root@controller-0``; the person behind sudo."""
        user = self.environ.get("SUDO_USER") or getpass.getuser()
        return f"{user}@{self.machine}"

    @cached_property
    def _first_look(self) -> Cib | str | None:
        """Return the CIB; why there is no answer; or None where there is no Pacemaker."""
        try:
            answer = self.runner.run("cibadmin", "--query")
        except CommandFailed as error:
            return self._why_silent(str(error))
        if answer.returncode != 0:
            return self._why_silent(f"Pacemaker does not answer: {answer.complaint}")
        try:
            return Cib(answer.stdout)
        except ClusterError as error:
            return str(error)

    def _why_silent(self, reason: str) -> str | None:
        """Return why Pacemaker does not answer; None where there is none.

        Only root and the group haclient may ask Pacemaker, and only they may look for its files: to others
        a member of a cluster would look like a machine without Pacemaker.
        """
        try:
            os.stat(self.sign)
        except PermissionError:
            return RUN_AS_ROOT
        except OSError:
            return None
        return reason
