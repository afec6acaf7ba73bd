# SPDX-License-Identifier: Apache-2.0
"""Say what pyproject.toml cannot: where the executables that Pacemaker calls belong."""

from __future__ import annotations

from pathlib import Path

from setuptools import setup

_HERE = Path(__file__).resolve().parent


def _files(*patterns: str) -> list[str]:
    """Return the files that match, as the relative paths that setuptools asks for."""
    return sorted(
        str(path.relative_to(_HERE)) for pattern in patterns for path in _HERE.glob(pattern) if path.is_file()
    )


# Relative targets only: they go below the prefix, which is /usr in packages of distributions, and an absolute
# one silently becomes site-packages/usr/lib/ocf. Not "scripts": pip rewrites their first line.
setup(
    data_files=[
        ("lib/ocf/resource.d/openstack", _files("agents/Nova*")),
        ("sbin", _files("fence_compute/fence_compute")),
        ("share/doc/nova-ha", _files("README.md", "CHANGELOG.md", "LICENSE")),
        ("share/doc/nova-ha/examples", _files("pcs-examples/*")),
        ("share/man/man7", _files("man/*.7")),
        ("share/man/man8", _files("man/*.8")),
    ],
)
