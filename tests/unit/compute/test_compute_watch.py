# SPDX-License-Identifier: Apache-2.0
"""NovaCompute's monitor at level 10, with a stand-in for nova-compute that has a connection and a log."""

from __future__ import annotations

import json
import os
import socket
import threading
import time

import pytest

from nova_ha import process
from nova_ha.agents import ocf
from nova_ha.compute import compute_health, compute_watch
from tests.unit.compute.compute_node import Node, clean_up

NOVA_COMPUTE = """#!/usr/bin/python3
import socket, time
connection = socket.create_connection(("127.0.0.1", {port}))
log = open("{log}", "a")
time.sleep(600)
"""
CONF = """\
[DEFAULT]
host = compute-0
transport_url = rabbit://nova:{password}@127.0.0.1:{port}/
"""
PASSWORD = "q7-swordfish"
HEARTBEAT = "INFO nova.compute.resource_tracker Final resource view: name=compute-0\n"
THOROUGH = {"OCF_CHECK_LEVEL": "10"}

pytestmark = [pytest.mark.real_subprocess, pytest.mark.real_time, pytest.mark.loopback]


class Broker:
    """A RabbitMQ that greets, and closes its connections when told."""

    def __init__(self):
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.callers = []
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        """Greet whoever says something."""
        while True:
            try:
                caller, _ = self.door.accept()
            except OSError:
                return
            self.callers.append(caller)
            caller.settimeout(0.5)
            try:
                if caller.recv(8):
                    caller.sendall(b"\x01")
            except OSError:
                pass

    def hang_up(self):
        """Close every connection."""
        for caller in self.callers:
            caller.close()
        self.callers.clear()

    def close(self):
        """End it. Idempotent."""
        self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()
        self.thread.join()
        self.hang_up()


@pytest.fixture
def broker():
    """Give a broker."""
    found = Broker()
    yield found
    if found.door.fileno() >= 0:
        found.close()


@pytest.fixture
def node(tmp_path, monkeypatch, broker):
    """Give a compute node whose nova-compute has been started and looked at once."""
    monkeypatch.setattr(compute_health, "RECONNECT", 0.1)
    found = Node(tmp_path, monkeypatch)
    found.novas_log = tmp_path / "nova-compute.log"
    found.program(
        text=NOVA_COMPUTE.replace("{port}", str(broker.port)).replace("{log}", str(found.novas_log))
    )
    found.config.write_text(CONF.format(port=broker.port, password=PASSWORD), encoding="utf-8")
    found.parameters = {"OCF_RESKEY_log_silence": "200ms"}
    monkeypatch.setattr("nova_ha.agents.nova_compute._SURVIVAL", 1.0)
    assert ocf.SUCCESS == found.act("start")
    assert ocf.SUCCESS == look(found)
    yield found
    clean_up()


def look(node, pause=0.2, **more):
    """Run the monitor at level 10 after a while."""
    time.sleep(pause)
    return node.act("monitor", **THOROUGH, **more)


def test_healthy(node, capsys):
    """A nova-compute with a connection is healthy, however often it is looked at."""
    assert [ocf.SUCCESS] * 3 == [look(node) for _ in range(3)]
    assert "" == capsys.readouterr().err
    memory = json.loads((node.path / "run/nova-compute:0/health").read_text(encoding="utf-8"))
    assert memory["connected"]


def test_lost_connection(node, broker, capsys):
    """One that does not connect again though the broker answers is unhealthy; nobody learns the password."""
    broker.hang_up()
    assert ocf.SUCCESS == look(node)
    assert ocf.ERR_GENERIC == look(node)
    said = capsys.readouterr().err
    assert said.startswith("ocf-exit-reason:nova-compute has had no connection to RabbitMQ for ")
    assert f"though 127.0.0.1:{broker.port} answers" in said
    texts = [path.read_text(encoding="utf-8") for path in (node.path / "run").rglob("*") if path.is_file()]
    assert PASSWORD not in "".join((said, node.log(), *texts))
    assert ocf.SUCCESS == node.act("monitor")


def test_broker_that_is_away(node, broker):
    """While no broker answers, nova-compute cannot be connected, and is left alone."""
    broker.close()
    assert [ocf.SUCCESS] * 4 == [look(node) for _ in range(4)]


def test_restarted_nova_compute(node, broker):
    """Of a new process nothing is held against it that the one before has lost."""
    broker.hang_up()
    look(node)
    assert ocf.ERR_GENERIC == look(node)
    assert ocf.SUCCESS == node.act("stop")
    assert ocf.SUCCESS == node.act("start")
    assert ocf.SUCCESS == look(node)
    assert ocf.SUCCESS == look(node)


def write_log(node, text):
    """Have nova-compute write into its log."""
    with node.novas_log.open("a", encoding="utf-8") as file:
        file.write(text)


