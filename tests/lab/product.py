# SPDX-License-Identifier: Apache-2.0
"""The product as an admin gets it: built as the Debian package from this checkout, and unpacked.

What was built is kept by what it was built from, so that only an edit costs a build.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.openstack.cache import fingerprint, made_once

#: Everything that gets into the package, or says how.
_SOURCES = ("agents", "debian", "fence_compute", "man", "nova_ha", "pcs-examples", "tools/build_packages.py",
            "CHANGELOG.md", "LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py")  # fmt: skip
_PLACES = {
    "bin": "usr/bin",
    "sbin": "usr/sbin",
    "ocf": "usr/lib/ocf/resource.d",
    "dist-packages": "usr/lib/python3/dist-packages",
}


def install(checkout: Path, overlay: Path) -> None:
    """Copy what the package has for the folders that the lab lays over the machine's."""
    files = list(_files(checkout))
    names = (f"{path.relative_to(checkout)} {path.stat().st_mode:o}" for path in files)
    unpacked = made_once("product", fingerprint(files, *names), lambda folder: _build(checkout, folder))
    for name, place in _PLACES.items():
        if (unpacked / place).is_dir():
            shutil.copytree(unpacked / place, overlay / name, dirs_exist_ok=True)


def _files(checkout: Path) -> Iterator[Path]:
    """Yield every file that the package depends on."""
    for name in _SOURCES:
        top = checkout / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _build(checkout: Path, folder: Path) -> None:
    """Build the package and unpack it, with its modules compiled, as its postinst would do."""
    with tempfile.TemporaryDirectory() as scratch:
        _run(checkout / "tools" / "build_packages.py", "--into", scratch, "--only", "deb-binary")
        (package,) = Path(scratch).glob("*.deb")
        _run("dpkg-deb", "--extract", package, folder)
    # The path under which the nodes will see them stands in their tracebacks.
    modules = folder / _PLACES["dist-packages"]
    _run("/usr/bin/python3", "-m", "compileall", "-q", "-s", folder, "-p", "/", modules)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LabError(f"nova-ha's package cannot be built: {reason}: see 'make packages'")
