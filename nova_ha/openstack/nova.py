# SPDX-License-Identifier: Apache-2.0
"""Nova, through python-novaclient on a keystoneauth1 session.

No answer is trusted further than experience allows: every list is read to its end, every server's host is
checked again, and an attribute that is missing is an error and never a default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlencode

from nova_ha.errors import AmbiguousAnswer, NotFound, NovaUnavailable, UntrustworthyAnswer
from nova_ha.model import Attempt, Evacuation, Server, ServerGroup, Service
from nova_ha.openstack.credentials import CloudAccess, Settings, open_session
from nova_ha.openstack.nova_errors import translated
from nova_ha.openstack.nova_parse import attempt, evacuation, required, server, server_group, service

#: One microversion for everything: 2.69 shows down cells, 2.95 would leave every evacuated server stopped
#: (nova.md rule 6), and 2.72 reaches back to Stein.
MICROVERSION = "2.72"

_OK = range(200, 300)
_CONFLICT = 409


def connect(settings: Settings) -> NovaClient:
    """Return Nova as the settings describe it; nothing is sent yet.

    Raises:
        ConfigurationError: a setting is missing or wrong, or python3-novaclient is not installed.
    """
    with translated("load python3-novaclient", str):
        return NovaClient(open_session(settings))


class NovaClient:
    """The port to a real Nova.

    Reads, and updates of services that are answered at once, may be repeated by the client library. Actions
    may not: Nova would evacuate a server twice (nova.md 0.1, 0.3). They go through a client of their own.
    """

    def __init__(self, access: CloudAccess) -> None:
        from novaclient import client

        # novaclient notes every UUID it sees in the home folder; a path that cannot exist prevents that.
        os.environ.setdefault("NOVACLIENT_UUID_CACHE_DIR", "/dev/null/nova-ha")
        place = {"endpoint_type": access.interface, "region_name": access.region_name}
        self._access = access
        self._reads = client.Client(MICROVERSION, session=access.session, connect_retries=1, **place)
        self._actions = client.Client(
            MICROVERSION, session=access.actions, connect_retries=0, status_code_retries=0, **place
        )

    def services(self) -> tuple[Service, ...]:
        """Return every nova-compute service of every cell."""
        with self._reading("list the services"):
            body = self._get("/os-services", binary="nova-compute")
            return tuple(service(item) for item in required(body, "services", "the list of services"))

    def tell_down(self, service: Service, reason: str | None) -> None:
        """Force the service down and, with a reason, disable it, in one request. Idempotent."""
        change: dict[str, object] = {"forced_down": True}
        if reason is not None:
            change.update(status="disabled", disabled_reason=reason)
        self._update(service, "force down", change)

    def clear_forced_down(self, service: Service) -> None:
        """Clear forced_down; raise `StillInUse` while old evacuations are not cleaned up."""
        self._update(service, "clear forced_down of", {"forced_down": False})

    def disable(self, service: Service, reason: str) -> None:
        """Disable the service with a reason; sent once."""
        self._update_once(service, "disable", {"status": "disabled", "disabled_reason": reason})

    def enable(self, service: Service) -> None:
        """Enable the service; sent once."""
        self._update_once(service, "enable", {"status": "enabled"})

    def servers(self, host: str) -> tuple[Server, ...]:
        """Return every server of every project on that host; each one's host attribute was checked.

        A role without the right to filter gets the whole cloud's servers (nova.md 0.9); they are dropped.
        """
        with self._reading(f"list the servers of {host}"):
            pages = self._paged("/servers/detail", "servers", "id", host=host, all_tenants="1")
            return tuple(found for found in map(server, pages) if found.host == host)

    def server(self, server_id: str) -> Server | None:
        """Return a server, or None when it does not exist."""
        try:
            with self._reading(f"show server {server_id}"):
                return server(required(self._get(f"/servers/{server_id}"), "server", f"server {server_id}"))
        except NotFound:
            return None

    def evacuations(self, host: str) -> tuple[Evacuation, ...]:
        """Return every evacuation record whose source is that host, oldest first."""
        with self._reading(f"list the evacuations of {host}"):
            pages = self._paged(
                "/os-migrations", "migrations", "uuid", migration_type="evacuation", source_compute=host
            )
            found = [evacuation(item) for item in pages if item.get("migration_type") == "evacuation"]
        # Nova answers newest first; the stable sort keeps that order reversed within one second.
        found.reverse()
        return tuple(sorted((one for one in found if one.source == host), key=lambda one: one.created_at))

    def attempts(self, server_id: str) -> tuple[Attempt, ...]:
        """Return the server's ``evacuate`` instance actions with their events, oldest first."""
        try:
            with self._reading(f"list the actions of server {server_id}"):
                return tuple(self._attempts(f"/servers/{server_id}/os-instance-actions"))
        except NotFound as error:
            raise UntrustworthyAnswer(str(error)) from error

    def _attempts(self, path: str) -> Iterator[Attempt]:
        """Yield the evacuate actions below a path, oldest first."""
        actions = self._paged(path, "instanceActions", "request_id")
        names = [str(required(one, "request_id", path)) for one in actions if one.get("action") == "evacuate"]
        for name in reversed(names):
            yield attempt(required(self._get(f"{path}/{name}"), "instanceAction", path))

    def server_groups(self) -> tuple[ServerGroup, ...]:
        """Return every server group of every project."""
        found: list[ServerGroup] = []
        with self._reading("list the server groups"):
            while True:
                # The only list of Nova that is paged by offset and tells nothing of a next page.
                body = self._get("/os-server-groups", all_projects="True", offset=str(len(found)))
                page = required(body, "server_groups", "the list of server groups")
                if not page:
                    return tuple(found)
                found.extend(map(server_group, page))

    def conductors_up(self) -> bool:
        """Say whether at least one nova-conductor is up, and none is down."""
        with self._reading("list the conductors"):
            body = self._get("/os-services", binary="nova-conductor")
            conductors = [service(item) for item in required(body, "services", "the list of services")]
        return bool(conductors) and all(conductor.state == "up" for conductor in conductors)

    def evacuate(self, server_id: str, destination: str | None) -> str:
        """Send one evacuate request, never repeated; return its request id."""
        what = f"evacuate server {server_id}"
        self._authenticate(what)
        with self._acting(what):
            answer = self._actions.servers.evacuate(server_id, host=destination)
            if answer[0].status_code not in _OK:
                raise AmbiguousAnswer(f"{what}: unexpected answer, HTTP {answer[0].status_code}")
            return str(answer.request_ids[0]) if answer.request_ids else ""

    def stop(self, server_id: str) -> None:
        """Shut a server off. Idempotent: a server that is off already is no error."""
        what = f"stop server {server_id}"
        self._authenticate(what)
        try:
            with self._acting(what):
                self._actions.servers.stop(server_id)
        except AmbiguousAnswer:
            now = self.server(server_id)
            if now is None or now.vm_state != "stopped":
                raise

    def hard_reboot(self, server_id: str) -> None:
        """Start a server on the host that it is on, whatever its state."""
        what = f"start server {server_id}"
        self._authenticate(what)
        with self._acting(what):
            self._actions.servers.reboot(server_id, "HARD")

    def reset_to_error(self, server_id: str) -> None:
        """Set a server's state to ERROR, so that Nova accepts to evacuate it."""
        what = f"reset server {server_id}"
        self._authenticate(what)
        with self._acting(what):
            self._actions.servers.reset_state(server_id, "error")

    def _update(self, service: Service, verb: str, change: Mapping[str, object]) -> None:
        """Change a service in one request; such a change may be repeated."""
        if not service.id:
            raise NovaUnavailable(f"{verb} {service.host}: Nova cannot reach the cell of this host")
        with self._reading(f"{verb} {service.host}"):
            self._reads.client.put(f"/os-services/{service.id}", body=dict(change))

    def _update_once(self, service: Service, verb: str, change: Mapping[str, object]) -> None:
        """Change a service in one request that the client library does not repeat.

        Nova answers only when the host does, or after 60 s (nova.md 1.3), with the change long made. Seen in
        the lab: the library gave up after 30 s and sent it again, over what ``fence_compute`` had said
        meanwhile. It might as well have been an operator (rule R5).
        """
        what = f"{verb} {service.host}"
        if not service.id:
            raise NovaUnavailable(f"{what}: Nova cannot reach the cell of this host")
        self._authenticate(what)
        with self._reading(what):
            self._actions.client.put(f"/os-services/{service.id}", body=dict(change))

    def _authenticate(self, what: str) -> None:
        """Get a token before an action, so that trouble with Keystone is not mistaken for a lost answer."""
        with self._reading(what):
            self._access.session.get_auth_headers()

    def _get(self, path: str, **query: str) -> Mapping[str, Any]:
        """Return the body of a GET, which must be a JSON object."""
        url = f"{path}?{urlencode(query)}" if query else path
        _response, body = self._reads.client.get(url)
        if not isinstance(body, Mapping):
            raise NovaUnavailable(f"GET {path}: the answer is not JSON; is there a proxy between?")
        return body

    def _paged(self, path: str, key: str, marker: str, **query: str) -> Iterator[Mapping[str, Any]]:
        """Yield every item of a list, page by page, as long as Nova says that there is a next page."""
        while True:
            body = self._get(path, **query)
            page = required(body, key, path)
            yield from page
            links = body.get(f"{key}_links") or body.get("links") or ()
            if not page or not any(link.get("rel") == "next" for link in links):
                return
            query["marker"] = str(required(page[-1], marker, path))

    def _reading(self, what: str) -> AbstractContextManager[None]:
        """Translate errors of a request that may be repeated."""
        return translated(what, self._endpoints)

    def _acting(self, what: str) -> AbstractContextManager[None]:
        """Translate errors of a request that may have taken effect."""
        return translated(what, self._endpoints, action=True)

    def _endpoints(self) -> str:
        """Say which endpoint was looked for, and which ones the catalog has."""
        try:
            catalog = self._access.auth.get_access(self._access.session).service_catalog.catalog
        except Exception:  # noqa: BLE001 - this only helps to word another error
            catalog = []
        entries = [entry for entry in catalog if str(entry.get("type")).startswith("compute")]
        known = sorted(
            {f"{e.get('region')} {e.get('interface')}" for entry in entries for e in entry["endpoints"]}
        )
        wanted = f"region_name={self._access.region_name or ''}, interface={self._access.interface}"
        return f"{wanted}: Keystone knows no such endpoint of Nova, only: {', '.join(known) or 'none'}"
