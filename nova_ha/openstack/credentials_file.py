# SPDX-License-Identifier: Apache-2.0
"""Read credentials from a small file in ini form, for whoever has no clouds.yaml.

    [nova-ha]
    auth_url = https://keystone.example.org:5000/v3
    application_credential_id = 21dced0fd20347869b93710d2b98aae0
    application_credential_secret = ...

The names are those of the options; ``user_domain_name`` and the like, as OpenStack's services write them, are
understood, too. The file must not be readable for everybody.
"""

from __future__ import annotations

import configparser
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nova_ha.errors import ConfigurationError

SECTION = "nova-ha"

#: What belongs below ``auth`` in the form of clouds.yaml, by the names that the file may use.
_AUTH = {
    "auth_url": "auth_url",
    "username": "username",
    "login": "username",
    "user_id": "user_id",
    "password": "password",
    "passwd": "password",
    "password_script": "password_script",
    "passwd_script": "password_script",
    "project_name": "project_name",
    "tenant_name": "project_name",
    "project_id": "project_id",
    "user_domain": "user_domain_name",
    "user_domain_name": "user_domain_name",
    "user_domain_id": "user_domain_id",
    "project_domain": "project_domain_name",
    "project_domain_name": "project_domain_name",
    "project_domain_id": "project_domain_id",
    "application_credential_id": "application_credential_id",
    "application_credential_name": "application_credential_name",
    "application_credential_secret": "application_credential_secret",
}
_BESIDE = {
    "region_name": "region_name",
    "interface": "interface",
    "endpoint_type": "interface",
    "cacert": "cacert",
}
_INSECURE = "insecure"


def read_credentials(path: str) -> dict[str, Any]:
    """Return the file's credentials in the form of an entry of clouds.yaml.

    Raises:
        ConfigurationError: the file cannot be used; the text says why, and never quotes a value.
    """
    file = Path(path).expanduser()
    values = _values(file)
    known = {*_AUTH, *_BESIDE, _INSECURE}
    unknown = sorted(name for name in values if name not in known)
    if unknown:
        raise ConfigurationError(
            f"credentials_file={file}: {unknown[0]} means nothing there; use {', '.join(sorted(known))}"
        )
    found: dict[str, Any] = {"auth": dict(_renamed(values, _AUTH)), **dict(_renamed(values, _BESIDE))}
    if _INSECURE in values:
        found["verify"] = not _boolean(file, values[_INSECURE])
    return found


def _values(file: Path) -> Mapping[str, str]:
    """Return what the section of the file holds, by lower-case names with underscores."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with file.open(encoding="utf-8") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            parser.read_file(stream)
    except OSError as error:
        raise ConfigurationError(f"credentials_file={file}: cannot be read ({error.strerror})") from None
    except (configparser.Error, UnicodeDecodeError):
        # The parser's own text quotes the line, and the line may be the password's.
        raise ConfigurationError(
            f"credentials_file={file}: not in ini form; write [{SECTION}] and lines such as name = value"
        ) from None
    if mode & stat.S_IROTH:
        raise ConfigurationError(f"credentials_file={file}: everybody may read it; run: chmod 600 {file}")
    if not parser.has_section(SECTION):
        raise ConfigurationError(f"credentials_file={file}: it has no section [{SECTION}]")
    return {name.replace("-", "_"): text for name, text in parser.items(SECTION) if text}


def _renamed(values: Mapping[str, str], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, target in names.items():
        if name in values:
            yield target, values[name]


def _boolean(file: Path, text: str) -> bool:
    word = configparser.ConfigParser.BOOLEAN_STATES.get(text.lower())
    if word is None:
        raise ConfigurationError(f"credentials_file={file}: {_INSECURE}={text}: use true or false")
    return word
