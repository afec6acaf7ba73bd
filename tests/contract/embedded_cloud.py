# SPDX-License-Identifier: Apache-2.0
"""The cloud of the contract tests whose Nova is real (`tests.contract.embedded`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import NotFound

from nova_ha.openstack.credentials import open_session
from nova_ha.openstack.nova import NovaClient, connect
from nova_ha.settings.option import Value
from tests.contract.cloud import HOSTS, ContractCloud
from tests.contract.embedded.client import EmbeddedNova
from tests.contract.embedded.proxy import Proxy
from tests.contract.embedded.standins import IMAGE, PASSWORD

#: Each look costs the process, which has one interpreter for all of Nova, a tenth of a second.
_POLL_SECONDS = 0.2
_FLAVOR = "1"
_STATES = {"active": "ACTIVE", "stopped": "SHUTOFF", "error": "ERROR", "paused": "PAUSED"}
_ACTIONS: Mapping[str, Mapping[str, object]] = {
    "stopped": {"os-stop": None},
    "error": {"os-resetState": {"state": "error"}},
    "paused": {"pause": None},
}
#: Method and words by which a proxy knows a call.
_REQUESTS = {
    "services": ("GET", "/os-services"),
    "tell_down": ("PUT", "/os-services"),
    "evacuate": ("POST", "evacuate"),
}


class EmbeddedCloud(ContractCloud):
    """One for all tests; `reset` makes it empty again."""

    def __init__(self, folder: Path) -> None:
        self.process = EmbeddedNova(folder, HOSTS)
        self.nova: NovaClient = connect(self.settings())
        access = open_session(self.settings())
        self._api = Adapter(
            access.session, service_type="compute", interface="public", default_microversion="2.90"
        )
        self._api.post(
            "/flavors", json={"flavor": {"name": "tiny", "id": _FLAVOR, "ram": 64, "vcpus": 1, "disk": 1}}
        )
        self._powered_off: set[str] = set()
        self._conductor_runs = True
        self._servers: list[str] = []
        self._proxies: list[Proxy] = []

    def settings(self, user: str = "admin", **others: Value) -> dict[str, Value]:
        """Return the settings with which a user connects."""
        return {
            "auth_url": self.process.auth_url,
            "username": user,
            "password": PASSWORD,
            "project_name": user,
            "api_timeout": 60.0,
            **others,
        }

    def close(self) -> None:
        """End the process."""
        self.process.close()

    def reset(self) -> None:
        """Mend everything, delete every server, and put every host into service."""
        self.mend()
        while self._proxies:
            self._proxies.pop().close()
        # Where Nova takes a dead nova-compute for up, no server can be deleted: so the hosts come first. They
        # start without guests: about each that was evacuated to nowhere they would ask until a timeout.
        self.process.call("forget_guests")
        for host in sorted(self._powered_off):
            self.start_compute(host)
        for server_id in self._servers:
            self._delete(server_id)
        self._servers.clear()
        self.process.call("forget_guests")
        for group in self._api.get("/os-server-groups?all_projects=True&limit=1000").json()["server_groups"]:
            self._api.delete(f"/os-server-groups/{group['id']}")
        self._put_into_service()

    def _put_into_service(self) -> None:
        """Clear forced_down first and enable later.

        A host that is enabled while Nova sees it as down keeps a trait in Placement that keeps servers away.
        """
        for service in self.nova.services():
            if service.forced_down:
                self.nova.clear_forced_down(service)
        self.until(lambda: all(service.state == "up" for service in self.nova.services()))
        for service in self.nova.services():
            if service.status == "disabled":
                self.nova.enable(service)

    def add_server(self, host: str, state: str = "active", group: str | None = None) -> str:
        """Create a server as its owner does, and bring it into a state."""
        server = {"name": f"vm-{len(self._servers)}", "flavorRef": _FLAVOR, "imageRef": IMAGE, "host": host}
        body: dict[str, Any] = {"server": {**server, "networks": "none", "metadata": {"owner": "tests"}}}
        if group:
            body["os:scheduler_hints"] = {"group": group}
        server_id = str(self._api.post("/servers", json=body).json()["server"]["id"])
        self._servers.append(server_id)
        self.until(lambda: self.server(server_id).status != "BUILD")
        assert self.where(server_id) == ("ACTIVE", None, host), self.server(server_id).fault
        if state in _ACTIONS:
            self._api.post(f"/servers/{server_id}/action", json=dict(_ACTIONS[state]))
            self.until(lambda: self.where(server_id)[:2] == (_STATES[state], None))
        return server_id

    def add_group(self, policy: str) -> str:
        """Create a server group."""
        group = {"name": policy, "policy": policy}
        answer = self._api.post("/os-server-groups", json={"server_group": group})
        return str(answer.json()["server_group"]["id"])

    def delete_server(self, server_id: str) -> None:
        """Delete a server and wait until it is gone."""
        self._delete(server_id)

    def _delete(self, server_id: str) -> None:
        try:
            self._api.delete(f"/servers/{server_id}")
        except NotFound:
            return
        self.until(lambda: self.nova.server(server_id) is None)

    def power_off(self, host: str) -> None:
        """Cut a host's power."""
        self._powered_off.add(host)
        self.process.call("power_off", host)

    def start_compute(self, host: str) -> None:
        """Start a host's nova-compute."""
        self.process.call("start_compute", host)
        self._powered_off.discard(host)

    def let_heartbeat_be_old(self, host: str) -> None:
        """Change it in the database."""
        self.process.call("let_heartbeat_be_old", host)

    def hold(self, moment: str, *server_ids: str) -> None:
        """Hold evacuations; at ``cast``, of all servers."""
        if moment == "cast":
            self.process.call("stop_conductor")
            self._conductor_runs = False
        else:
            for server_id in server_ids:
                self.process.call("hold", moment, server_id)

    def are_held(self, moment: str, *server_ids: str) -> bool:
        """Ask where they are."""
        if moment == "cast":
            return not self._conductor_runs
        return all(self.process.call("waiting", moment, server_id) for server_id in server_ids)

    def release(self, moment: str, *server_ids: str) -> None:
        """Let them go on."""
        if moment == "cast":
            self.process.call("start_conductor")
            self._conductor_runs = True
        else:
            for server_id in server_ids:
                self.process.call("release", moment, server_id)

    def fail(self, moment: str, server_id: str) -> None:
        """Plan a failure."""
        self.process.call("fail", moment, server_id)

    def mend(self) -> None:
        """End all failures and holds."""
        self.process.call("mend")
        if not self._conductor_runs:
            self.release("cast")

    def shut_cell(self, shut: bool) -> None:
        """Cut nova-api off from the cell's database."""
        self.process.call("shut_cell", shut)

    def running_on(self, server_id: str) -> list[str]:
        """Ask the hypervisors."""
        return list(self.process.call("running_on", server_id))

    def defined_on(self, server_id: str) -> list[str]:
        """Ask the hypervisors."""
        return list(self.process.call("defined_on", server_id))

    def unprivileged(self) -> NovaClient:
        """Connect as a user with such a role."""
        return connect(self.settings("watcher"))

    def disturbed(self, call: str, way: str) -> NovaClient:
        """Connect through a proxy."""
        proxy = Proxy(self.process.auth_url.removesuffix("/v3"), self.process.compute, way, *_REQUESTS[call])
        self._proxies.append(proxy)
        patience = 1.0 if way == "unanswered" else 60.0
        # Where only an action is disturbed, logging in and reads keep the time that a busy machine needs.
        others = 60.0 if call == "evacuate" else patience
        return connect(self.settings(auth_url=proxy.auth_url, api_timeout=others, action_timeout=patience))

    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Ask again and again."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds:g} s"
            time.sleep(_POLL_SECONDS)
