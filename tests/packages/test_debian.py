# SPDX-License-Identifier: Apache-2.0
"""The Debian package on a Debian 12 with a cluster: installed, upgraded, removed, purged, installed again."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomllib

from nova_ha import __version__

pytestmark = pytest.mark.packages

DEB = f"/tmp/given/nova-ha_{__version__}_all.deb"
NEWER = f"{__version__}+1"
FENCE = "/usr/sbin/fence_compute"
PAGE = "/usr/share/man/man8/fence_compute.8.gz"
DIVERTED = "/usr/lib/nova-ha/diverted"
AGENTS = "/usr/lib/ocf/resource.d/openstack"
DOC = "/usr/share/doc/nova-ha"
#: All that the package brings or changes.
OURS = (
    DOC, AGENTS, FENCE, DIVERTED, "/etc/nova-ha", "/usr/bin/nova-ha", "/usr/lib/nova-ha",
    "/usr/lib/python3/dist-packages/nova_ha", "/usr/share/man/", "/usr/share/lintian/overrides/nova-ha",
)  # fmt: skip


def install(root, deb=DEB):
    """Install a package as dpkg does for apt."""
    return root.ok("dpkg", "--install", deb)


def repacked(root, name, version, script=""):
    """Return the path of a package with another version and other content, made from an installed one's."""
    folder = f"/tmp/{name}-{version}"
    root.ok(
        "sh", "-c", f"mkdir {folder} && {script}\ndpkg-deb --root-owner-group --build {folder} {folder}.deb"
    )
    return f"{folder}.deb"


def newer(root):
    """Return the path of a newer nova-ha, whose fence_compute differs."""
    script = (
        f"cd /tmp; rmdir nova-ha-{NEWER}; dpkg-deb --raw-extract {DEB} nova-ha-{NEWER}; cd nova-ha-{NEWER}\n"
        f"sed -i 's/^Version: .*/Version: {NEWER}/' DEBIAN/control\n"
        "echo '# newer' >>usr/sbin/fence_compute; rm DEBIAN/md5sums"
    )
    return repacked(root, "nova-ha", NEWER, script)


def other_fence_agents(root):
    """Return the path of a newer package fence-agents, which has another fence_compute."""
    script = (
        "cd /tmp/fence-agents-99; mkdir -p DEBIAN usr/sbin; echo theirs >usr/sbin/fence_compute\n"
        "printf 'Package: fence-agents\\nVersion: 99\\nArchitecture: all\\nMaintainer: x <x@x.org>\\n"
        "Description: x\\n' >DEBIAN/control"
    )
    return repacked(root, "fence-agents", "99", script)


def is_in_use(root):
    """Say whether our fence_compute is the one that Pacemaker calls."""
    return "ocf:openstack:NovaEvacuate" in root.ok("stonith_admin", "--metadata", "--agent", "fence_compute")


def test_everything_is_in_its_place(root):
    """The paths and modes are those that Pacemaker, man and an admin expect."""
    install(root)
    modes = {path: found[0] for path, found in root.differences().items()}
    for path in (f"{AGENTS}/NovaEvacuate", f"{AGENTS}/NovaCompute", FENCE, f"{DOC}/examples/apply.sh"):
        assert "-rwxr-xr-x" == modes[path]
    assert "-rw-r--r--" == modes[f"{DOC}/examples/CREDENTIALS.md"]
    assert "drwx------" == modes["/etc/nova-ha"]
    for page in (
        "8/fence_compute.8",
        "8/nova-ha.8",
        "7/ocf_openstack_NovaEvacuate.7",
        "7/ocf_openstack_NovaCompute.7",
    ):
        assert "-rw-r--r--" == modes[f"/usr/share/man/man{page}.gz"]
    for name in ("copyright", "changelog", "CHANGELOG.md", "README.md"):
        # dh_compress leaves what is shorter than 4 KiB.
        assert "-rw-r--r--" == modes.get(f"{DOC}/{name}", modes.get(f"{DOC}/{name}.gz"))
    assert [] == [path for path in modes if not path.startswith(OURS)]


def test_pacemaker_finds_the_agents(root):
    """Pacemaker lists and describes each agent once, and not what was diverted."""
    before = root.ok("stonith_admin", "--list-installed").count("fence_")
    install(root)
    listed = root.ok("stonith_admin", "--list-installed").split()
    assert ["fence_compute"] == [name for name in listed if "compute" in name]
    assert before == len([name for name in listed if "fence_" in name])
    assert {"NovaCompute", "NovaEvacuate"} <= set(
        root.ok("crm_resource", "--list-agents", "ocf:openstack").split()
    )
    for agent in ("NovaEvacuate", "NovaCompute"):
        shown = root.ok("crm_resource", "--show-metadata", f"ocf:openstack:{agent}")
        assert f'<resource-agent name="{agent}" version="{__version__}">' in shown
    assert is_in_use(root)


def test_the_command(root):
    """Every command that pyproject.toml declares is in PATH and runs on the system's Python."""
    pyproject = Path(__file__).resolve().parents[2] / "pyproject.toml"
    declared = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"].get("scripts", {})
    install(root)
    listed = root.ok("dpkg", "--listfiles", "nova-ha").split()
    assert {f"/usr/bin/{name}" for name in declared} == {p for p in listed if p.startswith("/usr/bin/")}
    for name in declared:
        assert root.ok("head", "-n1", f"/usr/bin/{name}").startswith("#!/usr/bin/python3")
        assert f"nova-ha {__version__}" in root.ok(name, "--version")


