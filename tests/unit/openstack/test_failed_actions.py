# SPDX-License-Identifier: Apache-2.0
"""What a failure of an action becomes: never sent twice, and unknown unless it certainly did nothing."""

from __future__ import annotations

import pytest

from nova_ha.errors import (
    AccessDenied,
    AmbiguousAnswer,
    ConfigurationError,
    NotFound,
    NovaUnavailable,
    RequestRefused,
    StillInUse,
)
from nova_ha.openstack.nova_errors import one_line
from tests.unit.openstack import fake_cloud
from tests.unit.openstack.samples import EVACUATE, SERVER, error


@pytest.mark.parametrize("failure", [fake_cloud.refused, fake_cloud.unknown_name, fake_cloud.connect_timeout])
def test_action_that_never_left(nova, cloud, waits, failure):
    """An action whose connection was never established has certainly done nothing."""
    cloud.on(*EVACUATE, failure())
    with pytest.raises(NovaUnavailable):
        nova.evacuate("s1", None)
    assert 1 == len(cloud.sent(*EVACUATE))
    assert [] == waits


@pytest.mark.parametrize(
    "failure",
    [
        fake_cloud.read_timeout(),
        fake_cloud.dropped(),
        error("boom", 500),
        error("bad gateway", 502),
        error("later", 503),
        error("slow", 504),
        error("busy", 409),
        (500, {"error": "a text where an object belongs"}),
        (302, b"", {"location": "http://elsewhere.example/"}),
    ],
)
def test_action_with_unknown_effect(nova, cloud, waits, failure):
    """An action that was sent and not refused may have taken effect, and is never sent a second time."""
    cloud.on(*EVACUATE, failure)
    with pytest.raises(AmbiguousAnswer):
        nova.evacuate("s1", None)
    assert ["/v3/auth/tokens", "/servers/s1/action"] == [request.path for request in cloud.requests]
    assert [] == waits


@pytest.mark.parametrize(
    ("failure", "status"),
    [(error("busy", 409), 409), (error("slow", 504), 504), (fake_cloud.dropped(), None)],
)
def test_what_nova_said_is_told_from_what_nobody_said(nova, cloud, failure, status):
    """An answer of Nova's has its HTTP status; the trouble of a connection has none, whatever its words."""
    cloud.on(*EVACUATE, failure)
    with pytest.raises(AmbiguousAnswer) as caught:
        nova.evacuate("s1", None)
    assert status == caught.value.status


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (error("Compute service of compute-0 is still in use.", 400), StillInUse),
        (error("The target host can't be the same one.", 400), RequestRefused),
        (error("not allowed", 403), AccessDenied),
        (error("Instance s1 could not be found.", 404), NotFound),
        (error("too many", 429), NovaUnavailable),
        (error("too large", 413), NovaUnavailable),
        (error("version", 406), ConfigurationError),
    ],
)
def test_action_that_was_refused(nova, cloud, failure, kind):
    """An action that Nova refused has done nothing; the error says whether trying again makes sense."""
    cloud.on(*EVACUATE, failure)
    with pytest.raises(kind) as caught:
        nova.evacuate("s1", None)
    assert kind is type(caught.value)


def test_trouble_with_keystone_is_no_lost_answer(nova, cloud, waits):
    """When no token can be had, the action was never sent."""
    cloud.on("POST", "/v3/auth/tokens", fake_cloud.read_timeout())
    with pytest.raises(NovaUnavailable):
        nova.evacuate("s1", None)
    assert [] == cloud.sent(*EVACUATE)


def test_expired_token_is_renewed_once(nova, cloud):
    """A token that Nova refuses is renewed and the action repeated: the refused one did nothing."""
    cloud.on(*EVACUATE, (401, {}), (200, b"", {"x-openstack-request-id": "req-2"}))
    assert "req-2" == nova.evacuate("s1", None)
    assert 2 == len(cloud.sent("POST", "/v3/auth/tokens"))


def test_stop_of_a_stopped_server(nova, cloud):
    """To stop a server that is off already is no error."""
    conflict = "Cannot 'stop' instance s1 while it is in vm_state stopped"
    cloud.on(*EVACUATE, error(conflict, 409))
    cloud.on("GET", "/servers/s1", (200, {"server": {**SERVER, "OS-EXT-STS:vm_state": "stopped"}}))
    nova.stop("s1")
    assert [{"os-stop": None}] == [request.body for request in cloud.sent(*EVACUATE)]


def test_stop_of_a_busy_server(nova, cloud):
    """A server that refuses to stop and still runs is an error."""
    cloud.on(*EVACUATE, error("Cannot 'stop' instance s1 while it is in task_state rebuilding", 409))
    cloud.on("GET", "/servers/s1", (200, {"server": SERVER}))
    with pytest.raises(AmbiguousAnswer):
        nova.stop("s1")


def test_hard_reboot(nova, cloud):
    """A server is started on its host by one action that Nova takes in nearly every state."""
    cloud.on(*EVACUATE, (202, b""))
    nova.hard_reboot("s1")
    assert [{"reboot": {"type": "HARD"}}] == [request.body for request in cloud.sent(*EVACUATE)]


def test_reset_to_error(nova, cloud):
    """A server's state is set to ERROR by one action."""
    cloud.on(*EVACUATE, (202, b""))
    nova.reset_to_error("s1")
    assert [{"os-resetState": {"state": "error"}}] == [request.body for request in cloud.sent(*EVACUATE)]


def test_request_ids_are_left_out():
    """The same trouble reads the same each time, so that it is logged and published once."""
    assert "The server has either erred" == one_line("The server has either erred (Request-ID: req-1a2b)")
