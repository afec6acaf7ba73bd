# SPDX-License-Identifier: Apache-2.0
"""The packages are built once for all tests."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packages.throwaway import Root

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Packages:
    """What was built."""

    folder: Path

    def one(self, pattern: str) -> Path:
        """Return the only file of that kind."""
        (found,) = self.folder.glob(pattern)
        return found


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """Give everything that "make packages" builds."""
    folder = tmp_path_factory.mktemp("packages")
    command = [CHECKOUT / "tools/build_packages.py", "--into", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return Packages(folder)


@pytest.fixture
def root(packages, tmp_path):
    """Give a machine in which packages may be installed; the built ones are in its /tmp/given."""
    with Root(tmp_path / "root", packages.folder) as running:
        yield running
