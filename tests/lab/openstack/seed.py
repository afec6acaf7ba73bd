# SPDX-License-Identifier: Apache-2.0
"""Fill a fresh cloud: accounts, catalog, flavors, image."""

from __future__ import annotations

from keystoneauth1 import adapter, session
from keystoneauth1.identity import v3

from . import names

INTERNAL = "internal"
ENDPOINTS = {
    "compute": ("nova", f"http://{names.FABRIC}:{names.NOVA_PORT}/v2.1"),
    "placement": ("placement", f"http://{names.FABRIC}:{names.PLACEMENT_PORT}"),
    "image": ("glance", f"http://{names.FABRIC}:{names.GLANCE_PORT}"),
    "network": ("neutron", f"http://{names.FABRIC}:{names.NEUTRON_PORT}"),
}
#: Endpoints that speak TLS.
PUBLIC = {"compute": f"https://{names.CLOUD_NAME}:{names.NOVA_TLS_PORT}/v2.1"}
IMAGE_BYTES = b"\0" * 1048576


def admin_session() -> session.Session:
    """Return a session of the cloud's admin."""
    return session.Session(v3.Password(names.AUTH_URL, **names.ADMIN))


def accounts_and_catalog() -> None:
    """Create the services' account and the catalog; Keystone must have been bootstrapped."""
    # Keystone is found without the catalog: the catalog is what is made here.
    keystone = adapter.Adapter(admin_session(), endpoint_override=names.AUTH_URL)
    roles = {role["name"]: role["id"] for role in keystone.get("/roles").json()["roles"]}
    project = _create(keystone, "project", name="service", domain_id="default")
    user = _create(
        keystone, "user", name=names.SERVICE_USER, password=names.SERVICE_PASSWORD, domain_id="default"
    )
    for role in ("admin", "service"):
        keystone.put(f"/projects/{project}/users/{user}/roles/{roles[role]}")
    for kind, (name, url) in ENDPOINTS.items():
        service = _create(keystone, "service", type=kind, name=name)
        urls = {"public": PUBLIC.get(kind, url), INTERNAL: url, "admin": url}
        for interface, found in urls.items():
            _create(
                keystone, "endpoint", service_id=service, interface=interface, url=found,
                region_id=names.REGION,
            )  # fmt: skip


def _create(keystone: adapter.Adapter, kind: str, **fields: str) -> str:
    return str(keystone.post(f"/{kind}s", json={kind: fields}).json()[kind]["id"])


def flavors_and_image() -> None:
    """Create what servers are booted from; nova-api and Glance must answer."""
    admin = admin_session()
    nova = adapter.Adapter(
        admin, service_type="compute", interface=INTERNAL, default_microversion=names.MICROVERSION
    )
    for name, fields in names.FLAVORS.items():
        nova.post("/flavors", json={"flavor": {"name": name, **fields}})
    local = names.FLAVORS["local"]["id"]
    nova.post(f"/flavors/{local}/os-extra_specs", json={"extra_specs": names.LOCAL_DISK_SPEC})
    glance = adapter.Adapter(admin, service_type="image", interface=INTERNAL)
    described = {
        "name": names.IMAGE,
        "disk_format": "raw",
        "container_format": "bare",
        "visibility": "public",
    }
    image = glance.post("/v2/images", json=described).json()["id"]
    stream = {"Content-Type": "application/octet-stream"}
    glance.put(f"/v2/images/{image}/file", data=IMAGE_BYTES, headers=stream)
