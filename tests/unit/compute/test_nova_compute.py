# SPDX-License-Identifier: Apache-2.0
"""The agent NovaCompute, with a stand-in for nova-compute and one for cibadmin."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import pytest

from nova_ha import process, runner
from nova_ha.agents import ocf
from nova_ha.compute import compute_checks
from tests.unit.compute.compute_node import EVACUATED, FENCED, WITH_WORKER, Node, clean_up, family_of

pytestmark = [pytest.mark.real_subprocess, pytest.mark.real_time]


@pytest.fixture
def node(tmp_path, monkeypatch):
    """Give a compute node: its folders, nova-compute, nova.conf and Pacemaker."""
    return Node(tmp_path, monkeypatch)


@pytest.fixture(autouse=True)
def _nothing_stays():
    """Kill what a test has started, children too."""
    yield
    clean_up()


def test_life(node, capsys):
    """Stopped, started, started again, stopped and stopped again: each action says what is true."""
    assert ocf.NOT_RUNNING == node.act("monitor")
    assert ocf.SUCCESS == node.act("start")
    pid = node.pid
    assert ocf.SUCCESS == node.act("monitor")
    assert ocf.SUCCESS == node.act("start")
    assert pid == node.pid
    assert ocf.SUCCESS == node.act("stop")
    assert process.start_time(pid) is None
    assert ocf.NOT_RUNNING == node.act("monitor")
    assert ocf.SUCCESS == node.act("stop")
    assert "" == capsys.readouterr().err


def test_start_waits_for_the_recovery(node):
    """While a recovery of this host is open nova-compute does not start; once it is complete it does."""
    node.cib(FENCED)
    marker = node.path / "recovered"
    node.install(
        node.path / "cibadmin",
        f"#!/bin/sh\n[ -e {marker} ] && sed 's|</inst|{EVACUATED}</inst|' {node.path}/nodes.xml && exit\n"
        f"touch {marker}; cat {node.path}/nodes.xml\n",
    )
    assert ocf.SUCCESS == node.act("start")
    assert marker.exists()
    log = (node.path / "pacemaker.log").read_text(encoding="utf-8")
    assert "INFO: nova-compute waits: the recovery of compute-0, fenced 2026-11-22T06:40:12Z, is not" in log
    assert f"INFO: nova-compute started, process {node.pid}" in log


@pytest.mark.parametrize(
    ("attributes", "status", "reason"),
    [
        (FENCED, 0, "the recovery of compute-0, fenced 2026-11-22T06:40:12Z, is not complete"),
        (FENCED + EVACUATED.replace("06:40", "05:00"), 0, "is not complete"),
        ("", 102, "it is unknown whether a recovery of compute-0 is open: cibadmin failed"),
        ("<broken", 0, "it is unknown whether a recovery of compute-0 is open"),
    ],
)
def test_start_gives_up_in_time(node, capsys, attributes, status, reason):
    """When the action's time is nearly over the start fails and says why; nothing was started."""
    node.cib(attributes, status)
    assert ocf.ERR_GENERIC == node.act("start", OCF_RESKEY_CRM_meta_timeout="10500")
    assert reason in capsys.readouterr().err.splitlines()[-1]
    assert () == process.find(lambda arguments: str(node.binary) in arguments)


@pytest.mark.parametrize("attributes", ["", FENCED + EVACUATED, EVACUATED])
def test_start_with_no_open_recovery(node, attributes):
    """Without a record, or with one that is marked complete, nova-compute starts."""
    node.cib(attributes)
    assert ocf.SUCCESS == node.act("start")


def test_nova_compute_that_ends_at_once(node, capsys):
    """A nova-compute that cannot run makes the start fail with its last line."""
    node.program(before="echo 'ERROR nova: no hypervisor' >&2; exit 3")
    assert ocf.ERR_GENERIC == node.act("start")
    assert "nova-compute ended at once, exit status 3: ERROR nova: no hypervisor" in capsys.readouterr().err
    assert ocf.NOT_RUNNING == node.act("monitor")


@pytest.mark.parametrize("host", ["", "compute-0"])
def test_arguments_that_no_shell_would_take(node, capsys, host):
    """A quotation that is not closed is told in one line, and starts nothing."""
    parameters = {
        "OCF_RESKEY_additional_parameters": "--it's",
        "OCF_RESKEY_config": "",
        "OCF_RESKEY_host": host,
    }
    assert ocf.SUCCESS != node.act("start", **parameters)
    said = capsys.readouterr().err
    assert "additional_parameters=--it's: No closing quotation; write it as for a shell" in said
    assert "Traceback" not in said
    assert node.pid is None


