# SPDX-License-Identifier: Apache-2.0
"""The agent NovaEvacuate, with a stand-in for the evacuator's process."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keystoneauth1.session  # noqa: F401 (when urllib3 is imported it looks for IPv6, which the guard forbids in a test)
import pytest

from nova_ha import process, runner
from nova_ha.agents import nova_evacuate, ocf, rundir

CHECKOUT = Path(__file__).resolve().parents[3]
CLOUD = """\
clouds:
  lab:
    auth: {auth_url: "http://10.77.0.1:5000", username: admin, password: secret-word, project_name: admin}
"""
# A name of its own: the agent looks at every process of the machine, and tests may run side by side.
MODULE = f"stand_in_{os.getpid()}"
STAND_IN = """\
import json, os, sys, time
from nova_ha.agents.rundir import RunDirectory
directory = RunDirectory(sys.argv[1])
settings = json.load(sys.stdin)
{before}
with open(directory.path + "/seen", "w") as file:
    json.dump([settings, dict(os.environ), sys.argv], file)
directory.write_status("ok", "")
{after}
time.sleep(600)
"""


@pytest.fixture
def environ(tmp_path, monkeypatch):
    """Give an environment as Pacemaker makes it, with all folders in a temporary one."""
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(CLOUD, encoding="utf-8")
    clouds.chmod(0o600)
    monkeypatch.setenv("NOVA_HA_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{CHECKOUT}")
    monkeypatch.setattr(nova_evacuate, "PROGRAM", MODULE)
    (tmp_path / "pacemaker.log").touch()
    return {
        "HA_LOGFILE": str(tmp_path / "pacemaker.log"),
        "OCF_RESOURCE_INSTANCE": "nova-evacuate",
        "OCF_RESKEY_CRM_meta_timeout": "25000",
        "OCF_RESKEY_cloud": "lab",
        "OCF_RESKEY_clouds_yaml": str(clouds),
    }


@pytest.fixture
def act(environ, tmp_path, capsys):
    """Hand out a function that runs an action; whatever was started is gone afterwards."""
    stand_in(tmp_path)

    def run(action, **more):
        return ocf.run(nova_evacuate.NovaEvacuate, ["agent", action], {**environ, **more})

    yield run
    for daemon in runner._daemons:
        daemon.kill()
        daemon.wait()
    runner._daemons.clear()
    logger = logging.getLogger("nova_ha")
    for handler in logger.handlers[:]:
        handler.close()
        logger.removeHandler(handler)
    logger.propagate = True


def stand_in(tmp_path, before="", after=""):
    """Write the program that is started in place of the evacuator."""
    (tmp_path / f"{MODULE}.py").write_text(STAND_IN.format(before=before, after=after), encoding="utf-8")


def directory():
    """Return the runtime folder of the resource."""
    return rundir.of_instance("nova-evacuate")


pytestmark = [pytest.mark.real_subprocess, pytest.mark.real_time]


def test_life(act, capsys):
    """Stopped, started, started again, stopped and stopped again: each action says what is true."""
    assert ocf.NOT_RUNNING == act("monitor")
    assert ocf.SUCCESS == act("start")
    pid = directory().living()
    assert ocf.SUCCESS == act("monitor")
    assert ocf.SUCCESS == act("start")
    assert pid == directory().living()
    assert ocf.SUCCESS == act("stop")
    assert process.start_time(pid) is None
    assert ocf.NOT_RUNNING == act("monitor")
    assert ocf.SUCCESS == act("stop")
    assert "" == capsys.readouterr().err


def test_settings_are_seen_by_nobody(act, environ):
    """Settings reach the process on its standard input, and stand in neither arguments nor environment."""
    assert ocf.SUCCESS == act("start", OCF_RESKEY_password="hidden-word")
    deadline = time.monotonic() + 10
    seen = Path(directory().path, "seen")
    while not seen.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    settings, its_environ, arguments = json.loads(seen.read_text(encoding="utf-8"))
    assert ("lab", "hidden-word") == (settings["cloud"], settings["password"])
    assert "hidden-word" not in json.dumps([its_environ, arguments])
    assert [] == [name for name in its_environ if name.startswith("OCF_")]


def test_process_that_dies_while_starting(act, tmp_path, capsys):
    """A process that ends at once makes the start fail with its last words."""
    stand_in(tmp_path, before="sys.exit('cannot reach the moon')")
    assert ocf.ERR_GENERIC == act("start")
    assert "ended at once: cannot reach the moon" in capsys.readouterr().err
    assert ocf.NOT_RUNNING == act("monitor")


def test_process_that_never_begins(act, tmp_path, capsys):
    """A process that says nothing in time is ended, and the start fails."""
    stand_in(tmp_path, before="time.sleep(600)")
    assert ocf.ERR_GENERIC == act("start", OCF_RESKEY_CRM_meta_timeout="6000")
    assert "has not begun its work within 1 s" in capsys.readouterr().err
    assert () == process.find(lambda arguments: arguments[2:3] == (nova_evacuate.PROGRAM,))


def test_dead_process(act, capsys):
    """A process that was killed is told as not running, with its id; the next start brings up another."""
    act("start")
    pid = directory().living()
    os.kill(pid, signal.SIGKILL)
    runner._daemons[-1].wait()
    assert ocf.NOT_RUNNING == act("monitor")
    assert f"evacuator process {pid} has died" in capsys.readouterr().err
    assert ocf.SUCCESS == act("start")
    assert directory().living() not in (None, pid)


def test_degraded_process(act, capsys):
    """Troubles of the evacuator are shown with the resource, and do not end it."""
    act("start")
    directory().write_status("degraded", "Nova does not answer")
    assert ocf.DEGRADED == act("monitor")
    assert "ocf-exit-reason:Nova does not answer\n" == capsys.readouterr().err


def test_hanging_process(act, capsys):
    """A process without a sign of life for five minutes has failed."""
    act("start")
    long_ago = time.time() - 301
    os.utime(directory().status, (long_ago, long_ago))
    assert ocf.ERR_GENERIC == act("monitor")
    assert "hangs: no sign of life for 30" in capsys.readouterr().err


def test_process_without_a_status(act, capsys):
    """A process whose status has gone has failed."""
    act("start")
    Path(directory().status).unlink()
    assert ocf.ERR_GENERIC == act("monitor")
    assert "has never said how it is" in capsys.readouterr().err


@pytest.mark.parametrize("action", ["start", "stop"])
def test_process_of_an_agent_that_was_killed(act, action):
    """A process that no file names any more is found and ended, so that there is never a second one."""
    act("start")
    forgotten = directory().living()
    directory().forget()
    assert ocf.SUCCESS == act(action)
    assert process.start_time(forgotten) is None


def test_process_that_ignores_term(act, tmp_path):
    """A process that does not end by itself is killed within the time of the stop."""
    stand_in(tmp_path, before="import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    act("start")
    pid = directory().living()
    assert ocf.SUCCESS == act("stop", OCF_RESKEY_CRM_meta_timeout="16000")
    assert process.start_time(pid) is None


def test_locked_folder(act, capsys):
    """A process that holds the lock and looks like none of ours prevents the start of a second one."""
    directory().make()
    holder = subprocess.Popen(["flock", directory().lock, "sleep", "60"])
    try:
        deadline = time.monotonic() + 10
        while not Path(directory().lock).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)
        assert ocf.ERR_GENERIC == act("start")
        assert f"another evacuator process holds {directory().lock}" in capsys.readouterr().err
    finally:
        subprocess.run(["pkill", "-P", str(holder.pid)], check=False)
        holder.kill()
        holder.wait()


def test_stop_needs_no_valid_parameter(act):
    """A resource whose parameters were broken while it ran can be stopped."""
    act("start")
    assert ocf.SUCCESS == act("stop", OCF_RESKEY_insecure="maybe", OCF_RESKEY_cloud="")
    assert directory().living() is None


def test_start_with_a_bad_parameter(act, capsys):
    """A start with a bad parameter starts nothing."""
    assert ocf.ERR_CONFIGURED == act("start", OCF_RESKEY_insecure="maybe")
    assert not Path(directory().path).exists()
    assert "insecure=maybe" in capsys.readouterr().err


def test_runtime_files_are_for_root_alone(act):
    """Nobody else may look into the runtime folder."""
    act("start")
    assert 0o700 == Path(directory().path).stat().st_mode & 0o777
    assert 0o600 == Path(directory().status).stat().st_mode & 0o777


def test_as_pacemaker_calls_it(environ, tmp_path):
    """The executable itself, called as a process, answers the monitor of a stopped resource with 7."""
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "agents/NovaEvacuate"), "monitor"],
        env={**environ, "PYTHONPATH": str(CHECKOUT), "NOVA_HA_RUN": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (7, "", "") == (done.returncode, done.stdout, done.stderr)
