# SPDX-License-Identifier: Apache-2.0
"""The only door to other processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from nova_ha import process
from nova_ha.runner import CommandFailed, Result, SystemRunner, environment, start_daemon

pytestmark = [pytest.mark.real_subprocess, pytest.mark.real_time]


def test_result_of_a_command():
    """Exit status, output and complaints of a command are kept apart."""
    done = SystemRunner().run("sh", "-c", "echo out; echo err >&2; exit 3")
    assert (3, "out\n", "err\n") == (done.returncode, done.stdout, done.stderr)


def test_arguments_are_not_read_by_a_shell():
    """Blanks and shell characters in an argument reach the command as they are."""
    assert "a b;$HOME\n" == SystemRunner().run("echo", "a b;$HOME").stdout


def test_a_command_that_does_not_end_is_killed():
    """A command that takes longer than its time fails, and says which and how long."""
    with pytest.raises(CommandFailed, match=r"sleep did not end within 0\.1 s"):
        SystemRunner().run("sleep", "30", timeout=0.1)


def test_a_command_that_does_not_exist():
    """A missing command is told by name."""
    with pytest.raises(CommandFailed, match="cannot run no-such-tool: No such file"):
        SystemRunner().run("no-such-tool")


def test_children_do_not_inherit_parameters(monkeypatch):
    """Children see Pacemaker's settings, and neither passwords nor the admin's language."""
    monkeypatch.setenv("OCF_RESKEY_password", "secret-word")
    monkeypatch.setenv("OS_PASSWORD", "secret-word")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("PCMK_ipc_type", "shared-mem")
    printed = SystemRunner().run("env").stdout
    assert "secret-word" not in printed
    assert {"LC_ALL=C", "PCMK_ipc_type=shared-mem"} <= set(printed.split())


def test_path_is_the_systems(monkeypatch):
    """Tools are looked for in the system's folders, whatever PATH says."""
    monkeypatch.setenv("PATH", "/tmp/evil")
    assert "/usr/sbin:/usr/bin:/sbin:/bin" == environment()["PATH"]


def test_complaint_is_one_line():
    """A complaint of several lines becomes one; without any, the output tells."""
    assert "first; second" == Result(("x",), 1, "", "first\n\n second\n").complaint
    assert "printed" == Result(("x",), 1, "printed\n", "").complaint


def test_daemon_has_a_session_of_its_own(tmp_path):
    """A daemon is in no session or process group that Pacemaker could kill with the agent."""
    output = tmp_path / "output"
    daemon = start_daemon(("sh", "-c", "ps -o sid= -p $$; exec sleep 30"), output)
    try:
        deadline = time.monotonic() + 10
        while not output.read_text(encoding="utf-8").strip() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert str(daemon.pid) == output.read_text(encoding="utf-8").strip()
        assert os.getsid(0) != os.getsid(daemon.pid)
    finally:
        daemon.kill()
        daemon.wait()


def test_daemon_that_does_not_exist(tmp_path):
    """A daemon that cannot be started is told by name."""
    with pytest.raises(CommandFailed, match="cannot start /no/such: No such file"):
        start_daemon(("/no/such",), tmp_path / "output")


def test_recycled_process_id_is_not_mistaken(tmp_path):
    """A process counts as the remembered one only if it started at the same moment."""
    path = str(tmp_path / "pid")
    process.write_pid_file(path, os.getpid())
    assert os.getpid() == process.living(path)
    Path(path).write_text(f"{os.getpid()} 1\n", encoding="utf-8")
    assert process.living(path) is None


@pytest.mark.parametrize("text", ["", "x\n", "12\n", "a b\n"])
def test_nonsense_in_a_pid_file(tmp_path, text):
    """A file that was cut short or written by others names no process."""
    path = tmp_path / "pid"
    path.write_text(text, encoding="utf-8")
    assert process.read_pid_file(str(path)) is None


def test_zombie_does_not_live(tmp_path):
    """A process that has ended and was not waited for does not live."""
    daemon = start_daemon(("true",), tmp_path / "output")
    deadline = time.monotonic() + 10
    while process.start_time(daemon.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert Path(f"/proc/{daemon.pid}").exists()
    assert process.start_time(daemon.pid) is None
    daemon.wait()


def test_process_that_ignores_term_is_killed(tmp_path):
    """A process that does not end when it is asked to is killed after the patience is over."""
    daemon = start_daemon(
        ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"), tmp_path / "o"
    )
    deadline = time.monotonic() + 10
    while not (tmp_path / "o").read_text(encoding="utf-8") and time.monotonic() < deadline:
        time.sleep(0.02)
    begin = time.monotonic()
    assert () == process.end((daemon.pid,), patience=0.3)
    assert time.monotonic() - begin >= 0.3
    assert -9 == daemon.wait()
