# SPDX-License-Identifier: Apache-2.0
"""NovaCompute with run_as=podman and docker, with a stand-in for the engine that starts real processes."""

from __future__ import annotations

import os
import subprocess

import pytest

from nova_ha import process, runner
from nova_ha.agents import ocf
from nova_ha.compute import container
from tests.unit.compute.compute_node import Node, clean_up, kill
from tests.unit.compute.fake_engine import APART, Engine

pytestmark = [pytest.mark.real_subprocess, pytest.mark.real_time]


@pytest.fixture(params=["podman", "docker"])
def node(request, tmp_path, monkeypatch):
    """Give a compute node whose nova-compute is in a container."""
    monkeypatch.setattr(container, "_POLL", 0.05)
    found = Node(tmp_path, monkeypatch)
    found.parameters = {"OCF_RESKEY_run_as": request.param}
    found.engine = Engine(found, monkeypatch, request.param)
    yield found
    found.engine.clean_up()
    clean_up()


def test_life(node, capsys):
    """Stopped, started, started again, stopped and stopped again: each action says what is true."""
    assert ocf.NOT_RUNNING == node.act("monitor")
    assert ocf.SUCCESS == node.act("start")
    pid = node.pid
    assert pid == int((node.engine.folder / "main").read_text(encoding="utf-8"))
    assert ocf.SUCCESS == node.act("monitor")
    assert ocf.SUCCESS == node.act("start")
    assert node.engine.calls.count("start nova_compute") == 1
    assert ocf.SUCCESS == node.act("stop")
    assert "stop -t 5 nova_compute" in node.engine.calls
    assert process.start_time(pid) is None
    assert ocf.NOT_RUNNING == node.act("monitor")
    assert ocf.SUCCESS == node.act("stop")
    assert "" == capsys.readouterr().err


def test_monitors_ask_nobody(node):
    """Neither a probe where no nova-compute runs, nor the monitor of one that does, starts a process."""
    node.act("monitor")
    assert [] == node.engine.calls
    node.act("start")
    assert node.engine.calls
    assert ocf.SUCCESS == node.act("monitor")
    assert [] == node.engine.calls


def test_dead_container(node, capsys):
    """A container that died is told as not running, with where to look."""
    node.act("start")
    for pid in process.family(node.pid):
        kill(pid)
    assert ocf.NOT_RUNNING == node.act("monitor")
    said = f"its last words are in its log: {node.engine.name} logs nova_compute"
    assert said in capsys.readouterr().err


def test_container_that_ends_at_once(node, capsys):
    """A nova-compute that cannot run makes the start fail with its last line."""
    node.program(before="echo 'ERROR nova: no hypervisor' >&2; exit 3")
    assert ocf.ERR_GENERIC == node.act("start")
    assert "ended at once, exit status 3: ERROR nova: no hypervisor" in capsys.readouterr().err


def test_container_that_does_not_start(node, capsys):
    """What the engine says of a container that it does not start is the exit reason."""
    node.engine.say("broken")
    assert ocf.ERR_GENERIC == node.act("start")
    assert "start nova_compute failed: Error: unable to start container" in capsys.readouterr().err


def test_stop_that_must_kill(node):
    """When neither stop nor kill of the engine has an effect the processes are killed without it."""
    node.act("start")
    pid = node.pid
    node.engine.say("deaf")
    assert ocf.SUCCESS == node.act("stop", OCF_RESKEY_CRM_meta_timeout="16000")
    assert "kill --signal KILL nova_compute" in node.engine.calls
    assert process.start_time(pid) is None
    assert () == process.find(lambda arguments: str(node.binary) in arguments, containers=True)


def test_stop_without_engine(node):
    """When the engine does not answer nova-compute is ended without it."""
    node.act("start")
    pid = node.pid
    node.engine.say("no-daemon")
    assert ocf.SUCCESS == node.act("stop", OCF_RESKEY_CRM_meta_timeout="16000")
    assert process.start_time(pid) is None
    assert "Cannot connect to the Docker daemon" in node.log()


def test_unknown_is_not_stopped(node, capsys):
    """When the engine does not answer, a nova-compute in some container may be this one: the stop fails."""
    start_by_hand(node)
    node.engine.say("no-daemon")
    assert ocf.ERR_GENERIC == node.act("stop", OCF_RESKEY_CRM_meta_timeout="16000")
    assert "does not end" in capsys.readouterr().err


