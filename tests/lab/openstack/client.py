# SPDX-License-Identifier: Apache-2.0
"""The admin's view of the lab's cloud: boot servers in any state, list what there is, delete it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests
from keystoneauth1 import adapter, plugin, session
from keystoneauth1 import exceptions as keystone_errors
from keystoneauth1.identity import v3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from tests.lab.errors import LabError

from . import names
from .fabric import Fabric, network_of

# More requests at a time only make each of them slower on two cores.
PARALLEL = 4
POLL_SECONDS = 1.0
PAGE = 1000
POWER_STATES = {0: "nostate", 1: "running", 3: "paused", 4: "shutdown", 6: "crashed", 7: "suspended"}
# What brings an ACTIVE server into another state.
ACTIONS: dict[str, dict[str, Any]] = {
    "SHUTOFF": {"os-stop": None},
    "PAUSED": {"pause": None},
    "SUSPENDED": {"suspend": None},
    "RESCUE": {"rescue": {}},
    "ERROR": {"os-resetState": {"state": "error"}},
}
STATES = ("ACTIVE", *ACTIONS)
POLICIES = ("affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity")


@dataclass(frozen=True)
class Server:
    """One server as the API shows it to an admin."""

    id: str
    name: str
    status: str
    task: str
    host: str
    power: str
    fault: str = ""


class FabricAdapter(HTTPAdapter):
    """Let requests connect inside the fabric's network, from whatever network this process is in."""

    def __init__(self, fabric: Fabric):
        self._fabric = fabric
        super().__init__(pool_maxsize=PARALLEL * 2)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        fabric = self._fabric

        class Connection(HTTPConnection):
            def _new_conn(self) -> Any:
                with network_of(fabric):
                    return super()._new_conn()

        class Pool(HTTPConnectionPool):
            ConnectionCls = Connection

        self.poolmanager.pool_classes_by_scheme = {"http": Pool}


