# SPDX-License-Identifier: Apache-2.0
"""The links from where Pacemaker looks into a virtual environment, in folders of the test."""

from __future__ import annotations

import os

import pytest

from nova_ha import command
from nova_ha.commands import install_agents, surroundings
from nova_ha.errors import ConfigurationError
from nova_ha.runner import Result

EXECUTABLES = (
    "lib/ocf/resource.d/openstack/NovaCompute",
    "lib/ocf/resource.d/openstack/NovaEvacuate",
    "sbin/fence_compute",
)
PAGE = "share/man/man8/fence_compute.8"


class Works:
    """Runs what is asked for by saying what an agent says."""

    def __init__(self, answer='<resource-agent name="x"/>', complaint="", status=0):
        self.answer = (status, answer, complaint)
        self.calls = []

    def run(self, *command, timeout=30.0):
        """Answer."""
        self.calls.append(command)
        assert timeout
        return Result(command, *self.answer)


@pytest.fixture
def home(tmp_path):
    """Give a virtual environment with nova-ha in it."""
    home = tmp_path / "venv"
    for name in (*EXECUTABLES, PAGE, "bin/nova-ha"):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/usr/bin/python3\nbody\n", encoding="utf-8")
    (home / "pyvenv.cfg").touch()
    return home


@pytest.fixture
def prefix(tmp_path):
    """Give a folder in the place of /usr, in which nothing is."""
    return tmp_path / "usr"


def everything(folder):
    """Return every file and link below a folder, with what it holds or leads to."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file())
    return {str(p): str(p.readlink()) if p.is_symlink() else p.read_text(encoding="utf-8") for p in found}


def test_install(home, prefix):
    """Every executable, page and the command are linked; executables run on the environment's interpreter."""
    runner = Works()
    done = install_agents.link(home, prefix, runner)
    assert 5 == len(done)
    for name in EXECUTABLES:
        text = (prefix / name).read_text(encoding="utf-8")
        assert f"#!{home}/bin/python3\nbody\n" == text
        assert os.access(prefix / name, os.X_OK)
    assert home / PAGE == (prefix / PAGE).readlink()
    assert home / "bin/nova-ha" == (prefix / "bin/nova-ha").readlink()
    libexec = home / "libexec/nova-ha"
    assert (str(libexec / "fence_compute"), "-o", "metadata") in runner.calls
    assert (str(libexec / "NovaCompute"), "meta-data") in runner.calls


def test_install_again(home, prefix):
    """A second run links nothing, and after an upgrade of the environment it renews the copies."""
    install_agents.link(home, prefix, Works())
    (home / "sbin/fence_compute").write_text("#!/usr/bin/python3\nnewer\n", encoding="utf-8")
    assert [] == install_agents.link(home, prefix, Works())
    assert (prefix / "sbin/fence_compute").read_text(encoding="utf-8").endswith("newer\n")


@pytest.mark.parametrize("is_link", [False, True])
def test_strangers_are_kept(home, prefix, is_link):
    """If one path is somebody else's nothing at all is changed, and the fix is named."""
    stranger = prefix / "sbin/fence_compute"
    stranger.parent.mkdir(parents=True)
    stranger.symlink_to("/opt/other/fence_compute") if is_link else stranger.write_text("other")
    before = everything(home.parent)
    with pytest.raises(
        ConfigurationError, match=f"not nova-ha's, so not overwritten: {stranger}: "
    ) as caught:
        install_agents.link(home, prefix, Works())
    assert before == everything(home.parent)
    assert ("leads to /opt/other" in str(caught.value)) is is_link


@pytest.mark.parametrize(
    ("tool", "fix"), [("/usr/bin/dpkg-divert", "dpkg-divert --local"), (None, "rpm -qf")]
)
def test_way_out(home, prefix, monkeypatch, tool, fix):
    """The fix for a file of a package is that of the distribution."""
    (prefix / "sbin").mkdir(parents=True)
    (prefix / "sbin/fence_compute").write_text("other")
    monkeypatch.setattr(install_agents.shutil, "which", lambda _name: tool)
    with pytest.raises(ConfigurationError, match=fix):
        install_agents.link(home, prefix, Works())


def test_uninstall(home, prefix):
    """What was linked is removed, and nothing else."""
    install_agents.link(home, prefix, Works())
    (prefix / "sbin/other").write_text("other")
    done = install_agents.unlink(home, prefix)
    assert 5 == len(done)
    assert {str(prefix / "sbin/other"): "other"} == everything(prefix)
    assert [] == install_agents.unlink(home, prefix)


def test_uninstall_keeps_strangers(home, prefix):
    """A path that is not ours stays, and is named."""
    install_agents.link(home, prefix, Works())
    (prefix / PAGE).unlink()
    (prefix / PAGE).write_text("other")
    done = install_agents.unlink(home, prefix)
    assert f"left {prefix / PAGE}: it is no link to {home / PAGE}" in done
    assert {str(prefix / PAGE): "other"} == everything(prefix)


def test_no_virtual_environment(home, prefix):
    """Outside of a virtual environment it says that there is nothing to do."""
    (home / "pyvenv.cfg").unlink()
    with pytest.raises(ConfigurationError, match="is no virtual environment"):
        install_agents.link(home, prefix, Works())


def test_environment_without_executables(home, prefix):
    """An editable installation, which has no executables, is told apart."""
    (home / "sbin/fence_compute").unlink()
    with pytest.raises(ConfigurationError, match="sbin/fence_compute is missing: install nova-ha there from"):
        install_agents.link(home, prefix, Works())


def test_executable_that_does_not_work(home, prefix):
    """An executable that cannot tell its metadata is not linked; the reason and the fix are told."""
    broken = Works("", "Traceback\nModuleNotFoundError: No module named 'pexpect'", 1)
    with pytest.raises(
        ConfigurationError, match=r"No module named 'pexpect': make the env.*system-site"
    ) as caught:
        install_agents.link(home, prefix, broken)
    assert "Traceback" not in str(caught.value)
    assert {} == everything(prefix)


def test_interpreter_that_linux_would_not_run(home, prefix):
    """A path that does not fit into the first line of an executable is refused."""
    odd = home.rename(home.with_name("a b"))
    with pytest.raises(ConfigurationError, match="too long for the first line of an agent, or with a blank"):
        install_agents.link(odd, prefix, Works())


def test_command_line(home, prefix, monkeypatch, capsys):
    """The program says what it has done, or in one line why not."""
    monkeypatch.setattr(install_agents.sys, "prefix", str(home))
    here = surroundings.Surroundings
    monkeypatch.setattr(surroundings, "Surroundings", lambda given: here(given=given, runner=Works()))
    words = ["install-agents", "--prefix", str(prefix)]
    assert 0 == command.main(words)
    linked = f"linked {prefix}/sbin/fence_compute -> {home}/libexec/nova-ha/fence_compute\n"
    assert linked in capsys.readouterr().out
    assert 0 == command.main([*words, "--uninstall"])
    assert f"removed {prefix}/sbin/fence_compute\n" in capsys.readouterr().out
    (home / "pyvenv.cfg").unlink()
    assert 1 == command.main(words)
    assert f"nova-ha: {home} is no virtual environment" in capsys.readouterr().err
