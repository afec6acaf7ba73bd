# SPDX-License-Identifier: Apache-2.0
"""Run commands on a machine that has nova-ha installed, without installing it on this one.

The checkout's agents and package are laid over the system's folders in a mount namespace that ends with the
command.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

Done = subprocess.CompletedProcess[str]
CHECKOUT = Path(__file__).resolve().parents[2]
_FOLDERS = {
    "ocf": "/usr/lib/ocf/resource.d",
    "dist-packages": "/usr/lib/python3/dist-packages",
    "sbin": "/usr/sbin",
}
#: How often it is looked how little processor time something takes.
_TRIES = 3
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

#: Says that it runs, as the evacuator does, and does nothing else: an agent is tried here, not the evacuator.
_EVACUATOR = """\
import json, sys, time
from nova_ha.agents.rundir import RunDirectory
json.load(sys.stdin)
RunDirectory(sys.argv[1]).write_status("ok", "")
time.sleep(600)
"""


class Installed:
    """A machine with nova-ha on it; its folders are below `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        agents = path / "ocf/openstack"
        agents.mkdir(parents=True)
        for agent in (CHECKOUT / "agents").glob("Nova*"):
            shutil.copy(agent, agents)
        (path / "sbin").mkdir()
        shutil.copy(CHECKOUT / "fence_compute/fence_compute", path / "sbin")
        package = path / "dist-packages/nova_ha"
        shutil.copytree(CHECKOUT / "nova_ha", package)
        (package / "evacuator_main.py").write_text(_EVACUATOR, encoding="utf-8")
        for folder in (path / "ocf", agents, path / "dist-packages", path / "sbin"):
            folder.chmod(0o755)

    def run(self, *command: str, **environ: str) -> Done:
        """Run a command with these variables and no others."""
        mounts = "".join(
            f"mount -t overlay overlay -o lowerdir={self.path}/{name}:{target} {target} && "
            for name, target in _FOLDERS.items()
        )
        return subprocess.run(
            [
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                f'{mounts} exec "$@"',
                "sh",
                *command,
            ],
            env={"PATH": _PATH, "LC_ALL": "C", **environ},
            capture_output=True,
            text=True,
            check=False,
        )


def least_cost(call: Callable[[], Done]) -> tuple[Done, float]:
    """Return what a call answers, and the processor time that it takes at least, in seconds.

    The first time also pays for what is not in the page cache, and any time for what others do to the caches.
    """
    costs = []
    for _ in range(_TRIES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = call()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return done, min(costs)
