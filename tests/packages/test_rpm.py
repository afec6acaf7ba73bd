# SPDX-License-Identifier: Apache-2.0
"""The RPM, as far as Debian's rpm can tell: what is in it, what it asks for, and that it leaves nothing."""

from __future__ import annotations

import re
import subprocess

import pytest

from nova_ha import __version__

pytestmark = pytest.mark.packages

SITE = "/usr/lib/python3.9/site-packages"
AGENTS = "/usr/lib/ocf/resource.d/openstack"


@pytest.fixture
def rpm(packages):
    """Give the path of the RPM that is to be installed."""
    return packages.one("*.noarch.rpm")


def ask(rpm, *question):
    """Return rpm's answer about a package."""
    return subprocess.run(
        ["rpm", "--query", "--package", *question, rpm], capture_output=True, text=True, check=True
    ).stdout


def test_payload(rpm):
    """Every file is where a system with RPM packages expects it, and nothing else is in it."""
    files = set(ask(rpm, "--list").split())
    assert {
        f"{AGENTS}/NovaEvacuate",
        f"{AGENTS}/NovaCompute",
        "/usr/sbin/fence_compute",
        "/usr/bin/nova-ha",
        f"{SITE}/nova_ha/__init__.py",
        f"{SITE}/nova_ha-{__version__}.dist-info/METADATA",
        "/usr/share/man/man7/ocf_openstack_NovaCompute.7",
        "/usr/share/man/man7/ocf_openstack_NovaEvacuate.7",
        "/usr/share/man/man8/fence_compute.8",
        "/usr/share/man/man8/nova-ha.8",
        "/usr/share/doc/nova-ha/README.md",
        "/usr/share/doc/nova-ha/examples/apply.sh",
        "/usr/share/doc/nova-ha/examples/CREDENTIALS.md",
        f"/usr/share/licenses/nova-ha-{__version__}/LICENSE",
        "/etc/nova-ha",
    } <= files
    known = ("/usr/lib/ocf", "/usr/sbin/", "/usr/bin/nova-ha", SITE, "/usr/share/", "/etc/nova-ha")
    assert [] == [path for path in files if not path.startswith(known)]
    assert [] == [path for path in files if "/tests" in path or path.endswith(".pyc")]


def test_modes(rpm):
    """Executables are executable, and what is to hold credentials is root's alone."""
    modes = {line.split()[-1]: line.split()[0] for line in ask(rpm, "--list", "--verbose").splitlines()}
    for path in (f"{AGENTS}/NovaEvacuate", f"{AGENTS}/NovaCompute", "/usr/sbin/fence_compute"):
        assert "-rwxr-xr-x" == modes[path]
    assert "drwx------" == modes["/etc/nova-ha"]


def test_relations(rpm):
    """It asks for what the agents import and call, and excludes the packages that have the same files."""
    needs = ask(rpm, "--requires")
    for name in ("fence-agents-common", "pacemaker-cli", "resource-agents", "python(abi) = 3.9"):
        assert f"{name}\n" in needs
    for name in ("keystoneauth1", "novaclient", "pyyaml"):
        assert re.search(rf"^python3-{name} >= \d", needs, re.MULTILINE)
    assert {"fence-agents-compute", "openstack-resource-agents"} == set(ask(rpm, "--conflicts").split())


def test_no_scripts(rpm):
    """Nothing runs when it is installed or removed."""
    assert "" == ask(rpm, "--scripts") + ask(rpm, "--triggers")


def test_source(packages):
    """The source RPM has the spec and the sdist of the same tree."""
    files = set(ask(packages.one("*.src.rpm"), "--list").split())
    assert {"nova-ha.spec", packages.one("*.tar.gz").name} == files


def test_installed_and_erased(rpm, tmp_path):
    """Installed into an empty root its agents name the system's Python; erased, it leaves nothing."""
    root = tmp_path / "root"
    # Debian's rpm asks for this word, because dpkg knows nothing of what it installs.
    at_root = ["rpm", "--root", root, "--dbpath", "/books", "--nodeps", "--force-debian"]
    subprocess.run([*at_root, "--install", rpm], check=True)
    for path in (f"{AGENTS}/NovaEvacuate", "/usr/sbin/fence_compute", "/usr/bin/nova-ha"):
        assert "#!/usr/bin/python3" == (root / path.lstrip("/")).read_text(encoding="utf-8").splitlines()[0]
    subprocess.run([*at_root, "--erase", "nova-ha"], check=True)
    left = [p for p in root.rglob("*") if p.is_file() and p.parent.name != "books"]
    assert [] == left
