# SPDX-License-Identifier: Apache-2.0
"""Credentials and versions, as a real Keystone's middleware and a real Nova's policy see them."""

from __future__ import annotations

import pytest

from nova_ha.errors import AccessDenied, ConfigurationError
from nova_ha.openstack import nova
from nova_ha.openstack.nova import connect
from tests.contract.cloud import HOSTS, MARKER

pytestmark = pytest.mark.contract


def test_a_wrong_password(embedded):
    """A wrong password is an error of the configuration, not trouble that passes."""
    with pytest.raises(AccessDenied, match="check user, password, project"):
        connect(embedded.settings(password="guessed")).services()


def test_a_user_without_the_role(embedded):
    """A user without the role admin is told which role is missing, at each kind of call."""
    member = connect(embedded.settings("member"))
    service = embedded.service(HOSTS[0])
    for call in (
        member.services,
        lambda: member.servers(HOSTS[0]),
        lambda: member.evacuations(HOSTS[0]),
        lambda: member.tell_down(service, MARKER),
    ):
        with pytest.raises(AccessDenied, match="role admin"):
            call()


def test_another_users_server(embedded):
    """To a user without the role another one's server does not exist."""
    server_id = embedded.add_server(HOSTS[0])
    assert connect(embedded.settings("member")).server(server_id) is None


def test_a_token_that_was_revoked(embedded):
    """A token that is worth nothing any more is replaced by a new one, unnoticed."""
    client = connect(embedded.settings())
    before = client.services()
    embedded.process.call("revoke_tokens")
    assert [service.host for service in client.services()] == [service.host for service in before]


def test_a_microversion_that_nova_does_not_know(embedded, monkeypatch):
    """A Nova that is too old for the microversion is named as the reason."""
    monkeypatch.setattr(nova, "MICROVERSION", "2.96")
    client = connect(embedded.settings())
    client._reads.api_version.ver_minor = client._reads.client.api_version.ver_minor = 9999
    with pytest.raises(ConfigurationError, match="is needed"):
        client.services()


@pytest.mark.parametrize(
    "others", [{"region_name": "Elsewhere"}, {"interface": "internal", "region_name": "X"}]
)
def test_an_endpoint_that_is_missing(embedded, others):
    """A region that the catalog does not have is named, with those that it has."""
    with pytest.raises(ConfigurationError, match=r"only: .*RegionOne"):
        connect(embedded.settings(**others)).services()
