# SPDX-License-Identifier: Apache-2.0
"""Folders that are made once and used by every run: complete, or made anew."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.lab.layout import cache_folder

COMPLETE = ".complete"
UNUSED_SECONDS = 7 * 86400


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
    of the same kind with another mark belong to other versions of the code, whose labs may run at this
    moment, so they are removed only when nobody has used them for a week.
    """
    folder = cache_folder() / f"{kind}-{mark}"
    with _exclusive(kind):
        if not (folder / COMPLETE).exists():
            _remove_unused(kind)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            make(folder)
        (folder / COMPLETE).touch()
    return folder


def _remove_unused(kind: str) -> None:
    for old in cache_folder().glob(f"{kind}-*"):
        marker = old / COMPLETE
        if not marker.exists() or time.time() - marker.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(old)
