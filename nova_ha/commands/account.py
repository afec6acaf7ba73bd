# SPDX-License-Identifier: Apache-2.0
"""A cloud as one set of credentials reaches it: Nova, and what else is worth knowing about the account."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from nova_ha.clock import Clock
from nova_ha.openstack.access_rules import SERVICE, uncovered
from nova_ha.openstack.credentials import CloudAccess, Settings, open_session
from nova_ha.openstack.nova import NovaClient
from nova_ha.openstack.nova_errors import translated
from nova_ha.ports import NovaPort


class Account(Protocol):
    """What `doctor` asks about credentials beside Nova; each answer is None when it is unknown."""

    @property
    def nova(self) -> NovaPort:
        """Return Nova."""

    def roles(self) -> frozenset[str] | None:
        """Return the names of the roles that the token has; raise the error of Keystone."""

    def uncovered_calls(self) -> tuple[str, ...]:
        """Return the calls that the access rules of an application credential do not cover."""

    def newest_microversion(self) -> tuple[int, int] | None:
        """Return the newest microversion that Nova's API offers."""

    def clock_offset(self) -> float | None:
        """Return how many seconds Nova's clock is ahead of ours."""


#: Opens the account that some settings describe; raises `ConfigurationError`.
OpenAccount = Callable[[Settings], Account]


class RealAccount:
    """An account in a real cloud.

    Args:
        settings: resolved options.
        clock: our time.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        with translated("load python3-novaclient", str):
            self._access: CloudAccess = open_session(settings)
            self._nova = NovaClient(self._access)

    @property
    def nova(self) -> NovaPort:
        """Return Nova."""
        return self._nova

    def roles(self) -> frozenset[str] | None:
        """Return the names of the roles that the token has."""
        with translated("get a token", str):
            names = self._access.auth.get_access(self._access.session).role_names
        return None if names is None else frozenset(names)

    def uncovered_calls(self) -> tuple[str, ...]:
        """Return the calls that the access rules of an application credential do not cover."""
        with translated("get a token", str):
            token = self._access.auth.get_access(self._access.session)
            granted = getattr(token, "application_credential_access_rules", None)
            url = self._access.session.get_endpoint(**self._endpoint()) if granted is not None else None
        return uncovered(granted, urlsplit(url).path) if granted is not None and url else ()

    def newest_microversion(self) -> tuple[int, int] | None:
        """Return the newest microversion that Nova's API offers."""
        with translated("read Nova's version", str):
            data = self._access.session.get_endpoint_data(**self._endpoint())
        newest = getattr(data, "max_microversion", None)
        return (int(newest[0]), int(newest[1])) if newest else None

    def clock_offset(self) -> float | None:
        """Return how many seconds Nova's clock is ahead of ours; its answers have whole seconds."""
        with translated("ask Nova for the time", str):
            begun = self._clock.now()
            answer = self._access.session.get(
                "/os-services?binary=nova-compute", endpoint_filter=self._endpoint()
            )
            ended = self._clock.now()
        date = answer.headers.get("Date")
        if not date:
            return None
        offset = parsedate_to_datetime(date).timestamp() + 0.5 - (begun + ended) / 2
        return float(offset)

    def _endpoint(self) -> dict[str, Any]:
        """Return what says which of the catalog's endpoints is Nova's."""
        place = {"interface": self._access.interface, "region_name": self._access.region_name}
        return {"service_type": SERVICE, **place}
