# SPDX-License-Identifier: Apache-2.0
"""Nova's services: told down, read back, brought back (nova.md 1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nova_ha.errors import NotFound
from tests.contract.cloud import HOSTS, MARKER

pytestmark = pytest.mark.contract

SOURCE = HOSTS[0]


def test_every_compute_is_listed(cloud):
    """Every nova-compute is listed once, enabled and up, in its zone."""
    services = cloud.nova.services()
    assert sorted(service.host for service in services) == list(HOSTS)
    assert all(service.takes_servers and service.zone == "nova" and service.id for service in services)


def test_tell_down_is_seen_at_once(cloud):
    """One request makes a host that is still alive down, forced down, and disabled with our marker."""
    cloud.nova.tell_down(cloud.service(SOURCE), MARKER)
    service = cloud.service(SOURCE)
    assert (service.state, service.status, service.forced_down) == ("down", "disabled", True)
    assert service.disabled_reason == MARKER
    assert service.is_ours


def test_tell_down_twice(cloud):
    """To tell it again changes nothing and is no error."""
    cloud.nova.tell_down(cloud.service(SOURCE), MARKER)
    cloud.nova.tell_down(cloud.service(SOURCE), MARKER)
    service = cloud.service(SOURCE)
    assert (service.status, service.forced_down, service.disabled_reason) == ("disabled", True, MARKER)


def test_tell_down_without_reason_keeps_the_status(cloud):
    """Without a reason neither the status nor an operator's reason is touched."""
    cloud.nova.tell_down(cloud.service(HOSTS[1]), None)
    cloud.nova.disable(cloud.service(SOURCE), "broken fan")
    cloud.nova.tell_down(cloud.service(SOURCE), None)
    service, other = cloud.service(SOURCE), cloud.service(HOSTS[1])
    assert (service.status, service.forced_down) == ("disabled", True)
    assert service.disabled_reason == "broken fan"
    assert (other.status, other.forced_down, other.disabled_reason) == ("enabled", True, None)


def test_a_reason_replaces_a_reason(cloud):
    """A second reason replaces the first one; so an operator's reason is kept only by not giving ours."""
    cloud.nova.disable(cloud.service(SOURCE), "broken fan")
    cloud.nova.tell_down(cloud.service(SOURCE), MARKER)
    assert cloud.service(SOURCE).disabled_reason == MARKER


def test_enable_erases_the_reason(cloud):
    """Enabling removes the reason and is idempotent; it does not touch forced_down."""
    cloud.nova.tell_down(cloud.service(SOURCE), MARKER)
    cloud.nova.enable(cloud.service(SOURCE))
    cloud.nova.enable(cloud.service(SOURCE))
    service = cloud.service(SOURCE)
    assert (service.status, service.disabled_reason, service.forced_down) == ("enabled", None, True)
    assert service.state == "down"


def test_forced_down_outranks_heartbeats(cloud):
    """While forced_down is set the service stays down, although its heartbeats move updated_at."""
    cloud.nova.tell_down(cloud.service(SOURCE), MARKER)
    first = cloud.service(SOURCE).updated_at
    cloud.until(lambda: cloud.service(SOURCE).updated_at != first)
    second = cloud.service(SOURCE).updated_at
    cloud.until(lambda: cloud.service(SOURCE).updated_at != second)
    assert (cloud.service(SOURCE).state, cloud.service(SOURCE).forced_down) == ("down", True)


def test_clear_forced_down(cloud):
    """A host that was never evacuated is up as soon as forced_down is cleared; clearing is idempotent."""
    cloud.nova.tell_down(cloud.service(SOURCE), MARKER)
    cloud.nova.clear_forced_down(cloud.service(SOURCE))
    cloud.nova.clear_forced_down(cloud.service(SOURCE))
    service = cloud.service(SOURCE)
    assert (service.state, service.forced_down, service.status) == ("up", False, "disabled")


def test_updated_at_stands_still_when_the_host_is_dead(cloud):
    """Of a host without power updated_at moves no more, and without forced_down it is down in the end."""
    cloud.power_off(SOURCE)
    before = cloud.service(SOURCE).updated_at
    assert cloud.service(SOURCE).state == "up"
    cloud.let_heartbeat_be_old(SOURCE)
    assert cloud.service(SOURCE).updated_at == before
    assert (cloud.service(SOURCE).state, cloud.service(SOURCE).forced_down) == ("down", False)


def test_a_restarted_compute_is_up_again(cloud):
    """A host whose heartbeats were old is up after nova-compute has started, without anybody's help."""
    cloud.power_off(SOURCE)
    cloud.let_heartbeat_be_old(SOURCE)
    cloud.start_compute(SOURCE)
    cloud.until(lambda: cloud.service(SOURCE).state == "up")
    assert cloud.service(SOURCE).takes_servers


def test_unknown_service(cloud):
    """To change a service that does not exist is refused as such."""
    ghost = replace(cloud.service(SOURCE), id="6f1c2b1e-1111-4000-8000-6e6f76612d68", host="ghost")
    for change in (cloud.nova.enable, cloud.nova.clear_forced_down):
        with pytest.raises(NotFound):
            change(ghost)
    with pytest.raises(NotFound):
        cloud.nova.tell_down(ghost, MARKER)
