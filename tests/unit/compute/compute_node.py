# SPDX-License-Identifier: Apache-2.0
"""A compute node in a temporary folder, for the tests of NovaCompute."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time

from nova_ha import process, runner
from nova_ha.agents import nova_compute, ocf

NODES = """<nodes><node id="compute-0" uname="compute-0" type="remote">
<instance_attributes id="nodes-compute-0">{}</instance_attributes></node></nodes>"""
FENCED = '<nvpair id="f" name="nova-ha-fenced" value="fenced 2026-11-22T06:40:12Z"/>'
EVACUATED = '<nvpair id="e" name="nova-ha-evacuated" value="2026-11-22T06:40:12Z"/>'
QUERY = "--name nova-ha-wedged --node compute-0 --query --output-as=xml"
#: Waits without starting processes: until they run their own program they would look like nova-compute.
STAND_IN = """#!/bin/sh
{before}
exec 3<>{never}
read -r nothing <&3
"""
WITH_WORKER = """#!/usr/bin/python3
import os, subprocess, sys, time
if "worker" not in sys.argv:
    subprocess.Popen([sys.argv[0], "worker"])
    subprocess.Popen(["sleep", "600"])
time.sleep(600)
"""


class Node:
    """A compute node in a temporary folder."""

    def __init__(self, path, monkeypatch):
        self.path = path
        self.monkeypatch = monkeypatch
        self.parameters = {}
        # A name of its own: the agent looks at every process of the machine, and tests may run side by side.
        self.binary = path / f"nova-compute-{os.getpid()}"
        self.never = path / "never"
        os.mkfifo(self.never)
        self.never.chmod(0o666)
        self.config = path / "nova.conf"
        self.configure()
        self.program()
        monkeypatch.setenv("NOVA_HA_RUN", str(path / "run"))
        monkeypatch.setattr(nova_compute, "_SURVIVAL", 0.2)
        monkeypatch.setattr(nova_compute, "_GATE_POLL", 0.1)
        monkeypatch.setattr(runner, "_PATH", f"{path}:{runner._PATH}")
        self.cib()
        self.attribute(None)
        (path / "pacemaker.log").touch()

    def program(self, before="", text=STAND_IN):
        """Install nova-compute; one that shall end is watched for as long as that may take."""
        if "exit" in before:
            self.monkeypatch.setattr(nova_compute, "_SURVIVAL", 10.0)
        self.install(self.binary, text.replace("{before}", before).replace("{never}", str(self.never)))

    def configure(self, more=""):
        """Write nova.conf, with these lines more."""
        self.config.write_text(f"[DEFAULT]\nhost = compute-0\n{more}\n", encoding="utf-8")

    def cib(self, attributes="", status=0):
        """Install a cibadmin that answers with these attributes."""
        (self.path / "nodes.xml").write_text(NODES.format(attributes), encoding="utf-8")
        self.install(
            self.path / "cibadmin",
            f"#!/bin/sh\n[ {status} = 0 ] || exit {status}\ncat {self.path}/nodes.xml\n",
        )

    def attribute(self, value):
        """Install an attrd_updater that answers with this value of nova-ha-wedged; None: there is none."""
        xml = self.path / "attribute.xml"
        answer = f'<attribute name="nova-ha-wedged" host="compute-0" value="{value}"/>'
        xml.write_text(f'<pacemaker-result>{answer}<status code="0"/></pacemaker-result>', encoding="utf-8")
        says = "exit 105" if value is None else f"cat {xml}"
        self.install(
            self.path / "attrd_updater",
            f'#!/bin/sh\n[ "$*" = "{QUERY}" ] || exit 64\n{says}\n',
        )

    def log(self):
        """Return what the agent has logged."""
        return (self.path / "pacemaker.log").read_text(encoding="utf-8")

    def act(self, action, **more):
        """Run an action as Pacemaker does."""
        environ = {
            "OCF_RESOURCE_INSTANCE": "nova-compute:0",
            "OCF_RESKEY_CRM_meta_timeout": "20000",
            "OCF_RESKEY_CRM_meta_on_node": "compute-0",
            "OCF_RESKEY_binary": str(self.binary),
            "OCF_RESKEY_config": str(self.config),
            "OCF_RESKEY_user": "root",
            "NOVA_HA_LOG": str(self.path / "log"),
            "HA_LOGFILE": str(self.path / "pacemaker.log"),
            **self.parameters,
            **more,
        }
        return ocf.run(nova_compute.NovaCompute, ["agent", action], environ)

    @property
    def pid(self):
        """Return the id of the remembered process, if it lives."""
        return process.living(str(self.path / "run/nova-compute:0/pid"))

    @staticmethod
    def install(path, text):
        """Install a program."""
        # Replaced, not rewritten: a program that runs cannot be written to.
        draft = path.with_suffix(".new")
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o755)
        draft.replace(path)

    def wait_until(self, action="monitor", code=ocf.SUCCESS):
        """Repeat an action until it ends with that code."""
        deadline = time.monotonic() + 10
        while self.act(action) != code and time.monotonic() < deadline:
            time.sleep(0.05)


def end_all(pids):
    """Kill processes, and wait until they are dead: one that is not yet would be found by the next test."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            kill(pid)


def clean_up():
    """Kill what a test has started, children too."""
    for daemon in runner._daemons:
        # Again until none is left: a child forked meanwhile looks like nova-compute until it runs its own
        # program, and the next test's start would adopt it.
        while family := [pid for pid in process.find(lambda _: True) if session(pid) == daemon.pid]:
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        daemon.kill()
        daemon.wait()
    runner._daemons.clear()
    logger = logging.getLogger("nova_ha")
    for handler in logger.handlers[:]:
        handler.close()
        logger.removeHandler(handler)
    logger.propagate = True


def kill(pid):
    """Kill a process that is not our child, and wait until it is dead."""
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while process.start_time(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)


def session(pid):
    """Return the session of a process."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def family_of(leader, size):
    """Return the processes of a session once there are as many."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = [pid for pid in process.find(lambda _: True) if session(pid) == leader]
        if len(found) >= size:
            return found
        time.sleep(0.05)
    raise AssertionError(found)
