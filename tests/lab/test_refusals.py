# SPDX-License-Identifier: Apache-2.0
"""Where the lab cannot run, both ways into it say so in one line that names the way out, and do nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

CHECKOUT = Path(__file__).resolve().parents[2]
#: What `make demo` and `make test` begin with, and what a person may type.
ENTRANCES = {
    "make": ("sh", "tools/setup-machine"),
    "lab": (sys.executable, "-m", "tests.lab", "prepare"),
}
#: Not root, but able to read the checkout wherever it is.
NOBODY = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)
#: Root of a container that is not privileged.
CONFINED = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
ELSEWHERE = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/os-release && exec "$@"')


def refused(*command: str) -> str:
    """Run a command that refuses to go on; return the one line that it says."""
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=60)
    assert (1, "") == (done.returncode, done.stdout)
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_not_root(entrance: str) -> None:
    """An ordinary user is told to use sudo."""
    assert "root" in (line := refused(*NOBODY, *ENTRANCES[entrance]))
    assert "sudo" in line


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_another_distribution(entrance: str, tmp_path: Path) -> None:
    """It is named, and so is the one that is needed."""
    release = tmp_path / "os-release"
    release.write_text('ID=fedora\nVERSION_ID=41\nPRETTY_NAME="Fedora 41"\n', encoding="utf-8")
    line = refused(*ELSEWHERE, str(release), *ENTRANCES[entrance])
    assert "fedora 41" in line.lower()
    assert "use a Debian 12 machine" in line


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_no_namespaces(entrance: str) -> None:
    """In a container without privileges that is what is said to be missing."""
    assert "privileged" in (line := refused(*CONFINED, *ENTRANCES[entrance]))
    assert "namespaces" in line
