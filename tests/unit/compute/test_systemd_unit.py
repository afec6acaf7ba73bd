# SPDX-License-Identifier: Apache-2.0
"""NovaCompute with run_as=systemd, with a stand-in for systemctl that starts a real process."""

from __future__ import annotations

import subprocess
import time

import pytest

from nova_ha import process
from nova_ha.agents import ocf
from nova_ha.compute import systemd_unit
from tests.unit.compute.compute_node import Node, clean_up, kill
from tests.unit.compute.fake_systemd import UNIT, Systemd

WITH_GUEST = """#!/bin/sh
sleep 600 &
exec 3<>{never}
read -r nothing <&3
"""

pytestmark = [pytest.mark.real_subprocess, pytest.mark.real_time]


@pytest.fixture
def node(tmp_path, monkeypatch):
    """Give a compute node whose nova-compute is a unit."""
    monkeypatch.setattr(systemd_unit, "_POLL", 0.05)
    found = Node(tmp_path, monkeypatch)
    found.parameters = {"OCF_RESKEY_run_as": "systemd", "OCF_RESKEY_config": "/etc/nova/nova.conf"}
    found.systemd = Systemd(found, monkeypatch)
    yield found
    found.systemd.clean_up()
    clean_up()


def test_life(node, capsys):
    """Stopped, started, started again, stopped and stopped again: each action says what is true."""
    assert ocf.NOT_RUNNING == node.act("monitor")
    assert ocf.SUCCESS == node.act("start")
    pid = node.pid
    assert ["daemon-reload", f"start --no-block {UNIT}"] == node.systemd.calls
    assert ocf.SUCCESS == node.act("monitor")
    assert ocf.SUCCESS == node.act("start")
    assert pid == node.pid
    assert ocf.SUCCESS == node.act("stop")
    assert [f"stop --no-block {UNIT}", "daemon-reload"] == node.systemd.calls
    assert process.start_time(pid) is None
    assert ocf.NOT_RUNNING == node.act("monitor")
    assert ocf.SUCCESS == node.act("stop")
    assert "" == capsys.readouterr().err


def test_monitors_ask_nobody(node):
    """Neither a probe, nor the monitor of a unit that runs or has died, starts a process."""
    node.act("monitor")
    assert not node.systemd.asked()
    node.act("start")
    assert node.systemd.calls
    assert ocf.SUCCESS == node.act("monitor")
    kill(node.pid)
    assert ocf.NOT_RUNNING == node.act("monitor")
    assert not node.systemd.asked()


def test_drop_in(node):
    """While Pacemaker runs the unit systemd neither restarts it nor cuts its shutdown short."""
    node.act("start")
    text = node.systemd.drop_in.read_text(encoding="utf-8")
    assert {"Restart=no", "TimeoutStopSec=200"} <= set(text.splitlines())
    assert 0o644 == node.systemd.drop_in.stat().st_mode & 0o777
    node.act("stop")
    assert not node.systemd.drop_in.exists()


def test_dead_unit(node, capsys):
    """A unit that died is told as not running, with where to look."""
    node.act("start")
    kill(node.pid)
    assert ocf.NOT_RUNNING == node.act("monitor")
    assert f"its last words are in the journal: journalctl --unit {UNIT}" in capsys.readouterr().err


def test_unit_that_ends_at_once(node, capsys):
    """A nova-compute that cannot run makes the start fail with its last line in the journal."""
    node.program(before="echo 'ERROR nova: no hypervisor' >&2; exit 3")
    node.systemd.say("rest", "failed")
    assert ocf.ERR_GENERIC == node.act("start")
    assert "exit-code, exit status 3: ERROR nova: no hypervisor" in capsys.readouterr().err
    assert "reset-failed nova-compute.service" in node.systemd.calls


def test_unit_that_leaves_something_behind(node, capsys):
    """A nova-compute that ended has failed, though systemd waits for what it left in the group."""
    node.program(before="echo 'ERROR nova: no hypervisor' >&2; exit 3")
    node.systemd.say("rest", "deactivating")
    assert ocf.ERR_GENERIC == node.act("start")
    assert "exit status 3: ERROR nova: no hypervisor" in capsys.readouterr().err