class Client:
    """The lab's cloud for an admin. Every method raises LabError when the cloud does not do as told."""

    def __init__(self, fabric: Fabric):
        self._fabric = fabric

    def session_of(self, auth: plugin.BaseAuthPlugin) -> session.Session:
        """Return a session with these credentials that works from outside of the lab."""
        http = requests.Session()
        http.mount("http://", FabricAdapter(self._fabric))
        return session.Session(auth, session=http, timeout=60)

    @cached_property
    def session(self) -> session.Session:
        """Return a keystoneauth session of the admin that works from outside of the lab."""
        return self.session_of(v3.Password(names.AUTH_URL, **names.ADMIN))

    @cached_property
    def nova(self) -> adapter.Adapter:
        """Return the compute API at the lab's microversion."""
        return adapter.Adapter(
            self.session,
            service_type="compute",
            interface="internal",
            default_microversion=names.MICROVERSION,
        )

    @cached_property
    def _image(self) -> str:
        glance = adapter.Adapter(self.session, service_type="image", interface="internal")
        images = glance.get("/v2/images").json()["images"]
        return str(next(image["id"] for image in images if image["name"] == names.IMAGE))

    def boot(
        self, count: int, *, host: str | None = None, prefix: str = "vm", state: str = "ACTIVE",
        flavor: str = "tiny", group: str | None = None, timeout: float = 120.0,
    ) -> list[Server]:  # fmt: skip
        """Boot servers named PREFIX-0, PREFIX-1, ... and wait until all are in `state`.

        Args:
            count: how many.
            host: the compute node they are put on, whatever the scheduler prefers; None: where it likes.
            prefix: of their names.
            state: one of STATES.
            flavor: one of names.FLAVORS.
            group: id of a server group, see `create_group`.
            timeout: seconds for all of them together.
        """
        taken = {server.name for server in self.servers()}
        numbers = (number for number in range(len(taken) + count) if f"{prefix}-{number}" not in taken)
        new_names = [f"{prefix}-{number}" for number, _ in zip(numbers, range(count), strict=False)]
        with ThreadPoolExecutor(PARALLEL) as pool:
            ids = list(pool.map(lambda name: self._create(name, host, flavor, group), new_names))
        deadline = time.monotonic() + timeout
        self.wait_for(ids, "ACTIVE", deadline)
        if state != "ACTIVE":
            with ThreadPoolExecutor(PARALLEL) as pool:
                list(pool.map(lambda uuid: self.act(uuid, ACTIONS[state]), ids))
        return self.wait_for(ids, state, deadline)

    def _create(self, name: str, host: str | None, flavor: str, group: str | None) -> str:
        server = {
            "name": name,
            "flavorRef": names.FLAVORS[flavor]["id"],
            "imageRef": self._image,
            "networks": "none",
            **({"host": host} if host else {}),
        }
        hints = {"os:scheduler_hints": {"group": group}} if group else {}
        return str(
            self._call(self.nova.post, "/servers", json={"server": server, **hints}).json()["server"]["id"]
        )

    def act(self, uuid: str, action: dict[str, Any]) -> None:
        """Do something to one server: the body of Nova's `POST /servers/UUID/action`."""
        self._call(self.nova.post, f"/servers/{uuid}/action", json=action)

    def wait_for(self, ids: Iterable[str], state: str, deadline: float) -> list[Server]:
        """Wait until servers are in a state with no task under way; `deadline` is of time.monotonic()."""
        wanted = set(ids)
        while True:
            found = [server for server in self.servers() if server.id in wanted]
            waiting = [server for server in found if server.status != state or server.task]
            if len(found) == len(wanted) and not waiting:
                return found
            failed = [server for server in waiting if server.status == "ERROR" and state != "ERROR"]
            if failed:
                raise LabError(f"server {failed[0].name} went into ERROR: {failed[0].fault}")
            if time.monotonic() > deadline:
                late = ", ".join(f"{server.name} ({server.status}, {server.task})" for server in waiting)
                raise LabError(f"not {state} in time: {late}")
            time.sleep(POLL_SECONDS)

    def create_group(self, name: str, policy: str) -> str:
        """Create a server group with one of POLICIES and return its id."""
        body = {"server_group": {"name": name, "policy": policy}}
        return str(self._call(self.nova.post, "/os-server-groups", json=body).json()["server_group"]["id"])

    def servers(self, host: str | None = None) -> list[Server]:
        """Return all servers, or those of a host, by name."""
        query = f"/servers/detail?all_tenants=1&limit={PAGE}" + (f"&host={host}" if host else "")
        found: list[Server] = []
        marker = ""
        while page := self._call(self.nova.get, query + marker).json()["servers"]:
            found += map(_server, page)
            marker = f"&marker={page[-1]['id']}"
            if len(page) < PAGE:
                break
        return sorted(found, key=lambda server: _natural(server.name))

    def services(self) -> list[dict[str, Any]]:
        """Return Nova's services as the API gives them."""
        return list(self._call(self.nova.get, "/os-services").json()["services"])

    def hosts_that_placement_avoids(self) -> set[str]:
        """Return the hosts that get no servers from the scheduler, though their service may be enabled.

        nova-api tells a nova-compute that it was enabled; one that seems down at that moment, or is too busy,
        takes the trait off at its next look at its resources (update_resources_interval).
        """
        placement = adapter.Adapter(
            self.session, service_type="placement", interface="internal", default_microversion="1.18"
        )
        found = self._call(placement.get, "/resource_providers?required=COMPUTE_STATUS_DISABLED").json()
        return {str(provider["name"]) for provider in found["resource_providers"]}

    def migrations(self) -> list[dict[str, Any]]:
        """Return Nova's migration records as the API gives them, newest first."""
        listed: list[dict[str, Any]] = self._call(self.nova.get, f"/os-migrations?limit={PAGE}").json()[
            "migrations"
        ]
        return listed

    def update_service(self, host: str, **change: object) -> None:
        """Change the nova-compute service of a host, such as `forced_down=True` or `status="disabled"`."""
        found = [one for one in self.services() if (one["binary"], one["host"]) == ("nova-compute", host)]
        if not found:
            raise LabError(f"Nova knows no nova-compute on '{host}'")
        self._call(self.nova.put, f"/os-services/{found[0]['id']}", json=change)

    def add_admin(self, name: str, password: str) -> None:
        """Create another user who is an admin in the admin's project."""
        keystone = adapter.Adapter(self.session, endpoint_override=names.AUTH_URL)
        user = {"name": name, "password": password, "domain_id": "default"}
        user_id = self._call(keystone.post, "/users", json={"user": user}).json()["user"]["id"]
        (role,) = self._call(keystone.get, "/roles?name=admin").json()["roles"]
        project = self.session.get_project_id()
        self._call(keystone.put, f"/projects/{project}/users/{user_id}/roles/{role['id']}")

    def add_region(self, region: str, url_of_nova: str) -> None:
        """Add a region to Keystone's catalog in which Nova has another URL."""
        keystone = adapter.Adapter(self.session, endpoint_override=names.AUTH_URL)
        self._call(keystone.post, "/regions", json={"region": {"id": region}})
        (nova,) = self._call(keystone.get, "/services?type=compute").json()["services"]
        endpoint = {"service_id": nova["id"], "interface": "public", "url": url_of_nova, "region_id": region}
        self._call(keystone.post, "/endpoints", json={"endpoint": endpoint})

    def delete_all(self, timeout: float = 60.0) -> None:
        """Delete every server and wait until Nova has none."""
        deadline = time.monotonic() + timeout
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(
                pool.map(
                    lambda server: self._call(self.nova.delete, f"/servers/{server.id}", raise_exc=False),
                    self.servers(),
                )
            )
        while left := self.servers():
            if time.monotonic() > deadline:
                raise LabError(
                    f"{len(left)} servers are still there after {timeout:.0f} s, such as {left[0].name}"
                )
            time.sleep(POLL_SECONDS)

    def _call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except (keystone_errors.ClientException, OSError) as error:
            raise LabError(f"Nova does not do it: {error}") from error


def _server(shown: dict[str, Any]) -> Server:
    power = shown["OS-EXT-STS:power_state"]
    return Server(
        id=shown["id"],
        name=shown["name"],
        status=shown["status"],
        task=shown["OS-EXT-STS:task_state"] or "",
        host=shown["OS-EXT-SRV-ATTR:host"] or "",
        power=POWER_STATES.get(power, str(power)),
        fault=(shown.get("fault") or {}).get("message", ""),
    )


def _natural(name: str) -> tuple[str, int]:
    prefix, _, number = name.rpartition("-")
    return (prefix, int(number)) if number.isdigit() else (name, 0)
