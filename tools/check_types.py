#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run mypy over everything that has types, each part with the Pythons that it must run on.

What a version of Python has not yet, or no longer, is unknown to mypy when it checks for that version.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent.parent
#: RHEL 9's and the newest that the product is for.
_PYTHONS = ("3.9", "3.13")
_PRODUCT = ("nova_ha", "benchmarks", "agents/Nova*", "fence_compute/fence_compute", "setup.py")
# The lab runs on Debian 12 only.
_MACHINE = ("tools/*.py", "tests/lab")


def main(arguments: list[str]) -> int:
    """Return 0 if mypy has no complaint; ``arguments`` are handed to it."""
    statuses = [_mypy(version, _existing(_PRODUCT), arguments) for version in _PYTHONS]
    return max(*statuses, _mypy("3.11", _existing(_MACHINE), arguments))


def _existing(patterns: tuple[str, ...]) -> list[str]:
    """Return the paths that match, relative to the checkout."""
    return [str(path.relative_to(_HERE)) for pattern in patterns for path in sorted(_HERE.glob(pattern))]


def _mypy(version: str, paths: list[str], arguments: list[str]) -> int:
    """Check ``paths`` for one version of Python."""
    command = [sys.executable, "-m", "mypy", "--python-version", version, *arguments, *paths]
    return subprocess.run(command, cwd=_HERE, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