def test_nova_compute_that_ends_without_a_word(node, capsys):
    """One that has said nothing, as its own log has it, is told with the place of that log."""
    node.configure("log_dir = /var/log/nova\nlog_file = own.log")
    node.program(before="exit 1")
    assert ocf.ERR_GENERIC == node.act("start")
    said = "nova-compute ended at once, exit status 1; look at /var/log/nova/own.log"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "parameters", "places"),
    [
        ("", {}, "{output}"),
        ("log_file = /var/log/nova/own.log", {}, "/var/log/nova/own.log, or in {output}"),
        ("", {"OCF_RESKEY_log_file": "/srv/own.log"}, "/srv/own.log, or in {output}"),
        ("log_dir = $nowhere", {}, "{output}"),
        ("", {"OCF_RESKEY_start_wait": "soon"}, "{output}"),
        ("", {"OCF_RESKEY_additional_parameters": "--it's", "OCF_RESKEY_config": ""}, "{output}"),
    ],
)
def test_dead_nova_compute(node, capsys, options, parameters, places):
    """A nova-compute that died is told as not running, with where to look, however wrong a parameter is."""
    node.configure(options)
    node.act("start")
    os.kill(node.pid, signal.SIGKILL)
    runner._daemons[-1].wait()
    assert ocf.NOT_RUNNING == node.act("monitor", **parameters)
    expected = places.format(output=node.path / "log/nova-compute.log")
    assert f"nova-compute has died; its last words are in {expected}\n" in capsys.readouterr().err


def test_stop_that_must_kill(node):
    """A nova-compute that ignores SIGTERM is killed, and the stop says success only after that."""
    node.program(before="trap '' TERM")
    node.act("start")
    pid = node.pid
    assert ocf.SUCCESS == node.act("stop", OCF_RESKEY_CRM_meta_timeout="16000")
    assert process.start_time(pid) is None


def test_stop_that_fails(node, capsys, monkeypatch):
    """A nova-compute that cannot be ended makes the stop fail, and stays remembered."""
    node.act("start")
    monkeypatch.setattr(process, "_signal", lambda *_: None)
    monkeypatch.setattr(process, "end", lambda pids, _patience: tuple(pids))
    assert ocf.ERR_GENERIC == node.act("stop")
    assert f"nova-compute (process {node.pid}) does not end" in capsys.readouterr().err
    assert ocf.SUCCESS == node.act("monitor")


def test_stop_leaves_guests_alone(node):
    """Workers of nova-compute end with it; other programs in its session, such as guests, go on."""
    node.program(text=WITH_WORKER)
    node.act("start")
    leader = node.pid
    family = family_of(leader, 3)
    assert ocf.SUCCESS == node.act("stop")
    left = [pid for pid in family if process.start_time(pid) is not None]
    assert [("sleep", "600")] == [process.command_line(pid) for pid in left]


def test_stop_needs_no_valid_parameter(node):
    """A resource whose parameters were broken while it ran can be stopped."""
    node.act("start")
    pid = node.pid
    assert ocf.SUCCESS == node.act("stop", OCF_RESKEY_verbose="maybe", OCF_RESKEY_user="nobody-knows")
    assert process.start_time(pid) is None


def test_forgotten_nova_compute_is_adopted(node):
    """A nova-compute that an agent started before it was killed is taken over, not started twice."""
    node.act("start")
    pid = node.pid
    (node.path / "run/nova-compute:0/pid").unlink()
    assert ocf.SUCCESS == node.act("start")
    assert pid == node.pid


def test_forgotten_nova_compute_is_stopped(node):
    """A nova-compute that an agent started before it was killed is found by the stop."""
    node.act("start")
    pid = node.pid
    (node.path / "run/nova-compute:0/pid").unlink()
    assert ocf.SUCCESS == node.act("stop")
    assert process.start_time(pid) is None


def test_foreign_nova_compute_is_refused(node, capsys):
    """A nova-compute that something else has started is neither touched nor joined by a second one."""
    foreign = runner.start_daemon((str(node.binary), "--by-hand"), node.path / "o")
    time.sleep(0.2)
    assert ocf.ERR_GENERIC == node.act("start")
    assert f"nova-compute runs already as process {foreign.pid}" in capsys.readouterr().err
    assert ocf.SUCCESS == node.act("stop")
    assert foreign.poll() is None