def test_manual(root):
    """Man shows our page, though fence-agents has one of the same name."""
    install(root)
    assert f"nova-ha {__version__}" in root.ok("man", "--no-subpages", "8", "fence_compute")
    assert "SUPPORTED PARAMETERS" in root.ok("man", "7", "ocf_openstack_NovaEvacuate")


def test_nothing_starts_or_stops(root):
    """Neither installation nor removal touches a service or a configuration of the cluster."""
    install(root)
    scripts = root.ok("sh", "-c", "cat /var/lib/dpkg/info/nova-ha.p*")
    for word in ("systemctl", "invoke-rc.d", "update-rc.d", "pcs ", "crm_"):
        assert word not in scripts


def test_removal_restores_everything(root):
    """After removal and purge the system is as before, byte for byte and link for link."""
    hashes = (root.hash(FENCE), root.hash(PAGE))
    install(root)
    assert hashes == (root.hash(f"{DIVERTED}/fence_compute"), root.hash(f"{DIVERTED}/fence_compute.8.gz"))
    assert hashes[0] != root.hash(FENCE)
    root.ok("dpkg", "--remove", "nova-ha")
    assert hashes == (root.hash(FENCE), root.hash(PAGE))
    root.ok("dpkg", "--purge", "nova-ha")
    assert {} == root.differences()
    assert "nova-ha" not in root.ok("dpkg-divert", "--list")


def test_purge_keeps_credentials(root):
    """Removal keeps logs and journals, purge removes them; credentials are the admin's in any case."""
    install(root)
    root.ok("sh", "-c", "mkdir /var/log/nova-ha /var/lib/nova-ha; touch /var/log/nova-ha/evacuator.log")
    root.ok("sh", "-c", "echo secret >/etc/nova-ha/clouds.yaml")
    root.ok("dpkg", "--remove", "nova-ha")
    root.ok("test", "-f", "/var/log/nova-ha/evacuator.log")
    root.ok("dpkg", "--purge", "nova-ha")
    assert 0 != root.run("test", "-e", "/var/log/nova-ha").returncode
    assert 0 != root.run("test", "-e", "/var/lib/nova-ha").returncode
    assert "secret\n" == root.ok("cat", "/etc/nova-ha/clouds.yaml")


def test_upgrade(root):
    """After an upgrade the new files are in use, and what was diverted is still there and comes back."""
    theirs = root.hash(FENCE)
    install(root)
    old = root.hash(FENCE)
    install(root, newer(root))
    assert NEWER in root.ok("dpkg-query", "--show", "nova-ha")
    assert root.hash(FENCE) not in (old, theirs)
    assert theirs == root.hash(f"{DIVERTED}/fence_compute")
    root.ok("dpkg", "--remove", "nova-ha")
    assert theirs == root.hash(FENCE)


def test_installed_again(root):
    """Installed over itself, and again after a removal, it is as after the first time."""
    install(root)
    first = root.differences()
    install(root)
    assert first == root.differences()
    root.ok("dpkg", "--remove", "nova-ha")
    install(root)
    assert first == root.differences()
    assert is_in_use(root)


def test_upgrade_of_fence_agents(root):
    """A newer fence-agents leaves our agent in place; removal then brings the newer one back."""
    install(root)
    ours = root.hash(FENCE)
    root.ok("dpkg", "--force-depends", "--install", other_fence_agents(root))
    assert ours == root.hash(FENCE)
    assert "theirs\n" == root.ok("cat", f"{DIVERTED}/fence_compute")
    root.ok("dpkg", "--remove", "nova-ha")
    assert "theirs\n" == root.ok("cat", FENCE)


def test_installation_that_fails(root):
    """If another package has our agent the installation fails, and nothing stays diverted."""
    theirs = root.hash(FENCE)
    script = (
        f"cd /tmp/rival-1; mkdir -p DEBIAN .{AGENTS}; touch .{AGENTS}/NovaEvacuate\n"
        "printf 'Package: rival\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@x.org>\\n"
        "Description: x\\n' >DEBIAN/control"
    )
    root.ok("dpkg", "--install", repacked(root, "rival", "1", script))
    done = root.run("dpkg", "--install", DEB)
    assert 0 != done.returncode
    assert "NovaEvacuate', which is also in package rival" in done.stderr
    assert theirs == root.hash(FENCE)
    assert "nova-ha" not in root.ok("dpkg-divert", "--list")


def test_dependencies(root):
    """Everything that the agents import and call is in a package that this one names."""
    needed = ",".join(root.ok("dpkg-deb", "--field", DEB, field) for field in ("Depends", "Recommends"))
    packages = {word.split()[0] for part in needed.split(",") for word in part.split("|")}
    # crm_node comes with Pacemaker itself; only controllers call it.
    tools = ("cibadmin", "crm_attribute", "attrd_updater", "stonith_admin", "crm_node", "crm_resource")
    for path in (*(f"/usr/sbin/{tool}" for tool in tools), "/usr/share/fence/fencing.py"):
        assert root.ok("dpkg", "--search", path).split(":")[0] in packages
    assert {"python3-novaclient", "python3-keystoneauth1", "python3-yaml", "resource-agents"} <= packages
