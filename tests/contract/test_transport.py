# SPDX-License-Identifier: Apache-2.0
"""What a lost, late or spoiled answer means: nothing was done, or it may have been done (nova.md 0)."""

from __future__ import annotations

import pytest

from nova_ha.errors import AmbiguousAnswer, NovaUnavailable
from tests.contract.cloud import HOSTS, MARKER

pytestmark = pytest.mark.contract

SOURCE = HOSTS[0]
AFTER = ("unanswered", "dropped", "http-500-after")
INSTEAD = ("http-503", "html-502")


def test_evacuate_when_nobody_listens(cloud):
    """Nobody listens: the request was never sent, and that is known for certain."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    with pytest.raises(NovaUnavailable):
        cloud.disturbed("evacuate", "refused").evacuate(server_id, None)
    assert cloud.records(server_id, SOURCE) == ()


@pytest.mark.parametrize("way", AFTER)
def test_evacuate_that_had_its_effect(cloud, way):
    """The answer is lost or an error: ambiguous; Nova did it, and the client has sent it just once."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    with pytest.raises(AmbiguousAnswer):
        cloud.disturbed("evacuate", way).evacuate(server_id, HOSTS[1])
    cloud.until(lambda: cloud.server(server_id).host == HOSTS[1])
    assert cloud.record(server_id, SOURCE).destination == HOSTS[1]
    assert len(cloud.nova.attempts(server_id)) == 1


@pytest.mark.parametrize("way", INSTEAD)
def test_evacuate_that_had_none(cloud, way):
    """An error of a proxy is just as ambiguous, although Nova never saw the request."""
    server_id = cloud.add_server(SOURCE)
    cloud.lose(SOURCE)
    with pytest.raises(AmbiguousAnswer):
        cloud.disturbed("evacuate", way).evacuate(server_id, None)
    assert cloud.records(server_id, SOURCE) == ()
    assert cloud.nova.attempts(server_id) == ()


@pytest.mark.parametrize("way", ["refused", *AFTER, *INSTEAD])
def test_a_read_without_answer(cloud, way):
    """A read that is not answered is unavailable, whatever the cause: it can be asked again."""
    with pytest.raises(NovaUnavailable):
        cloud.disturbed("services", way).services()


@pytest.mark.parametrize("way", AFTER)
def test_tell_down_without_answer(cloud, way):
    """A change of a service whose answer is lost may be repeated; Nova did it."""
    service = cloud.service(SOURCE)
    with pytest.raises(NovaUnavailable):
        cloud.disturbed("tell_down", way).tell_down(service, MARKER)
    cloud.until(lambda: cloud.service(SOURCE).forced_down)
    assert cloud.service(SOURCE).is_ours
