# SPDX-License-Identifier: Apache-2.0
"""Credentials from options, the environment and clouds.yaml become a session; every mistake is named."""

from __future__ import annotations

import pytest

from nova_ha.errors import ConfigurationError
from nova_ha.openstack.credentials import open_session
from nova_ha.settings.options import FENCE, resolve
from tests.unit.openstack.fake_cloud import KEYSTONE, FakeCloud

PASSWORD = {"auth_url": KEYSTONE, "username": "admin", "password": "secret", "project_name": "ops"}
CLOUDS = """
clouds:
  lab:
    auth:
      auth_url: http://keystone.example/v3
      username: admin
      password: {password}
      project_name: ops
      user_domain_id: default
      project_domain_name: Ops
    region_name: RegionTwo
    interface: publicURL
{more}
"""


def identity_sent(settings):
    """Return the body with which Keystone is asked for a token."""
    cloud = FakeCloud()
    access = open_session(settings)
    cloud.mount(access.session)
    access.session.get_auth_headers()
    (request,) = cloud.sent("POST", "/v3/auth/tokens")
    return request.body["auth"]


@pytest.fixture
def clouds_yaml(tmp_path):
    """Write a clouds.yaml and return its path."""

    def write(text=None, mode=0o600, name="clouds.yaml", password="secret", more=""):
        path = tmp_path / name
        path.write_text(text or CLOUDS.format(password=password, more=more), encoding="utf-8")
        path.chmod(mode)
        return str(path)

    return write


def refusal(settings):
    """Return the text of the refusal of some settings; it is one line."""
    with pytest.raises(ConfigurationError) as caught:
        open_session(settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "url", [KEYSTONE, f"{KEYSTONE}/", f"{KEYSTONE}/v3", f"{KEYSTONE}/v3/", f"{KEYSTONE}/v2.0"]
)
def test_password(url):
    """User and password are sent to version 3, whatever version the URL names; both domains are Default."""
    auth = identity_sent({**PASSWORD, "auth_url": url})
    user = auth["identity"]["password"]["user"]
    assert {"name": "admin", "password": "secret", "domain": {"name": "Default"}} == user
    assert {"name": "ops", "domain": {"name": "Default"}} == auth["scope"]["project"]


def test_domains():
    """The domains of user and project are the admin's."""
    auth = identity_sent({**PASSWORD, "user_domain": "People", "project_domain": "Machines"})
    assert "People" == auth["identity"]["password"]["user"]["domain"]["name"]
    assert "Machines" == auth["scope"]["project"]["domain"]["name"]


def test_application_credential():
    """An application credential is sent by its id, without a scope."""
    settings = {
        "auth_url": KEYSTONE,
        "application_credential_id": "id",
        "application_credential_secret": "s",
    }
    auth = identity_sent(settings)
    assert {"id": "id", "secret": "s"} == {
        key: auth["identity"]["application_credential"][key] for key in ("id", "secret")
    }
    assert "scope" not in auth


def test_application_credential_by_name():
    """An application credential may be named together with its user."""
    settings = {
        "auth_url": KEYSTONE,
        "username": "admin",
        "application_credential_name": "ha",
        "application_credential_secret": "s",
    }
    found = identity_sent(settings)["identity"]["application_credential"]
    assert ("ha", "admin", "Default") == (
        found["name"],
        found["user"]["name"],
        found["user"]["domain"]["name"],
    )


def test_environment():
    """The usual variables alone are enough."""
    environ = {
        "OS_AUTH_URL": KEYSTONE,
        "OS_USERNAME": "admin",
        "OS_PASSWORD": "secret",
        "OS_PROJECT_NAME": "ops",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
    }
    assert "ops" == identity_sent(resolve(FENCE, {}, environ))["scope"]["project"]["name"]


@pytest.mark.parametrize("missing", sorted(PASSWORD))
def test_missing_credential(missing):
    """What is missing is named, with where it may be given."""
    text = refusal({name: value for name, value in PASSWORD.items() if name != missing})
    assert text.startswith(f"{missing}: missing; give")


def test_missing_secret():
    """An application credential without its secret is refused."""
    text = refusal({"auth_url": KEYSTONE, "application_credential_id": "id"})
    assert text.startswith("application_credential_secret: missing")


# --- clouds.yaml ------------------------------------------------------------------------------------------


def test_cloud(clouds_yaml):
    """A cloud's entry says everything: credentials, domains by id or name, region and interface."""
    settings = {"cloud": "lab", "clouds_yaml": clouds_yaml()}
    access, auth = open_session(settings), identity_sent(settings)
    assert ("public", "RegionTwo") == (access.interface, access.region_name)
    assert {"id": "default"} == auth["identity"]["password"]["user"]["domain"]
    assert {"name": "ops", "domain": {"name": "Ops"}} == auth["scope"]["project"]


def test_options_outrank_the_cloud(clouds_yaml):
    """An option that is given wins over the cloud's entry."""
    settings = {"cloud": "lab", "clouds_yaml": clouds_yaml(), "region_name": "Three", "interface": "admin"}
    access = open_session(settings)
    assert ("admin", "Three") == (access.interface, access.region_name)


