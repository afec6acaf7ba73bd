# SPDX-License-Identifier: Apache-2.0
"""A systemd with one unit in a folder: systemctl, journalctl, and control groups."""

from __future__ import annotations

import os

from nova_ha import process
from nova_ha.compute import units
from tests.unit.compute.compute_node import end_all

UNIT = "nova-compute.service"
#: In the environment of what runs in a control group. One of our own: tests that run beside us are others'.
CGROUP = f"FAKE_CGROUP_{os.getpid()}"
_SYSTEMCTL = """#!/bin/sh
cd {folder} || exit 1
echo "$*" >> calls
[ ! -e no-bus ] || {{ echo "Failed to connect to bus: No such file or directory" >&2; exit 1; }}
main=$(cat main 2>/dev/null)
grep -q '^State:.[^ZX]' "/proc/$main/status" 2>/dev/null || main=0
case $1 in
show)
    case $2 in
    --property=ExecStart) echo "{{ path=/x ; argv[]=$(cat argv) ; ignore_errors=no ; start_time=[n/a] }}" ;;
    --property=User) cat user ;;
    *)
        [ "$main" = 0 ] && state=$(cat rest) || state=$(cat busy)
        echo "ActiveState=$state"
        echo "MainPID=$main"
        echo "KillMode=$(cat killmode)"
        echo Result=exit-code
        echo ExecMainStatus=3
        echo Job=
        ;;
    esac
    ;;
start)
    [ ! -e masked ] || {{ echo "Failed to start $3: Unit $3 is masked." >&2; exit 1; }}
    {variable}=/system.slice/$3 setsid {binary} </dev/null >>journal 2>&1 &
    echo $! > main
    ;;
stop) [ "$main" = 0 ] || kill "$main" ;;
kill) [ "$main" = 0 ] || kill -9 "$main" ;;
esac
exit 0
"""


class Systemd:
    """What systemd is to NovaCompute; the files in its folder say how the unit behaves."""

    def __init__(self, node, monkeypatch):
        self.folder = node.path / "systemd"
        self.units = node.path / "units"
        self.runtime = node.path / "runtime"
        for folder in (self.folder, self.units, self.runtime):
            folder.mkdir()
        monkeypatch.setattr(units, "BOOTED", str(self.runtime))
        monkeypatch.setattr(units, "FOLDERS", [str(self.units)])
        monkeypatch.setattr(process, "cgroup", cgroup)
        for name, text in {"rest": "inactive", "busy": "active", "killmode": "control-group"}.items():
            self.say(name, text)
        self.say("argv", f"{node.binary} --config-file {node.config}")
        self.say("user", "root")
        self.install(UNIT)
        node.install(
            node.path / "systemctl",
            _SYSTEMCTL.format(folder=self.folder, binary=node.binary, variable=CGROUP),
        )
        node.install(node.path / "journalctl", f"#!/bin/sh\ntail -n 1 {self.folder}/journal\n")

    def install(self, unit):
        """Install a unit."""
        (self.units / unit).write_text("[Service]\n", encoding="utf-8")

    def enable(self, unit=UNIT):
        """Have a unit started at boot."""
        wants = self.units / "multi-user.target.wants"
        wants.mkdir(exist_ok=True)
        (wants / unit).symlink_to(self.units / unit)

    def say(self, name, text=""):
        """Write one of the files that say how the unit behaves."""
        (self.folder / name).write_text(text + "\n", encoding="utf-8")

    @property
    def calls(self):
        """Return the calls of systemctl that change something, and forget them."""
        path = self.folder / "calls"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line for line in lines if not line.startswith("show")]

    def asked(self):
        """Say whether systemctl was called at all since the calls were forgotten."""
        return (self.folder / "calls").exists()

    @property
    def drop_in(self):
        """Return the file with which NovaCompute changes the unit."""
        return self.runtime / f"{UNIT}.d" / "50-nova-ha.conf"

    def clean_up(self):
        """Kill what is in the unit's control group."""
        place = str(self.folder.parent)
        end_all(
            pid
            for pid in process.find(lambda _: True)
            if UNIT in cgroup(pid) and place in " ".join(process.environment(pid))
        )


def cgroup(pid):
    """Return the control group that a stand-in has set for a process and its children."""
    found = [item for item in process.environment(pid) if item.startswith(f"{CGROUP}=")]
    return f"0::{found[0].partition('=')[2]}\n" if found else "0::/user.slice\n"
