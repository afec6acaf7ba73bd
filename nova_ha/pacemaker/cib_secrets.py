# SPDX-License-Identifier: Apache-2.0
"""Secrets among the parameters of a resource: as plain text, or kept by Pacemaker's cibsecret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nova_ha.errors import ConfigurationError

#: What Pacemaker's configuration holds in place of a value that ``cibsecret`` keeps in a file.
CIB_SECRET = "lrm://"  # noqa: S105 - stands for a password, is none
#: Where these files are. ``cibsecret sync`` is no way to copy them: it copies to compute nodes as well.
CIB_SECRETS = "/var/lib/pacemaker/lrm/secrets"


def refuse_placeholders(auth: Mapping[str, Any]) -> None:
    """Raise when Pacemaker has left ``lrm://``, which stands for a value that cibsecret keeps, as it was."""
    for name, value in auth.items():
        if value == CIB_SECRET:
            raise ConfigurationError(
                f"{name}={value}: Pacemaker has not put the secret in its place; copy the folder "
                f"{CIB_SECRETS} from a controller that has it (pacemakerd --features must name cibsecrets)"
            )


def plain_secrets(given: Mapping[str, str], resource: str = "") -> tuple[str, ...]:
    """Return the names of secrets that stand as plain text in what an admin gave a resource as parameters.

    Args:
        given: name and text.
        resource: its name, if the texts come from Pacemaker, which has put in what cibsecret keeps here
            (crm_resource --validate does so as well, seen in 2.1.5).
    """
    from nova_ha.settings.options import OPTIONS

    secret = {name for option in OPTIONS if option.secret for name in (option.name, *option.aliases)}
    plain = (name for name in given if name.replace("-", "_") in secret and given[name] != CIB_SECRET)
    return tuple(name for name in plain if not (resource and Path(CIB_SECRETS, resource, name).is_file()))


def plain_secret_warning(name: str) -> str:
    """Return the sentence about a secret that stands as plain text in the cluster's configuration."""
    return (
        f"{name}: everybody who may read the cluster's configuration can read it; keep it in a file "
        "(credentials_file, or cloud and clouds_yaml), behind password_script, or with cibsecret"
    )
