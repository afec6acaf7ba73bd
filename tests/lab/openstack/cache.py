# SPDX-License-Identifier: Apache-2.0
"""Folders that are made once and used by every run: complete, or made anew."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.lab.layout import cache_folder

COMPLETE = ".complete"


def fingerprint(files: Iterable[Path], *words: str) -> str:
    """Return twelve characters that change whenever one of the files or words does."""
    digest = hashlib.sha256()
    for part in (*(path.read_bytes() for path in files), *(word.encode() for word in words)):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]


@contextlib.contextmanager
def _exclusive(name: str) -> Iterator[None]:
    path = cache_folder() / f".{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made_once(kind: str, mark: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `<kind>-<mark>` of the cache, made by `make` if no earlier run completed it.

    The folder counts only once `make` has returned: what an interrupted run left is removed first. Folders
    of the same kind with another mark are of an earlier version of the code, and are removed too.
    """
    folder = cache_folder() / f"{kind}-{mark}"
    with _exclusive(kind):
        if not (folder / COMPLETE).exists():
            _remove_all(kind)
            folder.mkdir(parents=True)
            make(folder)
            (folder / COMPLETE).touch()
    return folder


def _remove_all(kind: str) -> None:
    for old in cache_folder().glob(f"{kind}-*"):
        shutil.rmtree(old)
