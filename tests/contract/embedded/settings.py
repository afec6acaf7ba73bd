# SPDX-License-Identifier: Apache-2.0
"""The configuration files of the embedded Nova and its Placement, and where everything lies."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.contract.embedded.standins import PASSWORD, REGION

#: Small, so that a handful of servers needs several pages.
MAX_LIMIT = 3


@dataclass(frozen=True)
class Layout:
    """Folders and addresses of one embedded Nova.

    Attributes:
        folder: everything that it writes is below.
        compute: URL of nova-api, without version.
        placement: URL of Placement.
        standins: URL of Keystone, Glance and Neutron, without their prefixes.
    """

    folder: Path
    compute: str
    placement: str
    standins: str

    @property
    def auth_url(self) -> str:
        """Return Keystone's URL."""
        return f"{self.standins}/identity/v3"

    def endpoints(self) -> dict[str, str]:
        """Return Keystone's catalog: URL by service type."""
        return {
            "identity": f"{self.standins}/identity",
            "compute": f"{self.compute}/v2.1",
            "placement": self.placement,
            "image": f"{self.standins}/image",
            "network": f"{self.standins}/network",
        }

    def database(self, name: str, folder: str = "db") -> str:
        """Return the URL of a database."""
        # Seconds; the default of 5 is too short when this machine is busy.
        return f"sqlite:///{self.folder}/{folder}/{name}.sqlite?timeout=60"

    def write(self) -> None:
        """Write all configuration files, and tell Nova and Placement where they are."""
        for name in ("db", "etc", "state"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        # What reaches the cell's database through this path can be cut off (`database.CellDoor`).
        (self.folder / "cell").symlink_to("db")
        etc = self.folder / "etc"
        (etc / "nova.conf").write_text(_NOVA.format(**self._values()), encoding="utf-8")
        (etc / "placement.conf").write_text(_PLACEMENT.format(**self._values()), encoding="utf-8")
        (etc / "policy.yaml").write_text(_POLICY, encoding="utf-8")
        paste = Path(sys.prefix) / "etc" / "nova" / "api-paste.ini"
        (etc / "api-paste.ini").write_text(paste.read_text(encoding="utf-8"), encoding="utf-8")
        os.environ.update(OS_NOVA_CONFIG_DIR=str(etc), OS_PLACEMENT_CONFIG_DIR=str(etc))

    def _values(self) -> dict[str, object]:
        return {
            "folder": self.folder,
            "credentials": _CREDENTIALS.format(auth_url=self.auth_url, password=PASSWORD, region=REGION),
            "auth_url": self.auth_url,
            "api_database": self.database("nova_api"),
            "cell_database": self.database("nova_cell1"),
            "placement_database": self.database("placement"),
            "image": f"{self.standins}/image",
            "network": f"{self.standins}/network",
            "max_limit": MAX_LIMIT,
        }


_CREDENTIALS = """\
auth_type = password
auth_url = {auth_url}
username = nova
password = {password}
project_name = service
user_domain_id = default
project_domain_id = default
region_name = {region}"""

_NOVA = """\
[DEFAULT]
my_ip = 127.0.0.1
host = control
state_path = {folder}/state
log_file = {folder}/nova.log
transport_url = fake:/
compute_driver = contract.ContractDriver
report_interval = 1
# Nothing here waits for a host to be seen as down: a test says that the host's last heartbeat is long ago.
service_down_time = 60
# Seconds; at its start a nova-compute asks a destination that does not exist, and waits so long (nova.md 3).
rpc_response_timeout = 10
graceful_shutdown_timeout = 2
manager_shutdown_timeout = 1
# Neither a test that holds a state open nor a guest that was powered off may be "repaired" meanwhile.
sync_power_state_interval = -1
heal_instance_info_cache_interval = -1
update_resources_interval = 600
running_deleted_instance_action = noop
periodic_fuzzy_delay = 0
[api]
max_limit = {max_limit}
[wsgi]
api_paste_config = {folder}/etc/api-paste.ini
[oslo_policy]
policy_file = {folder}/etc/policy.yaml
[oslo_concurrency]
lock_path = {folder}/state/lock
[oslo_messaging_notifications]
driver = noop
[api_database]
connection = {api_database}
sqlite_synchronous = false
[database]
connection = {cell_database}
sqlite_synchronous = false
[filter_scheduler]
# The default filters and the one behind the policies of groups.
track_instance_changes = false
[quota]
instances = -1
cores = -1
ram = -1
[vnc]
enabled = false
[glance]
endpoint_override = {image}
{credentials}
[neutron]
endpoint_override = {network}
{credentials}
[placement]
{credentials}
[service_user]
send_service_user_token = true
{credentials}
[keystone_authtoken]
www_authenticate_uri = {auth_url}
service_token_roles_required = true
# A token that was revoked is worth nothing at once.
token_cache_time = -1
{credentials}
"""

_PLACEMENT = """\
[DEFAULT]
log_file = {folder}/nova.log
[api]
auth_strategy = keystone
[placement_database]
connection = {placement_database}
sqlite_synchronous = false
sync_on_startup = true
[keystone_authtoken]
www_authenticate_uri = {auth_url}
{credentials}
"""

#: A role that may see the cloud but has no right to filter by host (nova.md 0.9).
_POLICY = """\
"os_compute_api:servers:detail:get_all_tenants": "role:admin or role:watcher"
"os_compute_api:os-extended-server-attributes": "role:admin or role:watcher"
"""
