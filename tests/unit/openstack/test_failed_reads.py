# SPDX-License-Identifier: Apache-2.0
"""What a failure of a read becomes: repeated, or one clear line."""

from __future__ import annotations

import pytest
import requests

from nova_ha.errors import AccessDenied, ConfigurationError, NovaUnavailable, Retriable, StillInUse
from tests.unit.openstack import fake_cloud
from tests.unit.openstack.samples import SERVICE, UP, error, make_client


@pytest.mark.parametrize(
    "failure",
    [
        fake_cloud.refused(),
        fake_cloud.unknown_name(),
        fake_cloud.connect_timeout(),
        fake_cloud.read_timeout(),
        fake_cloud.dropped(),
        error("boom", 500),
        error("later", 503),
        error("too many", 429),
        (500, {"error": "a text where an object belongs"}),
        (200, b"<html>a proxy's page</html>", {"Content-Type": "text/html"}),
    ],
)
def test_read_that_failed_is_retriable(nova, cloud, waits, failure):
    """A read that failed in any way may be tried again, and its message is one line."""
    cloud.on("GET", "/os-services", failure)
    with pytest.raises(NovaUnavailable) as caught:
        nova.services()
    assert isinstance(caught.value, Retriable)
    assert "\n" not in str(caught.value)
    assert "list the services" in str(caught.value) or "GET /os-services" in str(caught.value)


def test_read_is_repeated_by_the_client(nova, cloud, waits):
    """A connection that breaks during a read is tried once more without anybody noticing."""
    cloud.on("GET", "/os-services", fake_cloud.dropped(), (200, {"services": [UP]}))
    assert 1 == len(nova.services())
    assert 1 == len(waits)


def test_read_that_is_denied(nova, cloud):
    """A role that does not suffice is a matter for a person."""
    cloud.on("GET", "/os-services", error("no", 403))
    with pytest.raises(AccessDenied, match="role admin"):
        nova.services()


def test_call_that_access_rules_do_not_cover(nova, cloud):
    """A token that Nova refuses though Keystone has just given it names the rule that may be missing."""
    path = "/servers/11111111-1111-1111-1111-111111111111/os-instance-actions"
    cloud.on("GET", path, error("The request you have made requires authentication.", 401))
    with pytest.raises(AccessDenied, match=r"do not cover GET /servers/\*/os-instance-actions,"):
        nova.attempts("11111111-1111-1111-1111-111111111111")


@pytest.mark.parametrize("call", ["services", "evacuate"])
def test_certificate_that_is_not_accepted(nova, cloud, call):
    """A certificate that is not accepted is an error of the configuration, told in one line."""
    reason = (
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)"
    )
    failure = requests.exceptions.SSLError(f"HTTPSConnectionPool(host='nova.example', port=443): {reason}")
    cloud.on("POST" if call == "evacuate" else "GET", "/servers/s1/action", failure)
    cloud.on("GET", "/os-services", failure)
    with pytest.raises(ConfigurationError) as caught:
        nova.services() if call == "services" else nova.evacuate("s1", None)
    said = str(caught.value)
    assert "http://nova.example: its certificate has expired; renew it" in said
    assert "\n" not in said
    assert "SSL" not in said


def test_wrong_password(nova, cloud):
    """Keystone's refusal names what to check."""
    cloud.on("POST", "/v3/auth/tokens", error("The request you have made requires authentication.", 401))
    with pytest.raises(AccessDenied, match="check user, password, project and domains"):
        nova.services()


def test_url_that_is_no_keystone(nova, cloud):
    """A URL where no Keystone is, is named by its option."""
    cloud.on("POST", "/v3/auth/tokens", error("Not Found", 404))
    with pytest.raises(ConfigurationError, match="auth_url"):
        nova.services()


def test_service_that_is_not_cleaned_up(nova, cloud):
    """Nova's refusal to clear forced_down before the host has cleaned up is retriable."""
    message = "Unable to force up host compute-0 as `done` evacuation migration records remain associated"
    cloud.on("PUT", f"/os-services/{SERVICE.id}", error(message, 400))
    with pytest.raises(StillInUse):
        nova.clear_forced_down(SERVICE)


@pytest.mark.parametrize("settings", [{"region_name": "RegionTwo"}, {"interface": "public"}])
def test_missing_endpoint(cloud, settings):
    """A region or interface that Keystone does not know is named, with what it knows."""
    with pytest.raises(ConfigurationError) as caught:
        make_client(cloud, **settings).services()
    assert next(f"{name}={value}" for name, value in settings.items()) in str(caught.value)
    assert "RegionOne internal" in str(caught.value)


def test_connection_trouble_reads_well(nova, cloud, waits):
    """The message of a connection that fails names the address and the reason, and no class of a library."""
    cloud.on("GET", "/os-services", fake_cloud.refused())
    with pytest.raises(NovaUnavailable) as caught:
        nova.services()
    wanted = "list the services: no connection to http://nova.example/v2.1/os-services?binary=nova-compute: "
    assert wanted + "Connection refused" == str(caught.value)