def start_by_hand(node):
    """Start the container as an admin does."""
    subprocess.run([str(node.path / node.engine.name), "start", "nova_compute"], check=True)
    node.wait_until("monitor", ocf.SUCCESS)


def test_container_that_somebody_else_started(node):
    """A container that an admin or its engine has started runs, and is stopped like any other."""
    start_by_hand(node)
    assert ocf.SUCCESS == node.act("monitor")
    assert ocf.SUCCESS == node.act("stop")
    assert ocf.NOT_RUNNING == node.act("monitor")
    assert () == process.find(lambda arguments: str(node.binary) in arguments, containers=True)


def test_container_without_a_control_group(node):
    """It is known by its main process, though its control group does not name it."""
    node.engine.say("no-cgroup")
    start_by_hand(node)
    assert ocf.SUCCESS == node.act("monitor")
    assert ocf.SUCCESS == node.act("start")
    assert ocf.SUCCESS == node.act("stop")
    assert () == process.find(lambda arguments: str(node.binary) in arguments, containers=True)


def test_nova_compute_in_another_container(node, capsys):
    """A container is not started beside another one in which this host's nova-compute runs already."""
    foreign = {**os.environ, APART: "yes"}
    with subprocess.Popen([str(node.binary)], env=foreign) as other:
        try:
            assert ocf.ERR_GENERIC == node.act("start")
        finally:
            other.kill()
    assert f"nova-compute runs already as process {other.pid}, and" in capsys.readouterr().err
    assert "start nova_compute" not in node.engine.calls


def test_restart_policy(node, capsys):
    """A container that starts at boot is run, reported as degraded, and refused by a validation."""
    node.engine.say("policy", "unless-stopped")
    assert ocf.SUCCESS == node.act("start")
    assert "WARNING: container nova_compute has the restart policy unless-stopped; run: " in node.log()
    assert ocf.DEGRADED == node.act("monitor", OCF_CHECK_LEVEL="10")
    since = " (from podman 5.1 on)" if node.engine.name == "podman" else ""
    mend = f"run: {node.engine.name} update --restart=no nova_compute{since}, or make it anew; else"
    assert mend in capsys.readouterr().err
    assert ocf.ERR_ARGS == node.act("validate-all", OCF_CHECK_LEVEL="10")


@pytest.mark.parametrize("unit", ["kolla-nova_compute-container", "container-nova_compute"])
def test_unit_that_starts_the_container(node, capsys, unit):
    """An enabled unit that starts the container at boot is reported as degraded."""
    wants = node.engine.folder / "default.target.wants"
    wants.mkdir()
    (wants / f"{unit}.service").symlink_to("/no/such/unit")
    node.act("start")
    assert ocf.DEGRADED == node.act("monitor", OCF_CHECK_LEVEL="10")
    assert f"{unit}.service is enabled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "code", "line"),
    [
        ({"OCF_RESKEY_container": "typo"}, 5, "container=typo: {0} has no such container on this node"),
        (
            {"OCF_RESKEY_config": "/etc/nova/nova.conf"},
            6,
            "run_as={0}: what Nova calls this host is unknown; set host",
        ),
        ({"OCF_RESKEY_host": "compute-7"}, 2, "Nova calls this host 'compute-7'"),
    ],
)
def test_what_is_wrong(node, capsys, more, code, line):
    """A container that is not there, or whose Nova host is unknown or another, is not started."""
    assert code == node.act("start", **more)
    assert f"ocf-exit-reason:{line.format(node.engine.name)}" in capsys.readouterr().err
    assert "start nova_compute" not in node.engine.calls


def test_engine_that_is_not_there(node, monkeypatch, capsys):
    """A node without the engine cannot run it, and a probe there says so without asking."""
    # The machine that runs this test may have a podman.
    monkeypatch.setattr(runner, "_PATH", str(node.path))
    (node.path / node.engine.name).unlink()
    assert ocf.NOT_RUNNING == node.act("monitor")
    assert ocf.ERR_INSTALLED == node.act("start")
    said = f"run_as={node.engine.name}: cannot run {node.engine.name}: No such file"
    assert said in capsys.readouterr().err
