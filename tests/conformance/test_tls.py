# SPDX-License-Identifier: Apache-2.0
"""fence_compute and the certificates of Keystone and Nova: an untrusted server gets nothing."""

from __future__ import annotations

import subprocess

import pytest

from tests.conformance.fence_machine import complaint
from tests.conformance.loopback_cloud import PASSWORD, LoopbackCloud

pytestmark = [pytest.mark.conformance, pytest.mark.loopback]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Give the file of a certificate for localhost that is its own authority, with its key."""
    folder = tmp_path_factory.mktemp("certificate")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost -keyout key.pem -out certificate.pem"
    )
    subprocess.run(command.split(), cwd=folder, capture_output=True, check=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "certificate.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return str(both)


@pytest.fixture
def cloud(certificate):
    """Run a cloud with two compute hosts that speaks TLS."""
    with LoopbackCloud(("compute-0", "compute-1"), certificate) as running:
        yield running


def monitor(agent, cloud, **options):
    """Call the agent as an admin does."""
    access = {"auth_url": cloud.url, "username": "admin", "password": PASSWORD, "project_name": "admin"}
    return agent.by_hand(action="monitor", **{**access, **options})


def test_trusted(agent, cloud, certificate):
    """With the authority in cacert Keystone and Nova are asked."""
    assert 0 == monitor(agent, cloud, cacert=certificate).returncode
    assert ["POST /v3/auth/tokens", "GET /v2.1/os-services"] == [
        asked for asked in cloud.asked if not asked.startswith("GET /v3")
    ]


@pytest.mark.parametrize("insecure", [{}, {"insecure": "false"}, {"insecure": "0"}, {"insecure": "no"}])
def test_unknown_authority(agent, cloud, insecure):
    """A certificate of an unknown authority is refused in one line, also where insecure says no."""
    said = complaint(monitor(agent, cloud, **insecure))
    assert f"{cloud.url}: its certificate is from an authority that is not trusted here (self" in said
    assert [] == cloud.asked


def test_other_name(agent, cloud, certificate):
    """A certificate for another name is refused in one line."""
    url = cloud.url.replace("localhost", "127.0.0.1")
    said = complaint(monitor(agent, cloud, auth_url=url, cacert=certificate))
    assert f"{url}: its certificate is for another name (" in said
    assert [] == cloud.asked


def test_no_tls(agent, cloud, certificate):
    """TLS with a server that speaks none is refused in one line."""
    with LoopbackCloud(("compute-0",)) as plain:
        url = plain.url.replace("http://127.0.0.1", "https://localhost")
        said = complaint(monitor(agent, cloud, auth_url=url, cacert=certificate))
    assert f"{url}: it does not speak TLS" in said


@pytest.mark.parametrize("word", ["1", "true", "yes"])
def test_insecure(agent, cloud, word):
    """Whoever says so talks to anybody."""
    assert 0 == monitor(agent, cloud, insecure=word).returncode
    assert cloud.asked
