# SPDX-License-Identifier: Apache-2.0
"""The brokers of nova.conf, and nova-compute's connections to them, on this machine's own network."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from nova_ha.compute import brokers
from nova_ha.compute.brokers import Broker
from nova_ha.compute.nova_conf import NovaConf

TLS = {("oslo_messaging_rabbit", "ssl"): "True"}


def conf(url=None, more=()):
    """Return a nova.conf with this transport_url."""
    return NovaConf({**({} if url is None else {("DEFAULT", "transport_url"): url}), **dict(more)})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rabbit://nova:secret@10.0.0.1:5673/", [("10.0.0.1", 5673)]),
        ("rabbit://nova:p%40ss@a:1,nova:p%40ss@b/nova", [("a", 1), ("b", 5672)]),
        ("rabbit://nova:p@ss@[fd00::1]:5671/?ssl=0", [("fd00::1", 5671)]),
        ("kombu://h", [("h", 5672)]),
        ("rabbit://", [("localhost", 5672)]),
        (None, [("localhost", 5672)]),
        ("rabbit://u:p@h:nonsense/", [("h:nonsense", 5672)]),
        ("kombu+memory://", []),
        ("fake:/", []),
        ("nonsense", []),
    ],
)
def test_brokers_of_a_url(url, expected):
    """Host and port are taken from transport_url as oslo.messaging does, and nothing else."""
    found = brokers.of(conf(url))
    assert expected == [(broker.host, broker.port) for broker in found]
    assert "ss" not in "".join(map(str, found))


def test_references_and_tls():
    """transport_url may refer to other options; with TLS the broker is asked that way."""
    values = {("DEFAULT", "my_broker"): "10.0.0.9", **TLS}
    assert (Broker("10.0.0.9", 5671, tls=True),) == brokers.of(conf("rabbit://u:p@$my_broker:5671/", values))


@pytest.mark.parametrize(
    ("host", "address", "is_it"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("fd00::1", "fd00:0::1", True),
        ("rabbit.example.org", "10.0.0.2", True),
    ],
)
def test_whose_connection_it_is(host, address, is_it):
    """Address and port must fit; of a name, which may have had another address, only the port."""
    assert is_it == Broker(host, 5672).is_at(address, 5672)
    assert not Broker(host, 5672).is_at(address, 5673)


@pytest.mark.loopback
@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_connections_of_a_process(family, address):
    """A process is connected as long as its own socket is; that of another process does not count."""
    with listener(family, address) as door:
        broker = Broker(address, door.getsockname()[1])
        assert brokers.connected([os.getpid()], (broker,)) is False
        with socket.create_connection(door.getsockname()[:2]):
            assert brokers.connected([os.getpid()], (broker,)) is True
            assert brokers.connected([os.getpid()], (Broker(address, 1),)) is False
            assert brokers.connected([os.getppid()], (broker,)) is False
        assert brokers.connected([os.getpid()], (broker,)) is False


def test_a_process_that_cannot_be_seen():
    """Of a process that has ended, or has no network to look at, nothing is known or connected."""
    assert brokers.connected([2**22 + 1], (Broker("10.0.0.1", 5672),)) is False


def listener(family=socket.AF_INET, address="127.0.0.1"):
    """Return a listening socket of this machine."""
    door = socket.socket(family)
    door.bind((address, 0))
    door.listen()
    return door


def serve(door, answer):
    """Answer one connection in the background: with these bytes, or at once with its end."""

    def run():
        caller, _ = door.accept()
        with caller:
            if answer:
                assert b"AMQP\x00\x00\x09\x01" == caller.recv(8)
                caller.sendall(answer)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("answer", "is_broker"), [(b"\x01\x00\x00", True), (b"HTTP/1.1 400", False), (b"", False)]
)
def test_who_answers(answer, is_broker):
    """A broker greets in AMQP; a proxy that closes the connection, and another service, are none."""
    with listener() as door:
        broker = Broker(*door.getsockname())
        thread = serve(door, answer)
        assert (broker if is_broker else None) == brokers.answering((broker,))
        thread.join()


@pytest.mark.loopback
def test_nobody_answers():
    """A port where nobody listens, and a listener that hangs, are no broker; the next one is asked."""
    with listener() as hangs, listener() as door:
        closed = listener()
        gone = Broker(*closed.getsockname())
        closed.close()
        stuck, good = Broker(*hangs.getsockname()), Broker(*door.getsockname())
        assert brokers.answering((gone, stuck, Broker("127.0.0.1", -1)), patience=0.1) is None
        thread = serve(door, b"\x01")
        assert good == brokers.answering((gone, stuck, good), patience=0.1)
        thread.join()


@pytest.mark.loopback
def test_a_broker_with_tls_that_speaks_none():
    """A listener that does not speak TLS is no broker where one is expected."""
    with listener() as door:
        broker = Broker(*door.getsockname(), tls=True)
        assert brokers.answering((broker,), patience=0.1) is None
