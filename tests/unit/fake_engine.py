# SPDX-License-Identifier: Apache-2.0
"""A podman or docker with one container in a folder, whose main process starts nova-compute as its child."""

from __future__ import annotations

from nova_ha import process, units
from tests.unit.compute_node import end_all
from tests.unit.fake_systemd import CGROUP, cgroup

IDENTITY = "5d5c1d0e6f0b4b0a8a3f"
_ENGINE = """#!/bin/sh
cd {folder} || exit 1
echo "$*" >> calls
[ ! -e no-daemon ] || {{ echo "Cannot connect to the Docker daemon" >&2; exit 1; }}
main=$(cat main 2>/dev/null)
grep -q '^State:.[^ZX]' "/proc/$main/status" 2>/dev/null || main=0
command=$1
while [ $# -gt 1 ]; do shift; done
[ "$1" = nova_compute ] || {{ echo "Error: No such container: $1" >&2; exit 1; }}
case $command in
inspect) [ "$main" = 0 ] && state=exited || state=running
    echo "$state $main 3 {identity} $(cat policy)" ;;
start) [ ! -e broken ] || {{ echo "Error: unable to start container" >&2; exit 125; }}
    {variable}=/system.slice/{engine}-{identity}.scope setsid {init} </dev/null >>log 2>&1 &
    echo $! > main ;;
stop) [ -e deaf ] || {{ kill "$main"; sleep 0.2; }} ;;
kill) [ -e deaf ] || kill -9 "$main" ;;
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
        self.say("policy", "no")
        init = node.path / "init"
        node.install(init, _INIT.format(binary=node.binary))
        text = _ENGINE.format(
            folder=self.folder,
            init=init,
            identity=IDENTITY,
            variable=CGROUP,
            engine="libpod" if name == "podman" else "docker",
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
            for pid in process.find(lambda _: True)
            if IDENTITY in cgroup(pid) and place in " ".join(process.command_line(pid))
        )