def test_silent_log(node, capsys):
    """A log that was written regularly and is silent now means that nova-compute hangs; 0: never."""
    for _ in range(3):
        write_log(node, HEARTBEAT)
        assert ocf.SUCCESS == look(node, 0.05)
    outcomes = [look(node, 0.5) for _ in range(3)]
    assert ocf.ERR_GENERIC == outcomes[-1]
    assert "nova-compute hangs: nothing new in its log for " in capsys.readouterr().err
    assert ocf.SUCCESS == look(node, OCF_RESKEY_log_silence="0")
    write_log(node, "ERROR oslo.messaging: conductor is away\n")
    assert ocf.SUCCESS == look(node, 0.0)


def test_rotated_log(node, capsys):
    """The log is the file that nova-compute has open, under whatever name."""
    node.novas_log.rename(node.path / "nova-compute.log.1")
    node.novas_log.touch()
    node.novas_log = node.path / "nova-compute.log.1"
    test_silent_log(node, capsys)


def test_named_log(node, tmp_path):
    """A log that nova-compute does not have open itself is looked at if it is named and there."""
    other = tmp_path / "collected.log"
    other.touch()
    assert {str(other)} == set(compute_watch.open_logs((), str(other)).values())
    assert {} == compute_watch.open_logs((), str(tmp_path / "none"))
    assert ocf.SUCCESS == look(node, OCF_RESKEY_log_file=str(other))


def test_log_of_another_level(node):
    """A log without a sign of life, as with another log level, says nothing."""
    for _ in range(3):
        write_log(node, "INFO nova.compute.manager: a server was started\n")
        look(node, 0.05)
    assert [ocf.SUCCESS] * 3 == [look(node, 0.4) for _ in range(3)]


def test_wedged(node, capsys):
    """A nova-compute of which the evacuator says that it is wedged is unhealthy until it is restarted."""
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    node.attribute(f"{later} no heartbeat in Nova since 2026-11-22T06:38:10Z")
    assert ocf.ERR_GENERIC == look(node)
    assert (
        f"ocf-exit-reason:nova-compute is wedged, says the evacuator at {later}: no heartbeat in Nova since"
        in capsys.readouterr().err
    )
    assert ocf.SUCCESS == node.act("monitor")
    node.act("stop")
    # The machine's clock is behind: by the times alone the new one would be condemned, too.
    node.act("start")
    assert ocf.SUCCESS == look(node)
    node.attribute(f"{later} no heartbeat in Nova since 2026-11-22T06:41:10Z")
    assert ocf.ERR_GENERIC == look(node)


def test_wedged_in_the_past(node):
    """What was said of an earlier nova-compute does not count."""
    node.attribute("2020-01-01T00:00:00Z no heartbeat in Nova")
    assert ocf.SUCCESS == look(node)


def test_nothing_can_be_seen(node, monkeypatch):
    """A look that fails, and one that takes too long, leave nova-compute alone."""
    monkeypatch.setattr(compute_watch, "_LOOK", 0.2)
    node.install(node.path / "attrd_updater", "#!/bin/sh\nexec sleep 1\n")
    begin = time.monotonic()
    assert ocf.SUCCESS == look(node, 0)
    assert time.monotonic() - begin < 1
    assert "takes longer than " in node.log()
    monkeypatch.setattr(compute_watch.process, "family", {}.__getitem__)
    monkeypatch.setattr(compute_watch, "_LOOK", 5)
    node.attribute(None)
    assert ocf.SUCCESS == look(node, 0)
    assert "nova-compute cannot be looked at: KeyError" in node.log()
    time.sleep(1)


def test_bad_parameters_leave_nova_compute_alone(node):
    """A monitor whose parameters mean nothing does not take down what runs."""
    assert ocf.SUCCESS == look(node, OCF_RESKEY_log_silence="maybe")
    assert "nova-compute is not looked at: log_silence=maybe" in node.log()


def test_dead(node):
    """The thorough monitor of a dead nova-compute says that it does not run."""
    pid = node.pid
    os.kill(pid, 9)
    while process.start_time(pid) is not None:
        time.sleep(0.01)
    assert ocf.NOT_RUNNING == look(node)


def test_long_log(tmp_path, monkeypatch):
    """A heartbeat line on the border of two parts counts once; a log that was cut counts from its start."""
    monkeypatch.setattr(compute_watch, "_CHUNK", 50)
    path = tmp_path / "log"
    path.write_text(("x" * 33 + HEARTBEAT) * 20, encoding="utf-8")
    assert 20 == compute_watch._heartbeats(str(path), 0)
    assert 1 == compute_watch._heartbeats(str(path), path.stat().st_size - len(HEARTBEAT))
    assert 0 == compute_watch._heartbeats(str(path), path.stat().st_size)
    assert 20 == compute_watch._heartbeats(str(path), path.stat().st_size + 1)
