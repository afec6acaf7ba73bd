# SPDX-License-Identifier: Apache-2.0
"""The only door to other processes.

Commands are lists, never text for a shell; they run with an environment of their own, in which tools speak
English (``LC_ALL=C``) and are found in the system's folders only.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from nova_ha.errors import NovaHaError, Retriable

__all__ = ["CommandFailed", "Identity", "Result", "Runner", "SystemRunner", "environment", "start_daemon"]

_log = logging.getLogger(__name__)

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
#: Variables that Pacemaker's tools and Python need. Everything else stays behind, above all
#: OCF_RESKEY_password: an environment is inherited by children and readable in /proc (rule R6).
_KEPT = frozenset(
    ("CIB_file", "CIB_shadow", "CIB_shadow_dir", "NOVA_HA_RUN", "NOVA_HA_LOG", "PYTHONPATH", "TMPDIR", "TZ")
)
_KEPT_PREFIXES = ("HA_", "PCMK_")

#: Daemons that this process has started. Python warns of a process that is forgotten while it runs; these are
#: meant to.
_daemons: list[subprocess.Popen[bytes]] = []


class CommandFailed(Retriable, NovaHaError):
    """A command could not be started, or did not end in time; whoever called it says what that means."""


@dataclass(frozen=True)
class Result:
    """What a command has left.

    Attributes:
        command: the command and its arguments.
        returncode: exit status; negative: the signal that ended it.
        stdout: what it printed.
        stderr: what it complained about.
        seconds: how long it ran.
    """

    command: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float = 0.0

    @property
    def complaint(self) -> str:
        """Return its complaints as one line; what it printed if it did not complain."""
        text = self.stderr.strip() or self.stdout.strip()
        return "; ".join(line.strip() for line in text.splitlines() if line.strip())


class Runner(Protocol):
    """What runs commands; tests have one that only pretends."""

    def run(self, *command: str, timeout: float = 30.0) -> Result:
        """Run a command to its end.

        Args:
            command: the program and its arguments, each one word of the command line.
            timeout: seconds after which it is killed.

        Raises:
            CommandFailed: it could not be started, or did not end in time.
        """


class SystemRunner:
    """Runs commands on this machine."""

    def run(self, *command: str, timeout: float = 30.0) -> Result:
        """Run a command to its end; see `Runner.run`."""
        _log.debug("%s: starts", command)
        begin = time.monotonic()
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                env=environment(),
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"{command[0]} did not end within {timeout:g} s") from None
        except OSError as error:
            raise CommandFailed(f"cannot run {command[0]}: {error.strerror}") from error
        seconds = time.monotonic() - begin
        _log.debug("%s: exit status %d after %.3f s", command, done.returncode, seconds)
        return Result(command, done.returncode, done.stdout, done.stderr, seconds)


@dataclass(frozen=True)
class Identity:
    """Whose rights a daemon gets; its supplementary groups are those of the user."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = "/"


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of every process that nova-ha starts: what is known to be needed, no more."""
    kept = {
        name: text for name, text in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    return {**kept, "PATH": _PATH, "LC_ALL": "C", **(extra or {})}


def start_daemon(
    command: tuple[str, ...],
    output: Path,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    identity: Identity | None = None,
    keep: tuple[int, ...] = (),
    extra: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one, in a session of its own.

    Args:
        command: the program and its arguments.
        output: file to which its output is appended.
        stdin: what it can read.
        identity: whose rights it gets; those of this process when None.
        keep: further file descriptors that it inherits.
        extra: further variables of its environment.

    Raises:
        CommandFailed: it could not be started.
    """
    home = {} if identity is None else {"HOME": identity.home}
    _log.debug("%s: starts as a daemon", command)
    try:
        with output.open("ab") as sink:
            daemon = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=sink,
                stderr=sink,
                cwd="/",
                env=environment({**home, **(extra or {})}),
                start_new_session=True,
                pass_fds=keep,
                user=None if identity is None else identity.uid,
                group=None if identity is None else identity.gid,
                extra_groups=None if identity is None else identity.groups,
            )
    except OSError as error:
        raise CommandFailed(f"cannot start {command[0]}: {error.strerror} ({error.filename})") from error
    _daemons.append(daemon)
    return daemon
