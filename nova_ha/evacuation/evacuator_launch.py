# SPDX-License-Identifier: Apache-2.0
"""Start the evacuator's process: alone, remembered before it does anything, its settings unseen by others."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from nova_ha import process
from nova_ha.agents.rundir import RunDirectory
from nova_ha.errors import NovaHaError
from nova_ha.runner import start_daemon
from nova_ha.settings.option import Value


def launch(
    directory: RunDirectory, command: tuple[str, ...], settings: Mapping[str, Value]
) -> subprocess.Popen[bytes]:
    """Start the process and remember it.

    It gets the lock of the runtime folder, open, and keeps it as long as it lives; and its settings on its
    standard input, which it waits for, so that it is remembered before it begins.

    Raises:
        NovaHaError: another process has the lock.
        CommandFailed: it cannot be started.
    """
    read, write = os.pipe()
    with _locked(directory) as lock, os.fdopen(read, "rb") as stdin, os.fdopen(write, "wb") as settings_pipe:
        launched = start_daemon(command, Path(directory.output), stdin=stdin, keep=(lock,))
        process.write_pid_file(directory.pid, launched.pid)
        stdin.close()
        _tell(settings_pipe, settings)
    return launched


def last_words(directory: RunDirectory) -> str:
    """Return the last line that the process printed, to be added to a sentence; empty if it printed none."""
    try:
        lines = Path(directory.output).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    return f": {lines[-1].strip()}" if lines else ""


def _tell(pipe: BinaryIO, settings: Mapping[str, Value]) -> None:
    """Send the settings; a process that died before it read them is found by whoever waits for its status."""
    with suppress(BrokenPipeError):
        pipe.write(json.dumps(dict(settings)).encode())
        pipe.flush()


@contextmanager
def _locked(directory: RunDirectory) -> Iterator[int]:
    """Hold the lock of the folder; whoever inherits the descriptor goes on holding it."""
    descriptor = os.open(directory.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    except BlockingIOError:
        raise NovaHaError(
            f"another evacuator process holds {directory.lock}; find it with fuser -v"
        ) from None
    finally:
        os.close(descriptor)
