# SPDX-License-Identifier: Apache-2.0
"""The virtual environment with Nova, Keystone, Placement and Glance, from PyPI, at pinned versions."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.lab.errors import LabError

from .cache import fingerprint, made_once

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
CONSTRAINTS = HERE / "constraints.txt"
PYTHON = "/usr/bin/python3"


class PreparationFailed(LabError):
    """Something that is made once could not be made; the text says what and where its output is."""


def clean_environment() -> dict[str, str]:
    """Return this process' environment without what would slow down or redirect another Python."""
    unwanted = ("PYTHON", "VIRTUAL_ENV", "OS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}


def venv() -> Path:
    """Return the folder of the virtual environment, installed now if need be (about two minutes)."""
    return made_once("venv", fingerprint([REQUIREMENTS, CONSTRAINTS, Path(__file__)]), _install)


def _install(folder: Path) -> None:
    pip = str(folder / "bin" / "pip")
    log = folder / "install.log"
    run_logged(log, PYTHON, "-m", "venv", "--clear", str(folder))
    run_logged(log, pip, "install", "--disable-pip-version-check", "--no-compile",
               "-r", str(REQUIREMENTS), "-c", str(CONSTRAINTS))  # fmt: skip
    # Nine processes import the same 2000 modules at each start of the lab.
    run_logged(log, str(folder / "bin" / "python"), "-m", "compileall", "-q", "-j", "0", str(folder / "lib"),
               allow_failure=True)  # fmt: skip


def run_logged(log: Path, *argv: str, allow_failure: bool = False, where: Path | None = None) -> None:
    """Run a command, in the folder `where` if that is given, with its output appended to `log`.

    Raises:
        PreparationFailed: the command ended with another status than 0.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        done = subprocess.run(argv, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                              env=clean_environment(), cwd=where, check=False)  # fmt: skip
    if done.returncode and not allow_failure:
        raise PreparationFailed(f"{' '.join(argv[:4])} ... failed with status {done.returncode}: see {log}")