def test_internal_is_the_default():
    """When nothing says otherwise, Nova's internal endpoint of the only region is used."""
    access = open_session(PASSWORD)
    assert ("internal", None) == (access.interface, access.region_name)


def test_secure_yaml(clouds_yaml):
    """The secret may stand in secure.yaml, and then everybody may read clouds.yaml."""
    clouds_yaml("clouds: {lab: {auth: {password: from-secure}}}", name="secure.yaml")
    settings = {"cloud": "lab", "clouds_yaml": clouds_yaml(password="''", mode=0o644)}
    assert "from-secure" == identity_sent(settings)["identity"]["password"]["user"]["password"]


def test_search_order(clouds_yaml, tmp_path, monkeypatch):
    """Without a path the file is looked for in the current folder, then at home."""
    home = tmp_path / "home" / ".config" / "openstack"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    (home / "clouds.yaml").write_text(CLOUDS.format(password="at-home", more=""), encoding="utf-8")
    (home / "clouds.yaml").chmod(0o600)
    assert "at-home" == identity_sent({"cloud": "lab"})["identity"]["password"]["user"]["password"]
    clouds_yaml(password="here")
    monkeypatch.chdir(tmp_path)
    assert "here" == identity_sent({"cloud": "lab"})["identity"]["password"]["user"]["password"]


def test_exposed_file(clouds_yaml):
    """A file with secrets that everybody may read is refused with the command that mends it."""
    path = clouds_yaml(mode=0o644)
    assert f"run: chmod 600 {path}" in refusal({"cloud": "lab", "clouds_yaml": path})


def test_unknown_cloud(clouds_yaml):
    """A cloud that the file does not have is named together with those that it has."""
    assert "cloud=other" in refusal({"cloud": "other", "clouds_yaml": clouds_yaml()})
    assert "only: lab" in refusal({"cloud": "other", "clouds_yaml": clouds_yaml()})


def test_missing_file(tmp_path):
    """A file that does not exist is named with the system's reason."""
    path = tmp_path / "none.yaml"
    text = refusal({"cloud": "lab", "clouds_yaml": str(path)})
    assert f"clouds_yaml={path}: cannot be read (No such file or directory)" == text


@pytest.mark.parametrize(
    "text", ["clouds: [", "clouds:\n  lab:\n    auth:\n      password: secret: x", "- a", "clouds: [a]"]
)
def test_broken_file(clouds_yaml, text):
    """A file that is no mapping of clouds is refused, and nothing of its content is shown."""
    message = refusal({"cloud": "lab", "clouds_yaml": clouds_yaml(text)})
    assert message.startswith("clouds_yaml=")
    assert "secret" not in message


def test_system_scope(clouds_yaml):
    """A cloud with system scope is refused, for Nova would refuse it."""
    text = "clouds: {lab: {auth: {auth_url: 'http://k', username: a, password: b, system_scope: all}}}"
    assert refusal({"cloud": "lab", "clouds_yaml": clouds_yaml(text)}).startswith(
        "system_scope: Nova refuses"
    )


# --- TLS --------------------------------------------------------------------------------------------------


def verification(settings):
    """Return how a session checks certificates."""
    return open_session(settings).session.verify


def test_certificates_are_verified():
    """Certificates are checked unless the admin says otherwise, and "false" is not otherwise."""
    assert verification(PASSWORD) is True
    assert verification(resolve(FENCE, {**PASSWORD, "insecure": "false"}, {})) is True
    assert verification(resolve(FENCE, {**PASSWORD, "insecure": "true"}, {})) is False


def test_verification_in_clouds_yaml(clouds_yaml):
    """A cloud may switch the check off, and the option may switch it on again."""
    settings = {"cloud": "lab", "clouds_yaml": clouds_yaml(more="    verify: false")}
    assert verification(settings) is False
    assert verification({**settings, "insecure": False}) is True


def test_verification_must_be_a_boolean(clouds_yaml):
    """A text in the place of true or false is refused, not guessed."""
    settings = {"cloud": "lab", "clouds_yaml": clouds_yaml(more='    verify: "no"')}
    assert refusal(settings).startswith("verify: 'no'")


def test_ca_file(tmp_path):
    """A file of authorities is used for the check, a folder of them too."""
    assert str(tmp_path) == verification({**PASSWORD, "cacert": str(tmp_path)})


def test_ca_file_that_is_missing(tmp_path):
    """A file that cannot be read is named with its option, the reason and what to do."""
    text = refusal({**PASSWORD, "cacert": str(tmp_path / "ca.pem")})
    assert text.startswith(f"cacert={tmp_path / 'ca.pem'}: cannot be read (No such file or directory); give")


def test_ca_file_without_certificate(tmp_path):
    """A file without a certificate is refused before anything is sent."""
    (tmp_path / "ca.pem").write_text("nothing", encoding="utf-8")
    assert "no certificate in PEM form" in refusal({**PASSWORD, "cacert": str(tmp_path / "ca.pem")})
