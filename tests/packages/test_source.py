# SPDX-License-Identifier: Apache-2.0
"""What Debian's checkers say about the packages and the manual."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.packages

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = sorted((CHECKOUT / "man").glob("*.[78]"))
#: This project has no address; whoever publishes the package has one.
NO_ADDRESS = "bogus-mail-host,bogus-mail-host-in-debian-changelog"


def said(*command):
    """Return all that a checker says."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


def test_lintian(packages):
    """Lintian finds nothing, not even something of little importance."""
    command = ("lintian", "--allow-root", "--display-info", "--suppress-tags", NO_ADDRESS)
    assert "" == said(*command, packages.one("*.changes"))


def test_the_same_source_gives_the_same_package(packages, tmp_path):
    """Built again, the package is the same byte for byte."""
    said(CHECKOUT / "tools/build_packages.py", "--into", tmp_path, "--only", "deb-binary")
    (again,) = tmp_path.glob("*.deb")
    first, second = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (packages.one("*.deb"), again))
    assert first == second


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize(
    "checker",
    [
        ("groff", "-man", "-Tutf8", "-ww", "-z"),
        ("mandoc", "-T", "lint", "-W", "warning"),
        ("sh", "-c", 'LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l "$1" >/dev/null', "sh"),
    ],
    ids=lambda checker: checker[0],
)
def test_manual_is_well_formed(page, checker):
    """No formatter of manual pages has anything to complain about."""
    assert "" == said(*checker, page)
