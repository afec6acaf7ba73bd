# SPDX-License-Identifier: Apache-2.0
"""A Keystone and a Nova that answer inside of the process.

They take the place of the network below requests; everything above is done by the real client libraries.
"""

from __future__ import annotations

import http.client
import json
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

KEYSTONE, NOVA = "http://keystone.example", "http://nova.example"


def refused():
    """Return the error of a connection that was refused."""
    reason = NewConnectionError(None, "Failed to establish a new connection: [Errno 111] Connection refused")
    return requests.ConnectionError(MaxRetryError(None, "/", reason=reason))


def unknown_name():
    """Return the error of a host name that nobody knows."""
    reason = NewConnectionError(None, "[Errno -2] Name or service not known")
    return requests.ConnectionError(MaxRetryError(None, "/", reason=reason))


def connect_timeout():
    """Return the error of a connection that nobody accepts."""
    return requests.ConnectTimeout("connect timed out")


def read_timeout():
    """Return the error of an answer that does not come."""
    return requests.ReadTimeout("Read timed out.")


def dropped():
    """Return the error of a connection that breaks after the request was sent."""
    cause = http.client.RemoteDisconnected("Remote end closed connection without response")
    return requests.ConnectionError(ProtocolError("Connection aborted.", cause))


@dataclass(frozen=True)
class Request:
    """What a client has sent."""

    method: str
    path: str
    query: dict[str, str]
    body: object
    headers: dict[str, str]
    timeout: float | None
    verify: object


@dataclass
class FakeCloud(BaseAdapter):
    """Answers by method and path; each answer is used once, except for the last one."""

    answers: dict[tuple[str, str], deque] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    region: str = "RegionOne"
    interface: str = "internal"

    def __post_init__(self) -> None:
        self.on("POST", "/v3/auth/tokens", (201, self._token(), {"X-Subject-Token": "token-1"}))

    def on(self, method, path, *answers):
        """Answer with (status, body[, headers]), or raise an exception."""
        self.answers[method, path] = deque(answers)

    def mount(self, *sessions):
        """Take the place of the network below some sessions of keystoneauth1."""
        for session in sessions:
            session.session.mount("http://", self)
            session.session.mount("https://", self)

    def sent(self, method, path):
        """Return the requests of a method to a path."""
        return [one for one in self.requests if (one.method, one.path) == (method, path)]

    def send(self, request, **kwargs):
        """Answer a request, as an adapter of requests does."""
        parts = urlsplit(request.url)
        path = parts.path.removeprefix("/v2.1")
        body = json.loads(request.body) if request.body else None
        query = dict(parse_qsl(parts.query))
        timeout, verify = kwargs.get("timeout"), kwargs.get("verify")
        self.requests.append(
            Request(request.method, path, query, body, dict(request.headers), timeout, verify)
        )
        queue = self.answers[request.method, path]
        answer = queue.popleft() if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return self._response(request, *answer)

    def close(self):
        """Have nothing to close."""

    @staticmethod
    def _response(request, status, body, headers=None):
        response = requests.Response()
        response.status_code = status
        response.url = request.url
        response.request = request
        response.headers.update({"Content-Type": "application/json", **(headers or {})})
        response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return response

    def _token(self):
        endpoint = {
            "id": "1",
            "interface": self.interface,
            "region": self.region,
            "region_id": self.region,
            "url": f"{NOVA}/v2.1",
        }
        return {
            "token": {
                "methods": ["password"],
                "user": {"id": "u", "name": "admin", "domain": {"id": "default", "name": "Default"}},
                "project": {"id": "p", "name": "admin", "domain": {"id": "default", "name": "Default"}},
                "roles": [{"id": "r", "name": "admin"}],
                "issued_at": "2026-11-22T00:00:00.000000Z",
                "expires_at": "2999-01-01T00:00:00.000000Z",
                "catalog": [{"id": "c", "type": "compute", "name": "nova", "endpoints": [endpoint]}],
            }
        }
