# SPDX-License-Identifier: Apache-2.0
"""What a hypervisor knows about its guests besides their processes, and where their disks are."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

DISK = "disk"
RESCUE_DISK = "disk.rescue"


@dataclass(frozen=True)
class Domain:
    """One guest that is defined on this host, running or not.

    Attributes:
        uuid: Nova's id of the server.
        name: Nova's name of the instance.
        folder: the folder with its disks.
    """

    uuid: str
    name: str
    folder: str


class Domains:
    """The guests defined on this host: one small file each, on the node's own disk."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def all(self) -> list[Domain]:
        """Return every defined guest."""
        found = (self.get(path.stem) for path in sorted(self.folder.glob("*.json")))
        return [domain for domain in found if domain]

    def get(self, uuid: str) -> Domain | None:
        """Return one guest, None if it is not defined here."""
        try:
            return Domain(**json.loads(self._path(uuid).read_text()))
        except FileNotFoundError:
            return None

    def define(self, domain: Domain) -> None:
        """Remember a guest, even over a power cut in the middle of this call."""
        new = self._path(domain.uuid).with_suffix(".new")
        new.write_text(json.dumps(asdict(domain)))
        new.rename(self._path(domain.uuid))

    def forget(self, uuid: str) -> None:
        """Remove a guest's definition, if there is one."""
        self._path(uuid).unlink(missing_ok=True)

    def _path(self, uuid: str) -> Path:
        return self.folder / f"{uuid}.json"


class Storage:
    """The folders with the servers' disks: one shared by all nodes, one of this node alone."""

    def __init__(self, shared: Path, local: Path):
        self.shared = shared
        self.local = local
        for folder in (shared, local):
            folder.mkdir(parents=True, exist_ok=True)

    def folder(self, uuid: str, *, local: bool) -> Path:
        """Return where a server's disks belong."""
        return (self.local if local else self.shared) / uuid

    def present(self, uuid: str) -> Path | None:
        """Return where a server's disks are, seen from this node; None if they are not here."""
        for folder in (self.shared / uuid, self.local / uuid):
            if folder.is_dir() and os.access(folder, os.W_OK):
                return folder
        return None

    def create(self, folder: Path, ephemeral_gb: int) -> None:
        """Make the disks that are not there yet; what is there is kept."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in (DISK, *(["disk.eph0"] if ephemeral_gb else [])):
            (folder / name).touch()

    def delete(self, uuid: str) -> None:
        """Delete a server's disks, with everything on them."""
        for folder in (self.shared / uuid, self.local / uuid):
            shutil.rmtree(folder, ignore_errors=True)
