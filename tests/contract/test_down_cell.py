# SPDX-License-Identifier: Apache-2.0
"""A cell whose database cannot be reached: empty lists that mean nothing (nova.md 0.8)."""

from __future__ import annotations

import pytest

from nova_ha.errors import AmbiguousAnswer, NovaError, UntrustworthyAnswer
from tests.contract.cloud import HOSTS, MARKER

pytestmark = pytest.mark.contract

SOURCE = HOSTS[0]


def test_services_are_unknown(cloud):
    """Its services are still listed, but nothing is known of them."""
    cloud.shut_cell(True)
    services = cloud.nova.services()
    assert sorted(service.host for service in services) == list(HOSTS)
    assert {(service.status, service.state, service.is_known) for service in services} == {
        ("UNKNOWN", None, False)
    }


def test_lists_are_empty(cloud):
    """Its servers and evacuation records are silently missing from the lists."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.evacuate(server_id)
    cloud.shut_cell(True)
    assert cloud.nova.servers(SOURCE) == ()
    assert cloud.nova.evacuations(SOURCE) == ()
    cloud.shut_cell(False)
    assert len(cloud.nova.evacuations(SOURCE)) == 1


def test_a_server_is_not_shown_in_full(cloud):
    """Of one of its servers Nova shows too little to conclude anything."""
    server_id = cloud.add_server(SOURCE)
    cloud.shut_cell(True)
    with pytest.raises(UntrustworthyAnswer):
        cloud.nova.server(server_id)


def test_a_service_cannot_be_changed(cloud):
    """Nova cannot be told that one of its hosts is down, by an id known from before either."""
    service = cloud.service(SOURCE)
    cloud.shut_cell(True)
    with pytest.raises(NovaError):
        cloud.nova.tell_down(service, MARKER)
    with pytest.raises(NovaError):
        cloud.nova.tell_down(cloud.service(SOURCE), MARKER)
    cloud.shut_cell(False)
    assert not cloud.service(SOURCE).forced_down


def test_evacuate_is_ambiguous(cloud):
    """To evacuate one of its servers ends in a server error, after which anything may have happened."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    cloud.shut_cell(True)
    with pytest.raises(AmbiguousAnswer):
        cloud.nova.evacuate(server_id, None)
    cloud.shut_cell(False)
    assert cloud.records(server_id, SOURCE) == ()
