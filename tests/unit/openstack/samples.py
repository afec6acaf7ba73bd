# SPDX-License-Identifier: Apache-2.0
"""A client of a cloud inside of the process, and what that cloud shows."""

from __future__ import annotations

from nova_ha.model import Service
from nova_ha.openstack.credentials import open_session
from nova_ha.openstack.nova import NovaClient
from tests.unit.openstack.fake_cloud import KEYSTONE

SETTINGS = {
    "auth_url": KEYSTONE,
    "username": "admin",
    "password": "secret",
    "project_name": "admin",
    "api_timeout": 7.0,
    "action_timeout": 99.0,
}
EVACUATE = ("POST", "/servers/s1/action")
UP = {
    "id": "11111111-1111-1111-1111-111111111111",
    "binary": "nova-compute",
    "host": "compute-0",
    "zone": "nova",
    "status": "enabled",
    "state": "up",
    "forced_down": False,
    "disabled_reason": None,
    "updated_at": "2026-11-22T06:40:12.000000",
}
SERVICE = Service(id=UP["id"], host="compute-0", status="enabled", state="up")
SERVER = {
    "id": "s1",
    "name": "web",
    "status": "ACTIVE",
    "OS-EXT-STS:vm_state": "active",
    "OS-EXT-STS:task_state": None,
    "OS-EXT-STS:power_state": 1,
    "OS-EXT-SRV-ATTR:host": "compute-0",
    "OS-SRV-USG:launched_at": "2026-11-22T06:00:00.000000",
    "image": {"id": "i"},
    "flavor": {"ephemeral": 0, "swap": 0},
    "metadata": {},
}
RECORD = {
    "uuid": "m1",
    "migration_type": "evacuation",
    "instance_uuid": "s1",
    "source_compute": "compute-0",
    "dest_compute": None,
    "status": "accepted",
    "created_at": "2026-11-22T06:40:00.000000",
    "updated_at": None,
}
NEXT = [{"rel": "next", "href": "http://nova.example/next"}]


def make_client(cloud, **settings):
    """Make a client of a cloud, with further settings."""
    access = open_session({**SETTINGS, **settings})
    cloud.mount(access.session, access.actions)
    return NovaClient(access)


def error(message, status):
    """Return an error of Nova's API."""
    return status, {"error": {"message": message, "code": status}}
