# SPDX-License-Identifier: Apache-2.0
"""Credentials, wherever they come from, become one keystoneauth1 session.

Options win over clouds.yaml and over a credentials file; the environment has been folded into the options
(`nova_ha.settings.options.resolve`).
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from nova_ha import __version__
from nova_ha.errors import ConfigurationError
from nova_ha.openstack.clouds import Cloud, read_cloud
from nova_ha.openstack.credentials_file import read_credentials
from nova_ha.pacemaker.cib_secrets import refuse_placeholders
from nova_ha.settings.option import Value
from nova_ha.settings.option_credentials import NAME_OR_ID

if TYPE_CHECKING:
    from keystoneauth1.identity.v3 import Auth
    from keystoneauth1.session import Session

Settings = Mapping[str, Value]

#: How certificates are checked, as requests wants it: against which file, or whether at all.
_Verify = Union[bool, str]

_DOMAIN = "Default"
#: Seconds; for settings that were made by hand and say nothing.
_API_TIMEOUT = 30.0
_ACTION_TIMEOUT = 120.0

#: An option and the names that the same thing has below ``auth`` in clouds.yaml.
_AUTH_NAMES: Mapping[str, tuple[str, ...]] = {
    "auth_url": ("auth_url",),
    "username": ("username", "user_name"),
    "password": ("password",),
    "project_name": ("project_name", "tenant_name"),
    "project_id": ("project_id", "tenant_id"),
    "user_domain": ("user_domain_name",),
    "user_domain_id": ("user_domain_id",),
    "project_domain": ("project_domain_name",),
    "project_domain_id": ("project_domain_id",),
    "application_credential_id": ("application_credential_id",),
    "application_credential_name": ("application_credential_name",),
    "application_credential_secret": ("application_credential_secret",),
}


@dataclass(frozen=True)
class CloudAccess:
    """A way into a cloud.

    Attributes:
        auth: the credentials, and the token once there is one.
        session: authenticates and talks HTTP; always with a time limit.
        actions: the same credentials, with the longer time limit of actions; follows no redirect, so that a
            request is never sent anywhere a second time.
        interface: ``internal``, ``public`` or ``admin``.
        region_name: None means the only region.
    """

    auth: Auth
    session: Session
    actions: Session
    interface: str
    region_name: str | None


def open_session(settings: Settings) -> CloudAccess:
    """Return the access that the settings describe; nothing is sent yet.

    Raises:
        ConfigurationError: something is missing, or a file cannot be used; the message names it and the fix.
    """
    cloud = _cloud(settings)
    verify = _verify(settings, cloud)
    auth = _auth(settings, cloud)
    session = _session(auth, verify, settings.get("api_timeout") or _API_TIMEOUT)
    actions = _session(auth, verify, settings.get("action_timeout") or _ACTION_TIMEOUT, redirect=False)
    region = settings.get("region_name") or cloud.get("region_name")
    return CloudAccess(auth, session, actions, _interface(settings, cloud), str(region) if region else None)


def _session(auth: Auth, verify: _Verify, timeout: Value, *, redirect: bool | int = 30) -> Session:
    """Return a session; one that verifies nothing is silent about it, since the admin has said so."""
    from keystoneauth1.session import Session

    # On a wrong host name urllib3 before version 2 logs the whole certificate, beside the error that we tell.
    logging.getLogger("urllib3.connection").setLevel(logging.CRITICAL)
    if verify is False:
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return Session(
        auth=auth,
        verify=verify,
        timeout=float(timeout or _API_TIMEOUT),
        redirect=redirect,
        app_name="nova-ha",
        app_version=__version__,
    )


def _cloud(settings: Settings) -> Cloud:
    """Return the named cloud's entry of clouds.yaml, or what the credentials file says, or an empty entry."""
    name, path, file = (settings.get(option) for option in ("cloud", "clouds_yaml", "credentials_file"))
    if name and file:
        raise ConfigurationError(f"cloud={name} and credentials_file={file}: two sources; keep one of them")
    if file:
        return read_credentials(str(file))
    return read_cloud(str(name), str(path) if path else None) if name else {}


def _auth(settings: Settings, cloud: Cloud) -> Auth:
    """Return the plugin for the kind of credentials that is given."""
    auth = _auth_values(settings, cloud)
    if auth.get("system_scope"):
        raise ConfigurationError(
            "system_scope: Nova refuses it; give a project in which the user has the role admin"
        )
    if not auth.get("auth_url"):
        raise ConfigurationError(
            "auth_url: missing; give auth_url, username, password and project_name, or an application "
            "credential, or cloud (a name in clouds.yaml), or credentials_file"
        )
    auth["auth_url"] = _v3_url(str(auth["auth_url"]))
    refuse_placeholders(auth)
    if auth.get("application_credential_id") or auth.get("application_credential_name"):
        return _application_credential(auth)
    return _password(auth, settings)


def _auth_values(settings: Settings, cloud: Cloud) -> dict[str, Any]:
    """Return what is known about the credentials, by the names of the options."""
    section = cloud.get("auth")
    values = dict(section) if isinstance(section, Mapping) else {}
    hidden = {one for pair in NAME_OR_ID if any(map(settings.get, pair)) for one in pair}
    for option, names in _AUTH_NAMES.items():
        in_file = next((values[name] for name in names if values.get(name)), None)
        values[option] = settings.get(option) or (None if option in hidden else in_file)
    return values