@pytest.mark.parametrize(("network", "code"), [(True, ocf.ERR_GENERIC), (False, ocf.SUCCESS)])
def test_nova_compute_in_a_container(node, monkeypatch, network, code):
    """One in a container is this host's if it has this host's network: then no second one is started."""
    foreign = runner.start_daemon((str(node.binary), "--in-a-container"), node.path / "o")
    time.sleep(0.2)
    monkeypatch.setattr(process, "is_apart", lambda pid: pid == foreign.pid)
    monkeypatch.setattr(process, "shares_network", lambda _: network)
    assert code == node.act("start")
    assert ocf.SUCCESS == node.act("stop")
    assert foreign.poll() is None


@pytest.mark.parametrize(
    ("name", "text", "code", "line"),
    [
        ("binary", "/no/such/nova-compute", 5, "binary=/no/such/nova-compute: "),
        ("config", "/no/such/nova.conf", 2, "config=/no/such/nova.conf: "),
        ("user", "nobody-knows", 5, "user=nobody-knows: "),
        ("verbose", "maybe", 6, "verbose=maybe: "),
    ],
)
@pytest.mark.parametrize("action", ["start", "validate-all"])
def test_bad_parameter(node, capsys, action, name, text, code, line):
    """A parameter that is wrong, or that this node cannot satisfy, gives one line and its exit status."""
    assert code == node.act(action, OCF_CHECK_LEVEL="10", **{f"OCF_RESKEY_{name}": text})
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"ocf-exit-reason:{line}")


def test_validation_of_the_parameters_alone(node):
    """At level 0 program and files need not be on this node."""
    assert 0 == node.act("validate-all", OCF_RESKEY_binary="/no/such", OCF_RESKEY_config="/no/such")


@pytest.mark.parametrize("host", ["compute-0", "compute-0.example.com", "COMPUTE-0", '"compute-0"'])
def test_names_that_agree(node, host):
    """A domain, capitals and quotes are no difference between Nova's and Pacemaker's name."""
    node.config.write_text(f"[DEFAULT]\nhost = {host}\n", encoding="utf-8")
    assert ocf.SUCCESS == node.act("start")


def test_names_that_differ(node, capsys):
    """When Nova and Pacemaker mean different hosts the start is refused: another host would be evacuated."""
    node.config.write_text("[DEFAULT]\nhost = compute-7\n", encoding="utf-8")
    assert ocf.ERR_ARGS == node.act("start")
    assert "Nova calls this host 'compute-7' and Pacemaker calls it 'compute-0'" in capsys.readouterr().err


CHECKOUT = Path(__file__).resolve().parents[3]


def test_other_user(node, tmp_path):
    """nova-compute runs with the rights and groups of its user, and with that user's home folder."""
    if os.geteuid() != 0:
        pytest.skip("only root may give a process to another user")
    node.program(before="id -u; id -g; id -G; echo $HOME")
    roots = {Path(tempfile.gettempdir()), CHECKOUT}
    # pytest and tox make them for their owner alone.
    for folder in (tmp_path, *tmp_path.parents):
        if roots.intersection(folder.parents):
            folder.chmod(folder.stat().st_mode | 0o055)
    if closed := [folder for folder in tmp_path.parents if folder.stat().st_mode & 0o001 == 0]:
        pytest.skip(f"no other user gets into {closed[0]}")
    assert ocf.SUCCESS == node.act("start", OCF_RESKEY_user="daemon")
    printed = (node.path / "log/nova-compute.log").read_text(encoding="utf-8").split()
    assert ["1", "1", "1", "/usr/sbin"] == printed


def test_pid_file_elsewhere(node):
    """The file with the process id may be anywhere."""
    path = node.path / "elsewhere/nova-compute.pid"
    assert ocf.SUCCESS == node.act("start", OCF_RESKEY_pid=str(path))
    assert path.exists()
    assert ocf.SUCCESS == node.act("monitor", OCF_RESKEY_pid=str(path))


def test_arguments():
    """Files and further arguments reach nova-compute; the usual file is left to Nova's own search."""
    settings = {"binary": "b", "config": "/x /y", "additional_parameters": "--log-file '/a b'"}
    expected = ("b", "--config-file", "/x", "--config-file", "/y", "--log-file", "/a b")
    assert expected == compute_checks.command(settings)
    settings = {"binary": "b", "config": "/etc/nova/nova.conf", "additional_parameters": None}
    assert ("b",) == compute_checks.command(settings)
