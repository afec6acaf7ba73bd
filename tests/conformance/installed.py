# SPDX-License-Identifier: Apache-2.0
"""Run commands on a machine that has nova-ha installed, without installing it on this one.

The checkout's agents and package are laid over the system's folders in a mount namespace that ends with the
command.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
_FOLDERS = {
    "ocf": "/usr/lib/ocf/resource.d",
    "dist-packages": "/usr/lib/python3/dist-packages",
    "sbin": "/usr/sbin",
}
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

#: Says that it runs, as the evacuator does, and does nothing else: an agent is tried here, not the evacuator.
_EVACUATOR = """\
import json, sys, time
from nova_ha.rundir import RunDirectory
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

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
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
