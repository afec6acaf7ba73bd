#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Build every package from this checkout: sdist, wheel, Debian source and binary package, RPM.

tools/build_packages.py [--into FOLDER] [--only KIND]...

KIND is python (sdist and wheel), deb, deb-binary (without the source package, which is quicker) or rpm. The
checkout is not touched: everything is built from the sdist, in a temporary folder. RPM_PYTHON (3.9) is the
version of the Python on which the RPM's library will run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

_HERE = Path(__file__).resolve().parent.parent
_PYTHON = "/usr/bin/python3"
# Not pyenv's shims, with which pybuild fails.
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
#: Program, and the Debian package that has it.
_NEEDED = {
    "dpkg-buildpackage": "dpkg-dev",
    "dh": "debhelper",
    "pybuild": "dh-python",
    "rpmbuild": "rpm",
}
_SDIST = "from setuptools import build_meta; build_meta.build_sdist('dist')"
_WHEEL = "from setuptools import build_meta; build_meta.build_wheel('dist')"


def main(arguments: list[str]) -> int:
    """Build what is asked for; return the exit status."""
    options = _options(arguments)
    missing = {package for program, package in _NEEDED.items() if shutil.which(program, path=_PATH) is None}
    if missing:
        print(f"nova-ha: cannot build: apt-get install {' '.join(sorted(missing))}", file=sys.stderr)
        return 1
    options.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nova-ha-build-") as folder:
        try:
            for path in sorted(build(Path(folder), options.only)):
                print(shutil.copy(path, options.into))
        except subprocess.CalledProcessError as error:
            print(f"{error.stdout}\nnova-ha: {error.cmd[0]} failed: see above", file=sys.stderr)
            return 1
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description="Build every package of nova-ha from this checkout.")
    parser.add_argument("--into", type=Path, default=_HERE / "dist", help="folder of the results (dist)")
    parser.add_argument("--only", action="append", choices=sorted(_BUILDERS), help="build only this kind")
    options = parser.parse_args(arguments)
    options.only = options.only or ["python", "deb", "rpm"]
    return options


def build(folder: Path, kinds: Iterable[str]) -> list[Path]:
    """Build packages in an empty folder and return their paths.

    Raises:
        subprocess.CalledProcessError: a builder failed; its output is in ``stdout``.
    """
    sdist = _sdist(folder)
    return [path for kind in kinds for path in _BUILDERS[kind](folder / kind, sdist)]


def _sdist(folder: Path) -> Path:
    """Return the sdist of what is source in the checkout."""
    copy = folder / "source"
    shutil.copytree(_HERE, copy, ignore=shutil.ignore_patterns(".git", *_ignored()))
    _run([_PYTHON, "-c", _SDIST], copy)
    return next((copy / "dist").iterdir())


def _ignored() -> list[str]:
    """Return what the checkout says is no source."""
    lines = (_HERE / ".gitignore").read_text(encoding="utf-8").splitlines()
    return [line.strip("/") for line in lines if line and not line.startswith("#")]


def _unpacked(folder: Path, sdist: Path) -> Path:
    """Return the source of an sdist, unpacked in a new folder."""
    folder.mkdir()
    with tarfile.open(sdist) as archive:
        archive.extractall(folder)  # noqa: S202 (made by ourselves a moment ago)
    return next(folder.iterdir())


def _build_python(folder: Path, sdist: Path) -> list[Path]:
    """Return sdist and wheel."""
    source = _unpacked(folder, sdist)
    _run([_PYTHON, "-c", _WHEEL], source)
    return [sdist, *(source / "dist").iterdir()]


def _build_deb(folder: Path, sdist: Path, what: str = "full") -> list[Path]:
    """Return the files of the Debian package."""
    source = _unpacked(folder, sdist)
    _run(["dpkg-buildpackage", "--unsigned-source", "--unsigned-changes", f"--build={what}"], source)
    return [path for path in folder.iterdir() if path.is_file()]


def _build_deb_binary(folder: Path, sdist: Path) -> list[Path]:
    """Return the installable Debian package."""
    return [path for path in _build_deb(folder, sdist, "binary") if path.suffix == ".deb"]


def _build_rpm(folder: Path, sdist: Path) -> list[Path]:
    """Return source and binary RPM."""
    spec = _unpacked(folder, sdist) / "packaging" / "nova-ha.spec"
    defines = {
        "_topdir": str(folder),
        "_sourcedir": str(sdist.parent),
        "sdist": sdist.name,
        "python3_version": os.environ.get("RPM_PYTHON", "3.9"),
        # The same files give the same package.
        "use_source_date_epoch_as_buildtime": "1",
        "clamp_mtime_to_source_date_epoch": "1",
        "_buildhost": "localhost",
    }
    words = [word for name, text in defines.items() for word in ("--define", f"{name} {text}")]
    # --nodeps: what is needed is Debian's here, which rpm does not know.
    _run(["rpmbuild", "-ba", "--nodeps", *words, str(spec)], folder)
    return [*folder.glob("RPMS/*/*.rpm"), *folder.glob("SRPMS/*.rpm")]


def _run(command: list[str], folder: Path) -> None:
    """Run a builder with an environment that is always the same."""
    environ = {
        "PATH": _PATH, "HOME": str(folder), "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": _epoch(),
        # Debian's pip would install below /usr/local.
        "DEB_PYTHON_INSTALL_LAYOUT": "deb_system",
    }  # fmt: skip
    subprocess.run(
        command, cwd=folder, env=environ, check=True, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _epoch() -> str:
    """Return when the newest entry of debian/changelog was written, in seconds since 1970."""
    command = ["dpkg-parsechangelog", "--show-field", "Timestamp", "--file", str(_HERE / "debian/changelog")]
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, env={"PATH": _PATH})
    return done.stdout.strip()


_BUILDERS: dict[str, Callable[[Path, Path], list[Path]]] = {
    "python": _build_python,
    "deb": _build_deb,
    "deb-binary": _build_deb_binary,
    "rpm": _build_rpm,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
