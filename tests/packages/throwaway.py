# SPDX-License-Identifier: Apache-2.0
"""A root file system like this machine's, in which everything may be changed: it ends with its process.

An overlay over ``/`` in a mount namespace of its own, whose upper layer is in memory. There is no init, and
the network is the machine's; packages that are installed in it may do what they like to files.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_SET_UP = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --rbind /proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs tmpfs "$1/root/run"
mount -t tmpfs tmpfs "$1/root/tmp"
mkdir "$1/root/tmp/given"
mount --bind "$2" "$1/root/tmp/given"
echo ready
exec cat
"""
#: Prints what differs from the machine: path, and kind and mode and content, or null when it is gone there.
_COMPARE = """
import hashlib, json, os, stat, sys
place, folders = sys.argv[1], sys.argv[2:]

def look(path):
    if not os.path.lexists(path):
        return None
    mode = os.lstat(path).st_mode
    if stat.S_ISREG(mode):
        with open(path, "rb") as file:
            return stat.filemode(mode), hashlib.sha256(file.read()).hexdigest()
    return stat.filemode(mode), os.readlink(path) if stat.S_ISLNK(mode) else ""

found = {}
for folder in folders:
    for base, inner, files in os.walk(f"{place}/upper{folder}"):
        for name in (*inner, *files):
            path = os.path.join(base, name)[len(f"{place}/upper"):]
            now = look(f"{place}/root{path}")
            if now != look(path):
                found[path] = now
print(json.dumps(found))
"""


class Root:
    """A root to change; `given`, a folder of the test, is /tmp/given in it."""

    def __init__(self, place: Path, given: Path) -> None:
        place.mkdir()
        self._place, self._given = place, given

    def __enter__(self):
        unshare = ("unshare", "--mount", "--propagation", "private")
        self._holder = subprocess.Popen(
            [*unshare, "sh", "-c", _SET_UP, "sh", self._place, self._given],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert "ready\n" == self._holder.stdout.readline(), "the namespace could not be made: are you root?"
        return self

    def __exit__(self, *_):
        self._holder.stdin.close()
        self._holder.wait(10)
        self._holder.stdout.close()

    def run(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in it, with these variables and no others."""
        enter = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "chroot", f"{self._place}/root"]
        return subprocess.run(
            [*enter, *command], input=stdin, capture_output=True, text=True, check=False, timeout=120,
            env={"PATH": _PATH, "LC_ALL": "C.UTF-8", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip

    def ok(self, *command: str, stdin: str = "") -> str:
        """Run a command that must succeed, and return what it prints."""
        done = self.run(*command, stdin=stdin)
        assert 0 == done.returncode, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def differences(self) -> dict[str, list[str] | None]:
        """Return what differs in /usr and /etc from the machine: mode and content by path, None if gone."""
        enter = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt"]
        command = [*enter, "/usr/bin/python3", "-c", _COMPARE, str(self._place), "/usr", "/etc"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def hash(self, path: str) -> str:
        """Return a hash of a file."""
        return self.ok("sha256sum", path).split()[0]
