# SPDX-License-Identifier: Apache-2.0
"""The simulated Nova, and as much Keystone as it takes, behind HTTP: for the real clients, without a network.

    access = open_session(settings)          # auth_url=http://keystone.test/v3
    mount(SimulatedNova(cloud), access.session.session)

Every request of that `requests` session ends here; faults of the transport appear as the exceptions that a
real socket would cause.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any, Callable
from urllib.parse import parse_qsl, urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter

from nova_ha.testing import nova_json
from nova_ha.testing.faults import ApiError, TimedOut, Unreachable
from nova_ha.testing.nova import SimulatedNova

KEYSTONE = "http://keystone.test"
NOVA = "http://nova.test/v2.1"
#: The name and the password that `Transport` accepts.
CREDENTIALS = ("admin", "secret-admin")

_ID = "([^/]+)"
Answer = tuple[int, Any, dict[str, str]]
Handler = Callable[..., Answer]


def mount(nova: SimulatedNova, session: requests.Session, page: int = 1000) -> Transport:
    """Send everything that a session requests to a simulated Nova; return what answers.

    Args:
        nova: the simulation.
        session: the session of a real client.
        page: items in each page of a list (Nova's ``max_limit``).
    """
    transport = Transport(nova, page)
    session.mount("http://", transport)
    return transport


class Transport(BaseAdapter):
    """Answers requests; `requests` is what came: method, path and query."""

    def __init__(self, nova: SimulatedNova, page: int = 1000) -> None:
        super().__init__()
        self._nova = nova
        self._page = page
        self.requests: list[str] = []
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(pattern), handler)
            for method, pattern, handler in (
                ("POST", "/v3/auth/tokens", self._token),
                ("GET", "/v2.1/os-services", self._services),
                ("PUT", f"/v2.1/os-services/{_ID}", self._put_service),
                ("GET", "/v2.1/servers/detail", self._servers),
                ("GET", f"/v2.1/servers/{_ID}", self._server),
                ("POST", f"/v2.1/servers/{_ID}/action", self._act),
                ("GET", f"/v2.1/servers/{_ID}/os-instance-actions", self._actions),
                ("GET", f"/v2.1/servers/{_ID}/os-instance-actions/{_ID}", self._action),
                ("GET", "/v2.1/os-migrations", self._migrations),
                ("GET", "/v2.1/os-server-groups", self._groups),
            )
        ]

    def send(
        self, request: requests.PreparedRequest, *_arguments: object, **_named: object
    ) -> requests.Response:
        """Answer one request, or raise what a socket would."""
        url = urlsplit(str(request.url))
        self.requests.append(f"{request.method} {url.path}" + (f"?{url.query}" if url.query else ""))
        body = json.loads(request.body) if request.body and isinstance(request.body, (str, bytes)) else {}
        query = dict(parse_qsl(url.query))
        try:
            status, shown, headers = self._answer(str(request.method), url.path, query, body)
        except ApiError as error:
            status, headers = error.status, {}
            shown = {"error": {"code": error.status, "message": error.message}}
        except Unreachable as error:
            raise _refused(request, str(error)) from error
        except TimedOut as error:
            raise requests.exceptions.ReadTimeout(str(error), request=request) from error
        return _response(request, status, shown, headers)

    def close(self) -> None:
        """Do nothing: there are no connections."""

    def _answer(self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        for known, pattern, handler in self._routes:
            found = pattern.fullmatch(path)
            if known == method and found:
                return handler(*found.groups(), query=query, body=body)
        raise ApiError(404, f"The simulation has no {method} {path}")

    # --- Keystone -----------------------------------------------------------------------------------------

    def _token(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """Give a token and the catalog for the one password that is right."""
        user = body["auth"]["identity"].get("password", {}).get("user", {})
        if (user.get("name"), user.get("password")) != CREDENTIALS:
            raise ApiError(401, "The request you have made requires authentication.")
        endpoints = [
            {"id": kind, "interface": kind, "region": "RegionOne", "region_id": "RegionOne", "url": NOVA}
            for kind in ("public", "internal", "admin")
        ]
        catalog = [{"id": "nova", "type": "compute", "name": "nova", "endpoints": endpoints}]
        token = {
            "methods": ["password"],
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "catalog": catalog,
            "roles": [{"id": "admin", "name": "admin"}],
            "user": {"id": "admin", "name": "admin", "domain": {"id": "default", "name": "Default"}},
            "project": {"id": "admin", "name": "admin", "domain": {"id": "default", "name": "Default"}},
        }
        return 201, {"token": token}, {"X-Subject-Token": "simulated"}

    # --- Nova ---------------------------------------------------------------------------------------------

    def _services(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        if query.get("binary") == "nova-conductor":
            conductors = self._nova.api.conductors()
            return (
                200,
                {"services": [nova_json.conductor_json(n, up=up) for n, up in enumerate(conductors)]},
                {},
            )
        computes = self._nova.api.services()
        return 200, {"services": [nova_json.service_json(self._nova.cloud, c) for c in computes]}, {}

    def _put_service(self, service_id: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        call = "tell_down" if body.get("forced_down") else "clear_forced_down"
        if "forced_down" not in body:
            call = "enable" if body.get("status") == "enabled" else "disable"
        compute = self._nova.api.update_service(call, service_id, body)
        return 200, {"service": nova_json.service_json(self._nova.cloud, compute)}, {}

    def _servers(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        servers = self._nova.api.servers(query.get("host"))
        shown = [nova_json.server_json(server, self._nova.cloud) for server in servers]
        return self._paged("servers", "id", shown, query)

    def _server(self, server_id: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        server = self._nova.api.server(server_id)
        return 200, {"server": nova_json.server_json(server, self._nova.cloud)}, {}

    def _migrations(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        records = self._nova.api.evacuations(query.get("source_compute", ""))
        return self._paged("migrations", "uuid", [nova_json.migration_json(r) for r in records], query)

    def _actions(self, server_id: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        actions = self._nova.api.actions(server_id)
        shown = [nova_json.action_json(action, detail=False) for action in actions]
        return 200, {"instanceActions": shown}, {}

    def _action(
        self, server_id: str, request_id: str, query: Mapping[str, str], body: Mapping[str, Any]
    ) -> Answer:
        for action in self._nova.api.actions(server_id):
            if action.request_id == request_id:
                return 200, {"instanceAction": nova_json.action_json(action, detail=True)}, {}
        raise ApiError(404, f"Action for request_id {request_id} could not be found")

    def _groups(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        groups = self._nova.api.server_groups()[int(query.get("offset", "0")) :][: self._page]
        return 200, {"server_groups": [nova_json.group_json(group) for group in groups]}, {}

    def _act(self, server_id: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        if "evacuate" in body:
            request_id = self._nova.api.evacuate(server_id, body["evacuate"].get("host"))
            return 200, None, {"x-openstack-request-id": request_id, "x-compute-request-id": request_id}
        if "os-stop" in body:
            self._nova.api.stop(server_id)
        elif body.get("reboot", {}).get("type") == "HARD":
            self._nova.api.hard_reboot(server_id)
        elif body.get("os-resetState", {}).get("state") == "error":
            self._nova.api.reset_state(server_id)
        else:
            raise ApiError(400, f"There is no such action: {next(iter(body), '')}")
        return 202, None, {}

    def _paged(self, key: str, marker: str, items: list[Any], query: Mapping[str, str]) -> Answer:
        """Return the page after the marker, with a link to the next one if there is one."""
        begin = 0
        if "marker" in query:
            places = [place for place, item in enumerate(items) if item[marker] == query["marker"]]
            if not places:
                raise ApiError(400, f"marker [{query['marker']}] not found")
            begin = places[0] + 1
        page = items[begin : begin + self._page]
        shown: dict[str, Any] = {key: page}
        if begin + self._page < len(items):
            shown[f"{key}_links"] = [{"rel": "next", "href": f"{NOVA}/?marker={page[-1][marker]}"}]
        return 200, shown, {}


def _response(
    request: requests.PreparedRequest, status: int, shown: object, headers: Mapping[str, str]
) -> requests.Response:
    content = b"" if shown is None else json.dumps(shown).encode()
    response = requests.Response()
    response.status_code = status
    response.request = request
    response.url = str(request.url)
    response.headers.update({"Content-Type": "application/json", **headers})
    response.raw = io.BytesIO(content)
    return response


def _refused(request: requests.PreparedRequest, message: str) -> requests.exceptions.ConnectionError:
    """Return what `requests` raises when nobody listens."""
    pool = urllib3.HTTPConnectionPool("nova.test")
    reason = urllib3.exceptions.NewConnectionError(pool, message)  # type: ignore[arg-type]
    too_many = urllib3.exceptions.MaxRetryError(pool, str(request.url), reason)
    return requests.exceptions.ConnectionError(too_many, request=request)
