# SPDX-License-Identifier: Apache-2.0
"""The guard keeps a test from the network, other processes, waiting, and files outside of its folders."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from time import sleep as sleep_by_another_name

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "address", [("192.0.2.1", 80), ("127.0.0.1", 80), ("localhost", 80)], ids=["far", "near", "name"]
)
def test_connection_is_blocked(guard, address):
    """A connection is blocked before a packet leaves, also one to this machine."""
    with guard.expected("network"):
        socket.create_connection(address)


def test_datagram_is_blocked(guard):
    """A datagram, which needs no connection, is blocked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, guard.expected("network"):
        sender.sendto(b"", ("192.0.2.1", 53))


@pytest.mark.loopback
def test_loopback_marker_permits_this_machine_only(guard):
    """The loopback marker permits a connection inside of the machine and still none to another one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            assert server.getsockname() == client.getpeername()
        with guard.expected("network"):
            socket.create_connection(("192.0.2.1", 80))


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.run([sys.executable, "-c", ""], check=True),
        lambda: os.system("true"),
        lambda: os.posix_spawn("/bin/true", ["true"], {}),
        os.fork,
    ],
    ids=["subprocess", "system", "spawn", "fork"],
)
def test_process_is_blocked(guard, start):
    """Another process cannot be started, by whatever call."""
    with guard.expected("process"):
        start()


@pytest.mark.real_subprocess
def test_real_subprocess_marker_permits_processes(guard):
    """The real_subprocess marker permits another process, and still no sleep."""
    subprocess.run([sys.executable, "-c", ""], check=True)
    with guard.expected("time"):
        time.sleep(0.001)


def test_sleep_is_blocked(guard):
    """A real sleep is blocked."""
    with guard.expected("time"):
        time.sleep(0.001)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="only Python 3.11 and later tell of every sleep")
def test_sleep_by_another_name_is_blocked(guard):
    """A sleep that was imported under another name before the test began is blocked."""
    with guard.expected("time"):
        sleep_by_another_name(0.001)


@pytest.mark.real_time
def test_real_time_marker_permits_sleep():
    """The real_time marker lets time pass."""
    before = time.monotonic()
    time.sleep(0.01)
    assert time.monotonic() - before >= 0.01


def test_file_outside_is_blocked(guard):
    """A file or a folder outside of the checkout and of the temporary folder cannot be made."""
    with guard.expected("files"):
        Path("/var/lib/nova-ha-test").write_text("litter", encoding="utf-8")
    with guard.expected("files"):
        Path("/root/.novaclient").mkdir()


def test_home_is_not_the_real_one(tmp_path_factory):
    """What a library writes into the home folder ends in the folder of the test."""
    assert tmp_path_factory.getbasetemp() == Path.home()


SWALLOWS = '''
"""Sample."""
import time

def test_swallows():
    """Try to hide that it sleeps."""
    try:
        time.sleep(0.001)
    except BaseException:
        pass
'''


@pytest.mark.real_subprocess
def test_swallowed_block_fails_the_test(tmp_path):
    """A test that swallows the guard's exception fails all the same."""
    sample = tmp_path / "test_sample.py"
    sample.write_text(SWALLOWS, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        CHECKOUT / "pyproject.toml",
    ]
    command += ["-p", "tests.conftest", f"--basetemp={tmp_path}/base", sample]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert 1 == run.returncode, run.stdout + run.stderr
    assert "blocked: time" in run.stdout
