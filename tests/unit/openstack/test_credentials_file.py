# SPDX-License-Identifier: Apache-2.0
"""Credentials from a file in ini form, and secrets that are not where they ought to be."""

from __future__ import annotations

import pytest

from nova_ha.agents.nova_evacuate import NovaEvacuate
from nova_ha.errors import ConfigurationError
from nova_ha.openstack.credentials import open_session
from nova_ha.pacemaker.cib_secrets import plain_secrets
from nova_ha.settings.options import EVACUATE, resolve
from tests.unit.openstack.test_credentials import identity_sent, refusal

PASSWORD = """
[nova-ha]
auth_url = http://keystone.example/v3
username = admin
password = 100%-secret
project_name = ops
user_domain_name = People
region_name = RegionTwo
"""
CREDENTIAL = """
[nova-ha]
auth-url = http://keystone.example
application_credential_id = id
application_credential_secret = s
"""


@pytest.fixture
def write(tmp_path):
    """Write a credentials file and return its path."""

    def write_file(text=PASSWORD, mode=0o600):
        path = tmp_path / "credentials.ini"
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return str(path)

    return write_file


def test_password(write):
    """User, password, project and domain of the file are sent; a percent sign is no placeholder."""
    auth = identity_sent({"credentials_file": write()})
    user = auth["identity"]["password"]["user"]
    assert {"name": "admin", "password": "100%-secret", "domain": {"name": "People"}} == user
    assert "ops" == auth["scope"]["project"]["name"]


def test_application_credential(write):
    """An application credential is taken from the file; hyphens in names are underscores."""
    auth = identity_sent({"credentials_file": write(CREDENTIAL)})
    assert "id" == auth["identity"]["application_credential"]["id"]


def test_options_win(write):
    """An option that is given beside the file replaces the file's value."""
    access = open_session({"credentials_file": write(), "region_name": "RegionThree"})
    assert ("RegionThree", "internal") == (access.region_name, access.interface)


def test_region_of_the_file(write):
    """What is not about the user, such as the region, is read as well."""
    assert "RegionTwo" == open_session({"credentials_file": write()}).region_name


@pytest.mark.parametrize(("word", "verify"), [("true", False), ("no", True)])
def test_insecure(write, word, verify):
    """The file may say insecure; it says yes or no."""
    access = open_session({"credentials_file": write(f"{PASSWORD}insecure = {word}\n")})
    assert access.session.verify is verify


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (PASSWORD, 0o644, "everybody may read it; run: chmod 600"),
        (PASSWORD, 0o604, "everybody may read it"),
        (PASSWORD.replace("[nova-ha]", "[other]"), 0o600, "no section [nova-ha]"),
        ("password = 100%-secret", 0o600, "not in ini form"),
        (PASSWORD.replace("username", "usernam"), 0o600, "usernam means nothing there"),
        (f"{PASSWORD}insecure = perhaps\n", 0o600, "insecure=perhaps: use true or false"),
        (PASSWORD.replace("password = 100%-secret", ""), 0o600, "password: missing"),
    ],
)
def test_refusals(write, text, mode, said):
    """A file that is exposed or cannot be understood is refused by name, without its secrets."""
    found = refusal({"credentials_file": write(text, mode)})
    assert said in found
    assert "100%-secret" not in found


def test_no_file(tmp_path):
    """A file that does not exist is named."""
    assert "cannot be read (No such file" in refusal({"credentials_file": str(tmp_path / "none")})


def test_two_sources(write):
    """Half of one source and half of another is refused."""
    assert "two sources" in refusal({"credentials_file": write(), "cloud": "mycloud"})


def test_environment_adds_nothing(write):
    """Variables of the shell do not mix with a credentials file."""
    environ = {"OS_CLOUD": "other", "OS_USERNAME": "eve", "OS_PASSWORD": "x"}
    settings = resolve(EVACUATE, {"credentials_file": write()}, environ)
    assert (None, None, None) == (settings["cloud"], settings["username"], settings["password"])


@pytest.mark.real_subprocess
@pytest.mark.real_time
def test_password_script_of_the_file(write):
    """The password may come from a command that the file names."""
    text = PASSWORD.replace("password = 100%-secret", "password_script = echo from-script")
    auth = identity_sent({"credentials_file": write(text)})
    assert "from-script" == auth["identity"]["password"]["user"]["password"]


def test_placeholder_of_cibsecret():
    """A value that Pacemaker ought to have replaced is not sent to Keystone."""
    settings = {"auth_url": "http://k", "username": "u", "project_name": "p", "password": "lrm://"}
    assert "/var/lib/pacemaker/lrm/secrets" in refusal(settings)


def test_plain_secrets():
    """Secrets that stand in the configuration are told from those that cibsecret keeps."""
    given = {"passwd": "x", "username": "admin", "application-credential-secret": "y", "password": "lrm://"}
    assert ("passwd", "application-credential-secret") == plain_secrets(given)


PLAIN = {"auth_url": "http://k", "username": "u", "project_name": "p", "password": "visible-secret"}


def warnings_of(caplog, **environ):
    """Return what the agent's validation warns of when it is given a password."""
    NovaEvacuate({**{f"OCF_RESKEY_{name}": text for name, text in PLAIN.items()}, **environ}).validate(0)
    assert "visible-secret" not in caplog.text
    return [entry.getMessage() for entry in caplog.records if entry.levelname == "WARNING"]


def test_validate_warns_of_plain_secrets(caplog):
    """The agent's validation succeeds with a plain password, and warns without showing it."""
    (warning,) = warnings_of(caplog)
    assert "password: everybody who may read the cluster's configuration" in warning


def test_validate_knows_what_cibsecret_keeps(tmp_path, monkeypatch, caplog):
    """A password that Pacemaker has put in is not plain, that of another resource is."""
    monkeypatch.setattr("nova_ha.pacemaker.cib_secrets.CIB_SECRETS", str(tmp_path))
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "password").touch()
    assert [] == warnings_of(caplog, OCF_RESOURCE_INSTANCE="kept")
    assert 1 == len(warnings_of(caplog, OCF_RESOURCE_INSTANCE="another"))


def test_validate_is_silent_about_files(write, caplog):
    """A credentials file is enough for the agent, and no reason to warn."""
    NovaEvacuate({"OCF_RESKEY_credentials_file": write()}).validate(10)
    assert [] == [entry for entry in caplog.records if entry.levelname == "WARNING"]


def test_agent_without_credentials():
    """An agent that is told no source of credentials names them all."""
    with pytest.raises(ConfigurationError, match="cloud, or credentials_file, or auth_url"):
        NovaEvacuate({}).validate(0)
