# SPDX-License-Identifier: Apache-2.0
"""A podman or docker with one container in a folder, whose main process starts nova-compute as its child.

Its answers are those of podman 4.3.1 and docker 20.10.
"""

from __future__ import annotations

import os

from nova_ha import process
from nova_ha.compute import units
from tests.unit.compute.compute_node import end_all
from tests.unit.compute.fake_systemd import CGROUP, cgroup

IDENTITY = "5d5c1d0e6f0b4b0a8a3f"
#: In the environment of what runs in an inner pid namespace.
APART = f"FAKE_APART_{os.getpid()}"
_ENGINE = """#!/bin/sh
cd {folder} || exit 1
echo "$*" >> calls
[ ! -e no-daemon ] || {{ echo "Cannot connect to the Docker daemon" >&2; exit 1; }}
main=$(cat main 2>/dev/null)
grep -q '^State:.[^ZX]' "/proc/$main/status" 2>/dev/null || main=0
command=$1
while [ $# -gt 1 ]; do shift; done
[ "$1" = nova_compute ] || {{ echo "Error: {unknown} $1" >&2; exit {failed}; }}
case $command in
inspect) [ "$main" = 0 ] && state=exited || state=running
    echo "$state $main 3 {identity} $(cat policy)" ;;
start) [ ! -e broken ] || {{ echo "Error: unable to start container" >&2; exit 125; }}
    [ -e no-cgroup ] || export {variable}=/system.slice/{engine}-{identity}.scope
    {apart}=yes setsid {init} </dev/null >>log 2>&1 &
    echo $! > main ;;
stop) [ -e deaf ] || [ "$main" = 0 ] || {{ kill "$main"; sleep 0.2; }} ;;
kill) [ -e deaf ] || {{ [ "$main" != 0 ] || exit {failed}; kill -9 "$main"; }} ;;
logs) tail -n 1 log ;;
esac
exit 0
"""
_INIT = """#!/bin/sh
# As dumb-init does: hands signals on, and ends with its child.
{binary} &
child=$!
trap 'kill $child' TERM
wait $child; wait $child
"""


class Engine:
    """What an engine is to NovaCompute; the files in its folder say how it behaves."""

    def __init__(self, node, monkeypatch, name):
        self.name = name
        self.folder = node.path / "engine"
        self.folder.mkdir()
        monkeypatch.setattr(process, "cgroup", cgroup)
        monkeypatch.setattr(units, "BOOTED", str(node.path))
        monkeypatch.setattr(units, "FOLDERS", [str(self.folder)])
        monkeypatch.setattr(process, "is_apart", is_apart)
        is_podman = name == "podman"
        self.say("policy", "" if is_podman else "no")
        init = node.path / "init"
        node.install(init, _INIT.format(binary=node.binary))
        text = _ENGINE.format(
            folder=self.folder,
            init=init,
            identity=IDENTITY,
            variable=CGROUP,
            apart=APART,
            engine="libpod" if is_podman else "docker",
            unknown="inspecting object: no such container" if is_podman else "No such container:",
            failed=125 if is_podman else 1,
        )
        node.install(node.path / name, text)

    def say(self, name, text=""):
        """Write one of the files that say how the engine behaves."""
        (self.folder / name).write_text(text + "\n", encoding="utf-8")

    @property
    def calls(self):
        """Return the calls, and forget them."""
        path = self.folder / "calls"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def clean_up(self):
        """Kill what is in the container."""
        place = str(self.folder.parent)
        end_all(
            pid
            for pid in process.find(lambda _: True, containers=True)
            if is_apart(pid) and place in " ".join(process.command_line(pid))
        )


def is_apart(pid):
    """Say whether a process is in an inner pid namespace."""
    return f"{APART}=yes" in process.environment(pid)
