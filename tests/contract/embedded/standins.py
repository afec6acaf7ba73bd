# SPDX-License-Identifier: Apache-2.0
"""As much of Keystone, Glance and Neutron as Nova and its clients ask for, behind one port.

Keystone gives tokens for passwords and says what a token is worth: Nova runs with the real keystonemiddleware
and its real policy. Glance knows one image. Neutron knows that there is nothing.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.embedded.web import Environ

IMAGE = "6a9c6a3e-7e0b-4e05-9a8e-6f1d8f2b7c11"
REGION = "RegionOne"
PASSWORD = "secret-admin"

#: The users and their roles; each has one project of its own name, but for Nova's own user.
USERS: Mapping[str, tuple[str, ...]] = {
    "admin": ("admin", "manager", "member", "reader"),
    "watcher": ("watcher", "member", "reader"),
    "member": ("member", "reader"),
    "nova": ("admin", "service", "member", "reader"),
}

_EMPTY = re.compile(r"/network/v2\.0/([a-z-]+)(\.json)?")
_NEVER = "2100-01-01T00:00:00.000000Z"
_BEGINNING = "2026-01-01T00:00:00.000000Z"

Answer = tuple[int, Mapping[str, Any], Mapping[str, str]]


def identity(name: str, kind: str) -> str:
    """Return the id of a user or project."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{name}").hex


@dataclass
class StandIns:
    """Keystone below ``/identity``, Glance below ``/image``, Neutron below ``/network``.

    Attributes:
        endpoints: URL by service type, for Keystone's catalog.
        tokens: user name by token.
        logins: how many tokens were given.
    """

    endpoints: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    logins: int = 0

    def revoke(self) -> None:
        """Let every token of a user be worth nothing; Nova's own keep their worth."""
        self.tokens = {token: name for token, name in self.tokens.items() if name == "nova"}

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request: the WSGI application."""
        status, body, headers = self._answer(environ)
        content = json.dumps(body).encode()
        start_response(
            f"{status} {'OK' if status < 400 else 'Error'}",
            [("Content-Type", "application/json"), ("Content-Length", str(len(content))), *headers.items()],
        )
        return [content]

    def _answer(self, environ: Environ) -> Answer:
        path = environ["PATH_INFO"].rstrip("/")
        if path == "/identity/v3/auth/tokens":
            return self._log_in(environ) if environ["REQUEST_METHOD"] == "POST" else self._validate(environ)
        if path in ("/identity", "/identity/v3"):
            return _identity_versions(self.endpoints["identity"], single=path.endswith("v3"))
        if path == f"/image/v2/images/{IMAGE}":
            return 200, _image(), {}
        if path == "/image/v2/schemas/image":
            # What is in the schema is an attribute of the image; Nova takes everything else for metadata.
            return 200, {"name": "image", "properties": {name: {} for name in _image()}}, {}
        empty = _EMPTY.fullmatch(path)
        if empty:
            return 200, {empty[1].replace("-", "_"): []}, {}
        return _other_versions(path)

    def _log_in(self, environ: Environ) -> Answer:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        asked = json.loads(environ["wsgi.input"].read(length))["auth"]["identity"]["password"]["user"]
        name = asked.get("name", "")
        if name not in USERS or asked["password"] != PASSWORD:
            return _unauthorized()
        token = uuid.uuid4().hex
        self.tokens[token] = name
        self.logins += 1
        return 201, self._token(name), {"X-Subject-Token": token}

    def _validate(self, environ: Environ) -> Answer:
        if environ.get("HTTP_X_AUTH_TOKEN") not in self.tokens:
            return _unauthorized()
        token = environ.get("HTTP_X_SUBJECT_TOKEN", "")
        if token not in self.tokens:
            return 404, {"error": {"code": 404, "title": "Not Found", "message": "no such token"}}, {}
        return 200, self._token(self.tokens[token]), {"X-Subject-Token": token}

    def _token(self, name: str) -> dict[str, Any]:
        domain = {"id": "default", "name": "Default"}
        project = "service" if name == "nova" else name
        return {
            "token": {
                "methods": ["password"],
                "expires_at": _NEVER,
                "issued_at": _BEGINNING,
                "audit_ids": [uuid.uuid4().hex],
                "user": {"id": identity(name, "user"), "name": name, "domain": domain},
                "project": {"id": identity(project, "project"), "name": project, "domain": domain},
                "roles": [{"id": identity(role, "role"), "name": role} for role in USERS[name]],
                "catalog": [self._service(kind, url) for kind, url in self.endpoints.items()],
            }
        }

    def _service(self, kind: str, url: str) -> dict[str, Any]:
        endpoints = [
            {"id": uuid.uuid4().hex, "interface": side, "region": REGION, "region_id": REGION, "url": url}
            for side in ("public", "internal", "admin")
        ]
        return {"id": uuid.uuid4().hex, "type": kind, "name": kind, "endpoints": endpoints}


def _unauthorized() -> Answer:
    return 401, {"error": {"code": 401, "title": "Unauthorized", "message": "wrong password or token"}}, {}


def _identity_versions(url: str, *, single: bool) -> Answer:
    version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": f"{url}/v3/"}]}
    return (200, {"version": version}, {}) if single else (300, {"versions": {"values": [version]}}, {})


def _other_versions(path: str) -> Answer:
    versions = {"/image": "v2.17", "/network": "v2.0"}
    if path in versions:
        return 200, {"versions": [{"id": versions[path], "status": "CURRENT", "links": []}]}, {}
    return 404, {"message": f"the stand-in has no {path}"}, {}


def _image() -> dict[str, Any]:
    return {
        "id": IMAGE,
        "name": "blank",
        "status": "active",
        "visibility": "public",
        "disk_format": "raw",
        "container_format": "bare",
        "size": 1,
        "min_disk": 0,
        "min_ram": 0,
        "checksum": "d41d8cd98f00b204e9800998ecf8427e",
        "owner": identity("admin", "project"),
        "protected": False,
        "tags": [],
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "self": f"/v2/images/{IMAGE}",
        "file": f"/v2/images/{IMAGE}/file",
        "schema": "/v2/schemas/image",
    }