def _v3_url(url: str) -> str:
    """Return the URL of Keystone's version 3; old configurations name version 2.0, or none."""
    base = url.rstrip("/")
    for version in ("/v3", "/v2.0"):
        base = base.removesuffix(version)
    return f"{base}/v3"


def _application_credential(auth: Mapping[str, Any]) -> Auth:
    """Return the plugin for an application credential."""
    from keystoneauth1.identity import v3

    _require(auth, "application_credential_secret")
    if not auth.get("application_credential_id"):
        _require(auth, "username", instead="user_id")
    return v3.ApplicationCredential(  # type: ignore[no-any-return, unused-ignore]
        auth["auth_url"],
        application_credential_secret=auth["application_credential_secret"],
        application_credential_id=auth.get("application_credential_id"),
        application_credential_name=auth.get("application_credential_name"),
        **_user(auth),
    )


def _password(auth: dict[str, Any], settings: Settings) -> Auth:
    """Return the plugin for user and password."""
    from keystoneauth1.identity import v3

    _require(auth, "username", instead="user_id")
    _require(auth, "project_name", instead="project_id")
    script = settings.get("password_script") or auth.get("password_script")
    if script:
        auth["password"] = _run_password_script(str(script))
    _require(auth, "password")
    return v3.Password(  # type: ignore[no-any-return, unused-ignore]
        auth["auth_url"], password=str(auth["password"]), **_user(auth), **_project(auth)
    )


def _user(auth: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that name the user."""
    if auth.get("user_id"):
        return {"user_id": auth["user_id"]}
    return {"username": auth.get("username"), **_domain(auth, "user")}


def _project(auth: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that name the project."""
    if auth.get("project_id"):
        return {"project_id": auth["project_id"]}
    return {"project_name": auth["project_name"], **_domain(auth, "project")}


def _domain(auth: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the argument that names the domain of user or project."""
    name, identity = auth.get(f"{kind}_domain"), auth.get(f"{kind}_domain_id")
    if not name and not identity:
        name, identity = auth.get("domain_name"), auth.get("domain_id")
    if identity and not name:
        return {f"{kind}_domain_id": identity}
    return {f"{kind}_domain_name": name or _DOMAIN}


def _require(auth: Mapping[str, Any], name: str, instead: str | None = None) -> None:
    """Raise if a value is missing."""
    if not auth.get(name) and not (instead and auth.get(instead)):
        raise ConfigurationError(
            f"{name}: missing; give it as an option, as an OS_{name.upper()} variable or in clouds.yaml"
        )


def _run_password_script(command: str) -> str:
    """Return what the command prints, without the last line's end."""
    from nova_ha.runner import CommandFailed, SystemRunner

    try:
        # An option of the old agents, whose value has always been a command line of the shell.
        answer = SystemRunner().run("/bin/sh", "-c", command)
    except CommandFailed as error:
        raise ConfigurationError(f"password_script: {error}") from error
    if answer.returncode != 0:
        # Never its output: a command that fails after it has printed the password would show it (rule R6).
        said = replace(answer, stdout="").complaint or "no word about it on its standard error"
        raise ConfigurationError(f"password_script: exit status {answer.returncode}: {said}")
    password = answer.stdout.rstrip("\n")
    if not password:
        raise ConfigurationError("password_script: it printed nothing; what it prints must be the password")
    return password


def _interface(settings: Settings, cloud: Cloud) -> str:
    """Return the kind of endpoint; clouds.yaml may say it in novaclient's words."""
    from nova_ha.settings.options import OPTIONS

    option = next(option for option in OPTIONS if option.name == "interface")
    in_file = str(cloud.get("interface") or cloud.get("endpoint_type") or "")
    return str(settings.get("interface") or option.parse(in_file) or "internal")


def _verify(settings: Settings, cloud: Cloud) -> _Verify:
    """Return how certificates are checked."""
    insecure, in_file = settings.get("insecure"), cloud.get("verify", True)
    # Only a real "no" switches the check off: a YAML text such as "false" is refused, not guessed.
    if not isinstance(in_file, bool):
        raise ConfigurationError(f"verify: {in_file!r} in clouds.yaml is neither true nor false")
    if insecure or (insecure is None and not in_file):
        return False
    path = settings.get("cacert") or cloud.get("cacert")
    return _usable_ca_file(str(path)) if path else True


def _usable_ca_file(path: str) -> str:
    """Return the path if certificates can be read there."""
    file = Path(path).expanduser()
    try:
        if file.is_dir():
            return str(file)
        ssl.create_default_context(cafile=str(file))
    except ssl.SSLError:
        raise ConfigurationError(f"cacert={file}: no certificate in PEM form in it") from None
    except OSError as error:
        raise ConfigurationError(
            f"cacert={file}: cannot be read ({error.strerror}); give the path of a readable file of "
            "certificates in PEM form, or leave the option out to use the system's"
        ) from None
    return str(file)
