# SPDX-License-Identifier: Apache-2.0
"""Project and domains, by name or by id: the nearer source wins, whichever of the two it says."""

from __future__ import annotations

import pytest

from nova_ha.settings.options import FENCE, resolve
from tests.unit.openstack.fake_cloud import KEYSTONE
from tests.unit.openstack.test_credentials import CLOUDS, identity_sent

#: What Horizon's file openrc.sh sets, for an admin who is not of the domain Default.
HORIZON = {
    "OS_AUTH_URL": KEYSTONE,
    "OS_USERNAME": "admin",
    "OS_PASSWORD": "secret",
    "OS_PROJECT_ID": "id-of-ops",
    "OS_PROJECT_NAME": "ops",
    "OS_PROJECT_DOMAIN_ID": "id-of-domain",
    "OS_USER_DOMAIN_ID": "id-of-domain",
}


@pytest.mark.parametrize(
    ("given", "domain", "project"),
    [
        ({}, {"id": "id-of-domain"}, {"id": "id-of-ops"}),
        ({"tenant-name": "x"}, {"id": "id-of-domain"}, {"name": "x", "domain": {"id": "id-of-domain"}}),
        ({"user_domain": "Ops"}, {"name": "Ops"}, {"id": "id-of-ops"}),
        ({"project_id": "other", "user_domain_id": "o"}, {"id": "o"}, {"id": "other"}),
        (
            {"project_name": "x", "project_domain": "Ops"},
            {"id": "id-of-domain"},
            {"name": "x", "domain": {"name": "Ops"}},
        ),
    ],
)
def test_ids_of_the_environment(given, domain, project):
    """Project and domains may be named by their ids; a name that is given wins over the environment's id."""
    found = identity_sent(resolve(FENCE, given, HORIZON))
    assert domain == found["identity"]["password"]["user"]["domain"]
    assert project == found["scope"]["project"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"project_name": "x", "user_domain": "U"},
            ({"name": "U"}, {"name": "x", "domain": {"name": "Ops"}}),
        ),
        ({"project_id": "i", "user_domain_id": "u"}, ({"id": "u"}, {"id": "i"})),
    ],
)
def test_names_and_ids_outrank_those_of_the_cloud(tmp_path, given, expected):
    """A name that is given hides the cloud's id of the same thing, an id its name."""
    path = tmp_path / "clouds.yaml"
    text = CLOUDS.format(password="secret", more="").replace("project_name: ops", "project_id: id-of-ops")
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    found = identity_sent({"cloud": "lab", "clouds_yaml": str(path), **given})
    assert expected == (found["identity"]["password"]["user"]["domain"], found["scope"]["project"])
