# SPDX-License-Identifier: Apache-2.0
"""Mounts inside of the lab's own mount namespaces."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC = 1, 2, 4, 8, 32, 4096, 16384

_libc = ctypes.CDLL(None, use_errno=True)


def mount(
    source: str, target: str | Path, kind: str | None = None, flags: int = 0, data: str | None = None
) -> None:
    """Attach a file system; raise OSError with the target's name."""
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    if _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(target))


def bind(source: str | Path, target: str | Path, recursive: bool = False) -> None:
    """Show `source` at `target`."""
    mount(str(source), target, flags=BIND | (REC if recursive else 0))


def bind_read_only(source: str | Path, target: str | Path) -> None:
    """Show `source` at `target` without letting it be changed there."""
    bind(source, target)
    mount("none", target, flags=REMOUNT | BIND | RDONLY)


def tmpfs(target: str | Path, mode: int = 0o755) -> None:
    """Mount an empty file system in memory."""
    mount("tmpfs", target, "tmpfs", data=f"mode={mode:o}")


def overlay(top: Path, target: str) -> None:
    """Lay the files of `top` over those of `target`, read-only; neither may change while it is mounted."""
    layers = ":".join(_escape(layer) for layer in (str(top), target))
    mount("overlay", target, "overlay", flags=RDONLY, data=f"lowerdir={layers}")


def _escape(layer: str) -> str:
    for character in ("\\", ":", ","):
        layer = layer.replace(character, "\\" + character)
    return layer


def private_tmp(keep: Iterable[Path]) -> None:
    """Mount an empty /tmp; folders of `keep` that lie below /tmp stay where they are."""
    below = [path for path in keep if path.is_relative_to("/tmp") and path.is_dir()]
    handles = [(path, os.open(path, os.O_PATH | os.O_DIRECTORY)) for path in below]
    tmpfs("/tmp", 0o1777)
    for path, handle in handles:
        path.mkdir(parents=True, exist_ok=True)
        bind(f"/proc/self/fd/{handle}", path, recursive=True)
        os.close(handle)


def device_folder(folder: Path, devices: Sequence[tuple[str, int, int]]) -> None:
    """Build a minimal /dev in `folder`: `devices` are (name, major, minor) of character devices."""
    tmpfs(folder)
    for name in ("shm", "pts"):
        (folder / name).mkdir()
    for name, major, minor in devices:
        os.mknod(folder / name, 0o020666, os.makedev(major, minor))
        (folder / name).chmod(0o666)
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
        ("ptmx", "pts/ptmx"),
    ):
        (folder / name).symlink_to(target)
    tmpfs(folder / "shm", 0o1777)
    mount("devpts", folder / "pts", "devpts", data="newinstance,ptmxmode=666,mode=620")
