# SPDX-License-Identifier: Apache-2.0
"""Wheel and sdist, and the links from a virtual environment to where Pacemaker looks."""

from __future__ import annotations

import tarfile
import zipfile

import pytest

from nova_ha import __version__

pytestmark = pytest.mark.packages

AGENTS = "/usr/lib/ocf/resource.d/openstack"
VENV = "/opt/nova-ha"
ASIDE = "/usr/lib/nova-ha/diverted/fence_compute"


@pytest.fixture
def venv(root, packages):
    """Give a machine with nova-ha in a virtual environment, which may use the system's libraries."""
    root.ok("/usr/bin/python3", "-m", "venv", "--system-site-packages", "--without-pip", VENV)
    wheel = f"/tmp/given/{packages.one('*.whl').name}"
    pip = "/usr/bin/python3 -m pip --python"
    root.ok("sh", "-c", f"{pip} {VENV}/bin/python3 install --quiet --no-index --no-deps {wheel}")
    return root


def install_agents(root, *arguments):
    """Run nova-ha install-agents."""
    return root.run(f"{VENV}/bin/nova-ha", "install-agents", *arguments)


def put_aside(root):
    """Move the agent of fence-agents away, as the README says."""
    divert = f"dpkg-divert --local --rename --divert {ASIDE} --add /usr/sbin/fence_compute"
    root.ok("sh", "-c", f"mkdir -p /usr/lib/nova-ha/diverted; {divert}")


def test_wheel(packages):
    """The wheel has the agents, the manual and the examples as data, which pip puts below its prefix."""
    names = set(zipfile.ZipFile(packages.one("*.whl")).namelist())
    data = f"nova_ha-{__version__}.data/data"
    for path in (
        "lib/ocf/resource.d/openstack/NovaEvacuate",
        "lib/ocf/resource.d/openstack/NovaCompute",
        "sbin/fence_compute",
        "share/man/man8/fence_compute.8",
        "share/man/man7/ocf_openstack_NovaEvacuate.7",
        "share/doc/nova-ha/examples/apply.sh",
        "share/doc/nova-ha/examples/CREDENTIALS.md",
    ):
        assert f"{data}/{path}" in names
    assert "nova_ha/py.typed" in names
    assert [] == [name for name in names if name.startswith(("tests", "tools"))]


def test_sdist(packages):
    """The sdist has what every other package is built from, and the tests."""
    with tarfile.open(packages.one("*.tar.gz")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "agents/NovaEvacuate", "debian/rules", "debian/nova-ha.preinst", "fence_compute/fence_compute",
        "man/fence_compute.8", "man/fence_compute.8.in", "packaging/nova-ha.spec", "pcs-examples/apply.sh",
        "tests/packages/test_python.py", "tools/build_packages.py", "Makefile", "tox.ini",
    } <= names  # fmt: skip


def test_virtual_environment(venv):
    """Its agents are linked, and run on its interpreter with its library; no other one is on the machine."""
    put_aside(venv)
    done = install_agents(venv)
    assert (0, "") == (done.returncode, done.stderr)
    assert {"NovaCompute", "NovaEvacuate"} <= set(
        venv.ok("crm_resource", "--list-agents", "ocf:openstack").split()
    )
    assert 'name="NovaCompute"' in venv.ok("crm_resource", "--show-metadata", "ocf:openstack:NovaCompute")
    shown = venv.ok("stonith_admin", "--metadata", "--agent", "fence_compute")
    assert "ocf:openstack:NovaEvacuate" in shown
    assert 0 != venv.run("/usr/bin/python3", "-c", "import nova_ha").returncode
    assert f"nova-ha {__version__}" in venv.ok("man", "7", "ocf_openstack_NovaCompute")


def test_virtual_environment_uninstalled(venv):
    """Uninstalled, it leaves an empty folder; the other agent is the admin's to bring back."""
    put_aside(venv)
    before = venv.differences()
    assert 0 == install_agents(venv).returncode
    assert 0 == install_agents(venv, "--uninstall").returncode
    assert {AGENTS: ["drwxr-xr-x", ""]} == {p: f for p, f in venv.differences().items() if p not in before}
    assert "" == venv.ok("find", AGENTS, "-type", "l")


def test_virtual_environment_overwrites_nothing(venv):
    """While the agent of fence-agents is there nothing is linked, and one line names the fix, which works."""
    theirs = venv.hash("/usr/sbin/fence_compute")
    done = install_agents(venv)
    assert 1 == done.returncode
    (line,) = done.stderr.splitlines()
    assert line.startswith("nova-ha: not nova-ha's, so not overwritten: /usr/sbin/fence_compute: ")
    assert theirs == venv.hash("/usr/sbin/fence_compute")
    assert 0 != venv.run("test", "-e", AGENTS).returncode
    fix = line.partition("fence_compute: ")[2].partition(" moves it away")[0]
    venv.ok("sh", "-c", fix)
    assert 0 == install_agents(venv).returncode
    assert theirs == venv.hash(ASIDE)


def test_virtual_environment_without_libraries(venv):
    """An environment that cannot load fencing's libraries is refused with the reason and the fix."""
    put_aside(venv)
    venv.ok("sed", "-i", "s/^include-system.*/include-system-site-packages = false/", f"{VENV}/pyvenv.cfg")
    done = install_agents(venv)
    assert 1 == done.returncode
    assert "make the environment with --system-site-packages" in done.stderr
    assert "Traceback" not in done.stderr
