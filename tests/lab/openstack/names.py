# SPDX-License-Identifier: Apache-2.0
"""Names, addresses and passwords of the lab's cloud, all in one place."""

from __future__ import annotations

from typing import Any

FABRIC = "10.77.0.1"
REGION = "RegionOne"

KEYSTONE_PORT = 5000
PLACEMENT_PORT = 8778
NOVA_PORT = 8774
GLANCE_PORT = 9292
NEUTRON_PORT = 9696
RABBITMQ_PORT = 5672
MARIADB_PORT = 3306

AUTH_URL = f"http://{FABRIC}:{KEYSTONE_PORT}/v3"

# What the product sees: the public endpoints speak TLS, under the one name that is in their certificate.
# OpenStack's services among each other, and the lab's own clients, use the internal ones.
CLOUD_NAME = "cloud.lab"
KEYSTONE_TLS_PORT = 13000
NOVA_TLS_PORT = 13774
PUBLIC_AUTH_URL = f"https://{CLOUD_NAME}:{KEYSTONE_TLS_PORT}/v3"
ADMIN: dict[str, Any] = {
    "username": "admin",
    "password": "secret-admin",
    "project_name": "admin",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
}
# What the smallest credential is tried with, and kept behind; pcs-examples/CREDENTIALS.md.
APPLICATION_SECRET = "secret-application"
# One account for every service: the lab is about Nova, not about Keystone.
SERVICE_USER = "nova"
SERVICE_PASSWORD = "secret-service"
DATABASE_USER = "lab"
DATABASE_PASSWORD = "secret-database"
RABBITMQ_USER = "nova"
RABBITMQ_PASSWORD = "secret-rabbitmq"

DATABASES = ("keystone", "placement", "glance", "nova_api", "nova", "nova_cell0")
COMPUTE_HOSTS = tuple(f"compute-{number}" for number in range(12))

# Newest microversion that leaves an evacuated server as it was; 2.95 and later stop it.
MICROVERSION = "2.90"
IMAGE = "blank"
FLAVORS = {
    "tiny": {"id": "1", "ram": 64, "vcpus": 1, "disk": 1},
    "ephemeral": {"id": "2", "ram": 64, "vcpus": 1, "disk": 1, "OS-FLV-EXT-DATA:ephemeral": 1},
    "local": {"id": "3", "ram": 64, "vcpus": 1, "disk": 1},
}
# A server of this flavor has its disk on its compute node alone.
LOCAL_DISK_SPEC = {"lab:disk": "local"}


def database_url(database: str) -> str:
    """Return SQLAlchemy's address of one of DATABASES, the same in every run folder."""
    account = f"{DATABASE_USER}:{DATABASE_PASSWORD}"
    return f"mysql+pymysql://{account}@{FABRIC}:{MARIADB_PORT}/{database}?charset=utf8"


def transport_url() -> str:
    """Return the address of the message queue in oslo.messaging's notation."""
    return f"rabbit://{RABBITMQ_USER}:{RABBITMQ_PASSWORD}@{FABRIC}:{RABBITMQ_PORT}/"
