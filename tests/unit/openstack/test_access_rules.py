# SPDX-License-Identifier: Apache-2.0
"""The access rules of pcs-examples/CREDENTIALS.md are the calls that nova-ha makes: no fewer, and no more."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nova_ha.openstack.access_rules import CALLS, uncovered
from nova_ha.openstack.nova import NovaClient
from tests.unit.openstack.fake_cloud import FakeCloud
from tests.unit.openstack.samples import RECORD, SERVER, SERVICE, UP, make_client

PAGE = Path(__file__).resolve().parents[3] / "pcs-examples" / "CREDENTIALS.md"

#: Everything that the client can do.
USES = {
    "services": lambda nova: nova.services(),
    "tell_down": lambda nova: nova.tell_down(SERVICE, "nova-ha: fenced x"),
    "clear_forced_down": lambda nova: nova.clear_forced_down(SERVICE),
    "disable": lambda nova: nova.disable(SERVICE, "nova-ha: fenced x"),
    "enable": lambda nova: nova.enable(SERVICE),
    "servers": lambda nova: nova.servers("compute-0"),
    "server": lambda nova: nova.server("s1"),
    "evacuations": lambda nova: nova.evacuations("compute-0"),
    "attempts": lambda nova: nova.attempts("s1"),
    "server_groups": lambda nova: nova.server_groups(),
    "conductors_up": lambda nova: nova.conductors_up(),
    "evacuate": lambda nova: nova.evacuate("s1", None),
    "stop": lambda nova: nova.stop("s1"),
    "hard_reboot": lambda nova: nova.hard_reboot("s1"),
    "reset_to_error": lambda nova: nova.reset_to_error("s1"),
}
ACTION = {
    "request_id": "req-1",
    "action": "evacuate",
    "start_time": "2026-11-22T06:40:00.000000",
    "events": [],
}


@pytest.fixture
def cloud():
    """Give a cloud that answers every call."""
    found = FakeCloud()
    found.on("GET", "/os-services", (200, {"services": [UP]}))
    found.on("PUT", f"/os-services/{SERVICE.id}", (200, {"service": UP}))
    found.on("GET", "/servers/detail", (200, {"servers": [SERVER]}))
    found.on("GET", "/servers/s1", (200, {"server": SERVER}))
    found.on("POST", "/servers/s1/action", (202, {}))
    found.on("GET", "/servers/s1/os-instance-actions", (200, {"instanceActions": [ACTION]}))
    found.on("GET", "/servers/s1/os-instance-actions/req-1", (200, {"instanceAction": ACTION}))
    found.on("GET", "/os-migrations", (200, {"migrations": [RECORD]}))
    found.on("GET", "/os-server-groups", (200, {"server_groups": []}))
    return found


def rules_of_the_page():
    """Return the rules that an admin copies."""
    (block,) = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return json.loads(block)


def as_rules(calls):
    """Return the rules for some calls of a Nova whose URL ends with /v2.1."""
    return [{"service": "compute", "method": method, "path": f"/v2.1{path}"} for method, path in calls]


def test_nothing_is_forgotten():
    """Every public method of the client is among those whose requests are looked at."""
    assert {name for name in vars(NovaClient) if not name.startswith("_")} == set(USES)


def test_calls_are_what_the_client_sends(cloud):
    """Each request of the client is one of the calls, and each call is made."""
    nova = make_client(cloud)
    for use in USES.values():
        use(nova)
    sent = {(one.method, one.path) for one in cloud.requests if one.path != "/v3/auth/tokens"}
    ids = re.compile(rf"/(s1|req-1|{SERVICE.id})(?=/|$)")
    assert set(CALLS) == {(method, ids.sub("/*", path)) for method, path in sent}


def test_the_page_has_these_rules():
    """What an admin copies from the page covers the calls, and nothing else."""
    assert as_rules(CALLS) == rules_of_the_page()


def test_the_page_covers_everything():
    """With the rules of the page doctor has nothing to say."""
    assert () == uncovered(rules_of_the_page(), "/v2.1")


@pytest.mark.parametrize("call", CALLS)
def test_each_rule_is_needed(call):
    """A rule that is left out is named, unless another one covers the call as well."""
    method, path = call
    left = uncovered(as_rules(other for other in CALLS if other != call), "/v2.1")
    is_covered_twice = path == "/servers/detail"
    assert (() if is_covered_twice else (f"{method} /v2.1{path}",)) == left


@pytest.mark.parametrize(
    ("path", "method", "service", "is_enough"),
    [
        ("/v2.1/**", "PUT", "compute", True),
        ("/**", "PUT", "compute", True),
        ("/v2.1/os-services/{id}", "PUT", "compute", True),
        ("/compute/v2.1/os-services/*", "PUT", "compute", True),
        ("/v2.1/*", "PUT", "compute", False),
        ("/v2.1/os-services", "PUT", "compute", False),
        ("/v2.1/os-services/*", "POST", "compute", False),
        ("/v2.1/os-services/*", "PUT", "image", False),
    ],
)
def test_wildcards(path, method, service, is_enough):
    """Wildcards mean what keystonemiddleware takes them for, and a proxy's prefix may be there or not."""
    others = as_rules(call for call in CALLS if call[0] != "PUT")
    rule = {"service": service, "method": method, "path": path}
    assert (() if is_enough else ("PUT /v2.1/os-services/*",)) == uncovered([*others, rule], "/compute/v2.1/")
