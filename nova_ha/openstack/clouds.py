# SPDX-License-Identifier: Apache-2.0
"""Read one cloud from clouds.yaml, the file that OpenStack's own clients use.

A small reader, because openstacksdk costs half a second of CPU and 46 MiB per process, and each fencing is a
process. It knows what an admin of Nova can need: password or application credential, region, interface, TLS.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nova_ha.errors import ConfigurationError

#: What openstacksdk tries, in its order.
_FOLDERS = (".", "~/.config/openstack", "/etc/openstack")
_SUFFIXES = (".yaml", ".yml")
_SECRETS = ("password", "application_credential_secret", "token")

Cloud = Mapping[str, Any]


def read_cloud(name: str, path: str | None) -> Cloud:
    """Return the entry of a cloud, with what secure.yaml beside the file adds to it.

    Args:
        name: the cloud's name.
        path: of clouds.yaml; None means where openstacksdk would look.

    Raises:
        ConfigurationError: no such file or cloud, or a file with secrets that everybody may read.
    """
    file = Path(path).expanduser() if path else _find("clouds", _FOLDERS)
    if file is None:
        raise ConfigurationError(
            f"cloud={name}: no clouds.yaml in {', '.join(_FOLDERS)}; give its path with clouds_yaml"
        )
    clouds = _clouds_in(file)
    if name not in clouds:
        known = ", ".join(sorted(map(str, clouds))) or "none"
        raise ConfigurationError(f"cloud={name}: {file} has no such cloud, only: {known}")
    secure = _find("secure", (str(file.parent),))
    extra = _clouds_in(secure).get(name) if secure else None
    return _merged(_mapping(clouds[name], file, name), _mapping(extra or {}, secure or file, name))


def _find(stem: str, folders: tuple[str, ...]) -> Path | None:
    """Return the first file of that name in the folders."""
    return next((file for file in _candidates(stem, folders) if file.is_file()), None)


def _candidates(stem: str, folders: tuple[str, ...]) -> Iterator[Path]:
    """Yield the paths that a file may have, the preferred one first."""
    for folder in folders:
        for suffix in _SUFFIXES:
            yield Path(folder).expanduser() / f"{stem}{suffix}"


def _clouds_in(file: Path) -> Mapping[str, Any]:
    """Return the mapping ``clouds`` of a file."""
    import yaml

    try:
        with file.open(encoding="utf-8") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            content = yaml.safe_load(stream) or {}
    except OSError as error:
        raise ConfigurationError(f"clouds_yaml={file}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # The parser's own text quotes the line, and the line may be the password's.
        place = getattr(error, "problem_mark", None)
        where = f" at line {place.line + 1}" if place else ""
        raise ConfigurationError(f"clouds_yaml={file}: not valid YAML{where}") from None
    clouds = _mapping(_mapping(content, file, "the file").get("clouds") or {}, file, "clouds")
    _refuse_if_exposed(file, mode, clouds)
    return clouds


def _refuse_if_exposed(file: Path, mode: int, clouds: Mapping[str, Any]) -> None:
    """Raise if everybody may read the file's secrets; a file without secrets may be public."""
    if mode & stat.S_IROTH and any(_has_secret(cloud) for cloud in clouds.values()):
        raise ConfigurationError(
            f"clouds_yaml={file}: everybody may read the secrets in it; run: chmod 600 {file}"
        )


def _has_secret(cloud: object) -> bool:
    """Say whether an entry holds a secret."""
    auth = cloud.get("auth") if isinstance(cloud, Mapping) else None
    return isinstance(auth, Mapping) and any(auth.get(name) for name in _SECRETS)


def _mapping(value: object, file: Path, what: str) -> Mapping[str, Any]:
    """Return a value that must be a mapping."""
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"clouds_yaml={file}: {what} must be a mapping of names to values")
    return value


def _merged(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return both mappings as one, deeply; the second wins."""
    result = dict(base)
    for key, value in extra.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return result
