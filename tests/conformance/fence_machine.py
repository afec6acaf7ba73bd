# SPDX-License-Identifier: Apache-2.0
"""A machine on which fence_compute can be called: the real executable, with invented tools of Pacemaker."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
AGENT = CHECKOUT / "fence_compute" / "fence_compute"
FAKES = HERE / "fakes"
#: A port on which nobody listens.
NOWHERE = "http://127.0.0.1:9"


class Agent:
    """Runs the executable, on a machine with a folder of invented tools of Pacemaker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for tool in ("cibadmin", "crm_attribute", "stonith_admin", "attrd_updater"):
            (folder / tool).symlink_to(FAKES / "fake_pacemaker.py")
        self.nodes({"compute-0": {}, "compute-1": {}})

    def nodes(self, nodes):
        """Say which nodes Pacemaker knows, with their attributes; None makes it silent."""
        store = self.folder / "nodes.json"
        store.unlink(missing_ok=True)
        if nodes is not None:
            store.write_text(json.dumps(nodes), encoding="utf-8")

    def attributes(self, node):
        """Return a node's attributes."""
        return json.loads((self.folder / "nodes.json").read_text(encoding="utf-8"))[node]

    def environ(self):
        """Return the variables with which the executable runs."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": f"{FAKES}:{CHECKOUT}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PCMK_FAKE": str(self.folder),
        }

    def start(self, stdin):
        """Start the executable as pacemaker-fenced does, and do not wait for it."""
        own = {**self.environ(), "PCMK_service": "pacemaker-fenced"}
        process = subprocess.Popen([str(AGENT)], stdin=subprocess.PIPE, text=True, env=own)
        process.stdin.write(stdin)
        process.stdin.close()
        return process

    def call(self, *arguments, stdin=None, **environ):
        """Run the executable; what it is given on standard input counts only without arguments."""
        own = {**self.environ(), **environ}
        return subprocess.run(
            [str(AGENT), *arguments],
            input=stdin or "",
            capture_output=True,
            text=True,
            env=own,
            check=False,
            timeout=60,
        )

    def fenced(self, **parameters):
        """Run the executable as pacemaker-fenced does: parameters on standard input."""
        lines = "".join(f"{name}={value}\n" for name, value in parameters.items())
        return self.call(stdin=lines, PCMK_service="pacemaker-fenced")

    def by_hand(self, **parameters):
        """Run the executable as an admin does."""
        return self.call(stdin="".join(f"{name}={value}\n" for name, value in parameters.items()))


def complaint(done, status=1):
    """Return the one line with which a call has failed; never a traceback."""
    assert status == done.returncode, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert 1 == len(lines), done.stderr
    return lines[0]