def test_unit_that_is_never_ready(node):
    """A unit that waits for its conductor (activating, Type=notify) counts as started as a process would."""
    node.systemd.say("busy", "activating")
    assert ocf.SUCCESS == node.act("start")


def test_unit_that_never_has_a_process(node, capsys, monkeypatch):
    """A unit that waits for others is given up in time."""
    monkeypatch.setattr("nova_ha.agents.nova_compute._START_MARGIN", 0.1)
    node.systemd.say("rest", "activating")
    node.program(before="exit 0")
    assert ocf.ERR_GENERIC == node.act("start", OCF_RESKEY_CRM_meta_timeout="1000")
    assert "has no process after " in capsys.readouterr().err


def test_masked_unit(node, capsys):
    """What systemctl says of a unit that it does not start is the exit reason."""
    node.systemd.say("masked")
    assert ocf.ERR_GENERIC == node.act("start")
    assert "failed: Failed to start nova-compute.service: Unit nova-compute.service is masked." in (
        capsys.readouterr().err
    )


def test_stop_that_must_kill(node):
    """A unit that does not stop is killed, and the stop says success only after that."""
    node.program(before="trap '' TERM")
    node.act("start")
    pid = node.pid
    assert node.systemd.calls
    assert ocf.SUCCESS == node.act("stop", OCF_RESKEY_CRM_meta_timeout="16000")
    assert f"kill --signal=SIGKILL {UNIT}" in node.systemd.calls
    assert process.start_time(pid) is None


