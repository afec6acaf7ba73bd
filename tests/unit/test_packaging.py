# SPDX-License-Identifier: Apache-2.0
"""What the kinds of packages say about the same product agrees."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nova_ha import __version__

CHECKOUT = Path(__file__).resolve().parents[2]
#: Distribution's names of what pyproject.toml needs.
NAMES = {"keystoneauth1": "keystoneauth1", "python-novaclient": "novaclient", "PyYAML": "pyyaml"}


def text(name):
    """Return a file of the checkout."""
    return (CHECKOUT / name).read_text(encoding="utf-8")


@pytest.fixture
def floors():
    """Give the libraries that pyproject.toml needs, with their oldest versions."""
    (line,) = re.findall(r"^dependencies = \[(.*)\]$", text("pyproject.toml"), re.MULTILINE)
    found = dict(re.findall(r'"([\w-]+)>=([\d.]+)"', line))
    assert set(NAMES) == set(found)
    return found


def test_versions():
    """Every kind of package has the library's version."""
    assert text("debian/changelog").startswith(f"nova-ha ({__version__}) ")
    assert f"\nVersion: {__version__}\n" in text("packaging/nova-ha.spec")
    (newest,) = re.findall(r"^%changelog\n\*.* - ([\d.]+)-\d+$", text("packaging/nova-ha.spec"), re.MULTILINE)
    assert __version__ == newest


def test_libraries(floors):
    """The RPM needs what pyproject.toml needs; Debian's package takes its list from there."""
    spec = text("packaging/nova-ha.spec")
    for name, version in floors.items():
        assert f"\nRequires: python3-{NAMES[name]} >= {version}\n" in spec
    assert "${python3:Depends}" in text("debian/control")


def test_oldest_python():
    """The oldest Python is the same everywhere."""
    assert 'requires-python = ">=3.9"' in text("pyproject.toml")
    assert "X-Python3-Version: >= 3.9\n" in text("debian/control")
    assert "%global python3_version 3.9}" in text("packaging/nova-ha.spec")
    assert '_PYTHONS = ("3.9", ' in text("tools/check_types.py")


def test_place_of_the_fence_agent():
    """The RPM looks for fence_compute where the wheel puts it, also where _sbindir is /usr/bin."""
    spec = text("packaging/nova-ha.spec")
    assert "\n%{_prefix}/sbin/fence_compute\n" in spec
    assert "%{_sbindir}" not in spec
    assert '("sbin", _files("fence_compute/fence_compute"))' in text("setup.py")


def test_the_divert_is_undone():
    """Whatever the package moves away before its installation it moves back after its removal."""
    moved = re.findall(r"^ +divert (/\S+)$", text("debian/nova-ha.preinst"), re.MULTILINE)
    restored = re.findall(r"^ +restore (/\S+)$", text("debian/nova-ha.postrm"), re.MULTILINE)
    assert moved == restored
    assert {"/usr/sbin/fence_compute", "/usr/share/man/man8/fence_compute.8.gz"} == set(moved)
    assert not [
        path for path in moved if "/usr/lib/nova-ha/diverted".startswith(Path(path).parent.as_posix() + "/")
    ]


def test_what_tools_fetch_is_what_packages_need():
    """The machine of the tests gets what the source package is built with."""
    machine = f"{text('tools/setup-machine')} {text('tests/lab/prepare.py')}"
    (needed,) = re.findall(r"^Build-Depends:\n((?: .*\n)+)", text("debian/control"), re.MULTILINE)
    names = {line.split()[0].rstrip(",") for line in needed.splitlines()}
    aliases = {"debhelper-compat": "debhelper", "dh-sequence-python3": "dh-python"}
    assert len(names) > 3
    assert [] == [name for name in names if aliases.get(name, name) not in machine]
