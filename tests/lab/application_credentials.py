# SPDX-License-Identifier: Apache-2.0
"""Application credentials in the lab's real Keystone, made as pcs-examples/CREDENTIALS.md says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from keystoneauth1 import adapter
from keystoneauth1.identity import v3

from tests.lab import layout
from tests.lab.lab import Lab
from tests.lab.openstack import names

PAGE = layout.checkout() / "pcs-examples" / "CREDENTIALS.md"
CLOUDS = "etc/nova-ha/clouds.yaml"
_NAME = "nova-ha"
_PASSWORD = "secret-of-nobody-else"

Rules = list[dict[str, str]]


def rules_of_the_page() -> Rules:
    """Return the access rules that an admin copies from the page."""
    (block,) = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    found: Rules = json.loads(block)
    return found


@dataclass(frozen=True)
class Maker:
    """The user nova-ha, who has the role admin in a project of its own and makes credentials of it."""

    lab: Lab
    user: str

    @classmethod
    def of(cls, lab: Lab) -> Maker:
        """Make project and user."""
        keystone = adapter.Adapter(lab.openstack.client.session, endpoint_override=names.AUTH_URL)
        project = _create(keystone, "project", name=_NAME)
        user = _create(keystone, "user", name=_NAME, password=_PASSWORD)
        (role,) = keystone.get("/roles?name=admin").json()["roles"]
        keystone.put(f"/projects/{project}/users/{user}/roles/{role['id']}")
        return cls(lab, user)

    def make(self, name: str, rules: Rules) -> str:
        """Make a restricted credential with the role admin and these rules; return its id."""
        auth = v3.Password(
            names.AUTH_URL, username=_NAME, password=_PASSWORD, project_name=_NAME,
            user_domain_id="default", project_domain_id="default",
        )  # fmt: skip
        own = adapter.Adapter(self.lab.openstack.client.session_of(auth), endpoint_override=names.AUTH_URL)
        asked = {"name": name, "secret": names.APPLICATION_SECRET, "roles": [{"name": "admin"}],
                 "unrestricted": False, "access_rules": rules}  # fmt: skip
        path = f"/users/{self.user}/application_credentials"
        made = own.post(path, json={"application_credential": asked}).json()["application_credential"]
        return str(made["id"])


def _create(keystone: adapter.Adapter, kind: str, **fields: str) -> str:
    return str(keystone.post(f"/{kind}s", json={kind: {**fields, "domain_id": "default"}}).json()[kind]["id"])


def status_of(lab: Lab, credential: str, method: str, path: str, service: str = "compute") -> int:
    """Return the HTTP status of a request that is made with a credential."""
    auth = v3.ApplicationCredential(
        names.AUTH_URL, application_credential_id=credential,
        application_credential_secret=names.APPLICATION_SECRET,
    )  # fmt: skip
    session = lab.openstack.client.session_of(auth)
    asked = adapter.Adapter(session, service_type=service, interface="internal")
    return int(asked.request(path, method, raise_exc=False).status_code)


def write_clouds(lab: Lab, credential: str, *controllers: str) -> None:
    """Let the product on some controllers use an application credential from now on."""
    for node in controllers:
        file = lab.disk(node) / CLOUDS
        clouds: dict[str, Any] = json.loads(file.read_text())
        clouds["clouds"]["lab"]["auth"] = {
            "auth_url": names.PUBLIC_AUTH_URL,
            "application_credential_id": credential,
            "application_credential_secret": names.APPLICATION_SECRET,
        }
        file.write_text(json.dumps(clouds))