@pytest.mark.parametrize(("mode", "code"), [("process", ocf.SUCCESS), ("control-group", ocf.ERR_GENERIC)])
def test_what_else_is_in_the_control_group(node, mode, code):
    """Only with KillMode=process may something be left in the unit's control group, and it is left alone."""
    node.program(text=WITH_GUEST)
    node.systemd.say("killmode", mode)
    node.act("start")
    deadline = time.monotonic() + 10
    while not (guests := guests_of(node)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert code == node.act("stop", OCF_RESKEY_CRM_meta_timeout="16000")
    assert process.start_time(guests[0]) is not None


def guests_of(node):
    """Return the processes that a stand-in for nova-compute has started."""
    pids = process.find(lambda arguments: ("sleep", "600") == arguments)
    return [pid for pid in pids if node.pid in parents(pid)]


def parents(pid):
    """Return a process's session and parent."""
    fields = process._stat(pid)
    return (int(fields[1]), int(fields[3])) if len(fields) > 3 else ()


@pytest.mark.parametrize("before", ["", "trap '' TERM"])
def test_stop_without_systemd(node, before):
    """When systemd does not answer nova-compute is ended without it, by force if need be."""
    node.program(before=before)
    node.act("start")
    pid = node.pid
    node.systemd.say("no-bus")
    assert ocf.SUCCESS == node.act("stop", OCF_RESKEY_CRM_meta_timeout="16000")
    assert process.start_time(pid) is None
    assert "Failed to connect to bus" in node.log()


def test_stop_that_fails(node, capsys, monkeypatch):
    """A nova-compute that cannot be ended makes the stop fail, and stays remembered."""
    node.act("start")
    node.systemd.say("no-bus")
    monkeypatch.setattr(process, "_signal", lambda *_: None)
    monkeypatch.setattr(process, "end", lambda pids, _patience: tuple(pids))
    assert ocf.ERR_GENERIC == node.act("stop", OCF_RESKEY_CRM_meta_timeout="16000")
    assert f"nova-compute (process {node.pid}) does not end" in capsys.readouterr().err
    assert ocf.SUCCESS == node.act("monitor")


def test_unit_that_somebody_else_started(node):
    """A unit that an admin or systemd has started runs, and is stopped like any other."""
    subprocess.run([str(node.path / "systemctl"), "start", "--no-block", UNIT], check=True)
    node.wait_until("monitor", ocf.SUCCESS)
    assert ocf.SUCCESS == node.act("monitor")
    assert ocf.SUCCESS == node.act("monitor", OCF_CHECK_LEVEL="10")
    assert (node.path / "run/nova-compute:0/health").exists()
    assert ocf.SUCCESS == node.act("start")
    assert node.systemd.calls
    assert ocf.SUCCESS == node.act("stop")
    assert ["daemon-reload", f"stop --no-block {UNIT}", "daemon-reload"] == node.systemd.calls
    assert ocf.NOT_RUNNING == node.act("monitor")


def test_process_outside_of_the_unit(node, capsys):
    """A nova-compute that somebody runs by hand keeps the unit from being started beside it."""
    with subprocess.Popen([str(node.binary)]) as foreign:
        time.sleep(0.2)
        assert ocf.ERR_GENERIC == node.act("start")
        assert f"nova-compute runs already as process {foreign.pid}" in capsys.readouterr().err
        foreign.kill()


def test_it_is_stopped_as_it_was_started(node):
    """With run_as=auto the unit that was started is the one that is watched and stopped."""
    auto = {"OCF_RESKEY_run_as": "auto", "OCF_RESKEY_binary": ""}
    node.act("start")
    node.systemd.install("openstack-nova-compute.service")
    assert ocf.SUCCESS == node.act("monitor", **auto)
    assert ocf.SUCCESS == node.act("stop", **auto)
    assert f"stop --no-block {UNIT}" in node.systemd.calls


def test_enabled_unit(node, capsys):
    """A unit that systemd starts at boot is run, reported as degraded, and refused by a validation."""
    node.systemd.enable()
    assert ocf.SUCCESS == node.act("start")
    said = "nova-compute.service is enabled; run: systemctl disable nova-compute; else"
    assert f"WARNING: {said}" in node.log()
    assert ocf.SUCCESS == node.act("monitor")
    assert "" == capsys.readouterr().err
    assert ocf.DEGRADED == node.act("monitor", OCF_CHECK_LEVEL="10")
    assert said in capsys.readouterr().err
    assert ocf.ERR_ARGS == node.act("validate-all", OCF_CHECK_LEVEL="10")
    assert "run: systemctl disable nova-compute" in capsys.readouterr().err


def test_name_of_the_unit_s_own_files(node, capsys):
    """The host's name is read from the files that the unit's command line names."""
    node.config.write_text("[DEFAULT]\nhost = compute-7\n", encoding="utf-8")
    assert ocf.ERR_ARGS == node.act("start")
    assert "Nova calls this host 'compute-7'" in capsys.readouterr().err
    other = node.path / "other.conf"
    other.write_text("[DEFAULT]\nhost = compute-0\n", encoding="utf-8")
    assert ocf.SUCCESS == node.act("start", OCF_RESKEY_config=str(other))


def test_unit_that_runs_a_script(node):
    """Of a unit that starts nova-compute by a script nothing is concluded about its files."""
    node.systemd.say("argv", "/etc/init.d/nova-compute systemd-start")
    unit = systemd_unit.SystemdUnit(str(node.path / "pid"), str(node.binary), "x", UNIT)
    assert () == unit.arguments()
    node.systemd.say("argv", f"/usr/bin/python3 {node.binary} --config-dir /x")
    assert (str(node.binary), "--config-dir", "/x") == unit.arguments()


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"OCF_RESKEY_unit": "nova-typo"}, "unit=nova-typo.service: no such unit on this node"),
        ({}, "run_as=systemd: systemd does not run this node"),
    ],
)
def test_what_is_not_there(node, capsys, monkeypatch, more, line):
    """A unit that is not installed, or a machine without systemd, is named."""
    if not more:
        monkeypatch.setattr("nova_ha.compute.units.BOOTED", "/no/such/folder")
    assert ocf.ERR_INSTALLED == node.act("start", **more)
    assert f"ocf-exit-reason:{line}" in capsys.readouterr().err
