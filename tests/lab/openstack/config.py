# SPDX-License-Identifier: Apache-2.0
"""Configuration files of the control plane and of the compute nodes."""

from __future__ import annotations

import configparser
import shutil
from collections.abc import Mapping
from pathlib import Path

from . import names

Sections = Mapping[str, Mapping[str, object]]


def write_ini(path: Path, sections: Sections) -> None:
    """Write an oslo.config file, readable by root alone because it holds passwords."""
    parser = configparser.RawConfigParser(default_section="\0")
    for section, options in sections.items():
        parser[section] = {name: str(value) for name, value in options.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with path.open("w") as file:
        parser.write(file)


def account() -> dict[str, object]:
    """Return the options with which a service logs in to Keystone."""
    return {
        "auth_url": names.AUTH_URL,
        "auth_type": "password",
        "username": names.SERVICE_USER,
        "password": names.SERVICE_PASSWORD,
        "project_name": "service",
        "user_domain_id": "default",
        "project_domain_id": "default",
        "region_name": names.REGION,
    }


def authtoken(service_type: str) -> dict[str, object]:
    """Return the options with which a service checks the tokens of its callers.

    Without its own type a service refuses every application credential that has access rules.
    """
    return {
        **account(),
        "service_type": service_type,
        "www_authenticate_uri": names.AUTH_URL,
        "service_token_roles": "service",
        "service_token_roles_required": True,
    }


def keystone(etc: Path) -> Sections:
    """Return Keystone's configuration: cheap password hashes, tokens that outlive a lab."""
    return {
        "database": {"connection": names.database_url("keystone")},
        "token": {"provider": "fernet", "expiration": 86400},
        "fernet_tokens": {"key_repository": etc / "keystone" / "fernet-keys"},
        "credential": {"key_repository": etc / "keystone" / "credential-keys"},
        # Four rounds of bcrypt instead of twelve: 1 ms and not 250 ms for each of the services' log-ins.
        "identity": {"password_hash_rounds": 4},
    }


def placement() -> Sections:
    """Return Placement's configuration."""
    return {
        "api": {"auth_strategy": "keystone"},
        "placement_database": {"connection": names.database_url("placement")},
        "keystone_authtoken": authtoken("placement"),
    }


def glance(images: Path, paste: Path) -> Sections:
    """Return Glance's configuration, with the image's bytes in `images`."""
    return {
        "DEFAULT": {"enabled_backends": "fs:file", "workers": 0},
        "database": {"connection": names.database_url("glance")},
        "glance_store": {"default_backend": "fs"},
        "fs": {"filesystem_store_datadir": images / "store"},
        "os_glance_staging_store": {"filesystem_store_datadir": images / "staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": images / "tasks"},
        "paste_deploy": {"flavor": "keystone", "config_file": paste},
        "keystone_authtoken": authtoken("image"),
    }


def nova_common() -> dict[str, Mapping[str, object]]:
    """Return what every Nova service is told, on the control plane and on compute nodes."""
    return {
        "DEFAULT": {
            "transport_url": names.transport_url(),
            "report_interval": 2,
            "service_down_time": 10,
            # A stop in the lab lasts seconds; the defaults are 180 and 160.
            "graceful_shutdown_timeout": 8,
            "manager_shutdown_timeout": 4,
            "instance_usage_audit": False,
        },
        "api": {"auth_strategy": "keystone"},
        "oslo_messaging_notifications": {"driver": "noop"},
        "oslo_messaging_rabbit": {"heartbeat_in_pthread": False},
        "vnc": {"enabled": False},
        "glance": {"endpoint_override": f"http://{names.FABRIC}:{names.GLANCE_PORT}"},
        "neutron": {**account(), "endpoint_override": f"http://{names.FABRIC}:{names.NEUTRON_PORT}"},
        "cinder": {"catalog_info": "volumev3::publicURL"},
        "placement": account(),
        "service_user": {**account(), "send_service_user_token": True},
        "keystone_authtoken": authtoken("compute"),
    }


def nova_control(state: Path, paste: Path) -> Sections:
    """Return the configuration of nova-api, conductor and scheduler; they alone know the databases."""
    sections = nova_common()
    sections["DEFAULT"] = {
        **sections["DEFAULT"],
        "my_ip": names.FABRIC,
        "state_path": state,
        "osapi_compute_workers": 1,
    }
    return {
        **sections,
        "wsgi": {"api_paste_config": paste},
        "oslo_concurrency": {"lock_path": state / "lock"},
        "database": {"connection": names.database_url("nova")},
        "api_database": {"connection": names.database_url("nova_api")},
        "conductor": {"workers": 1},
        # The hosts of the lab are mapped when the database is prepared, so nothing needs discovery.
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": -1},
        "filter_scheduler": {
            "host_subset_size": 5,
            "track_instance_changes": False,
            "enabled_filters": "ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,"
            "ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter",
        },
        "quota": {"instances": -1, "cores": -1, "ram": -1, "server_groups": -1, "server_group_members": -1},
    }


def nova_compute(host: str, address: str, shared: Path) -> Sections:
    """Return the configuration of the nova-compute of one node; `shared` is the lab's shared folder."""
    sections = nova_common()
    sections["DEFAULT"] = {
        **sections["DEFAULT"],
        "host": host,
        "my_ip": address,
        "log_file": "/var/log/nova/nova-compute.log",
        "state_path": "/var/lib/nova",
        "instances_path": "/var/lib/nova/instances",
        "compute_driver": "hypervisor.driver.LabDriver",
        "image_cache_manager_interval": -1,
        "update_resources_interval": 60,
        "sync_power_state_interval": 120,
        "reserved_host_memory_mb": 0,
        # A heartbeat that was lost with the conductor or RabbitMQ is waited for that long (default 60) before
        # the next one is sent; in the lab a service counts as down after 10 s.
        "rpc_response_timeout": 20,
    }
    return {
        **sections,
        "oslo_concurrency": {"lock_path": "/var/lib/nova/lock"},
        "lab": {"shared": shared},
    }


def write_control_plane(etc: Path, state: Path, images: Path, venv: Path) -> None:
    """Write every file of the control plane below `etc`; `images` keeps Glance's bytes."""
    for folder in (images / "store", images / "staging", images / "tasks", state / "lock"):
        folder.mkdir(parents=True, exist_ok=True)
    nova_paste = etc / "nova" / "api-paste.ini"
    nova_paste.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(venv / "etc" / "nova" / "api-paste.ini", nova_paste)
    write_ini(etc / "keystone" / "keystone.conf", keystone(etc))
    write_ini(etc / "placement" / "placement.conf", placement())
    write_ini(etc / "glance" / "glance-api.conf", glance(images, venv / "etc/glance/glance-api-paste.ini"))
    write_ini(etc / "nova" / "nova.conf", nova_control(state, nova_paste))
