# SPDX-License-Identifier: Apache-2.0
"""What the lab writes for nova-compute: each node's configuration, the executable, the shared folder."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.layout import RunFolder, node_named

from . import config
from .hypervisor.control import CONTROL_FILE, DEFAULT_CONTROL

HERE = Path(__file__).parent
EXECUTABLE = """\
#!{python}
# SPDX-License-Identifier: Apache-2.0
\"\"\"nova-compute of the lab's virtual environment, with the lab's hypervisor driver.\"\"\"
import sys

sys.path.append({launcher!r})
import launcher

sys.exit(launcher.main({package!r}))
"""


class NodeFiles:
    """Write the files through which a compute node gets its nova-compute."""

    def __init__(self, run: Path, venv: Path):
        self.run = RunFolder(run)
        self.venv = venv

    @property
    def shared(self) -> Path:
        """Return the folder that every compute node and the auditor see."""
        return self.run.path / "shared"

    def shared_files(self) -> None:
        """Create the shared folder and /usr/bin/nova-compute; nodes must not be on yet."""
        self.run.instances.mkdir(parents=True, exist_ok=True)
        control = self.shared / CONTROL_FILE
        if not control.exists():
            control.write_text(json.dumps(DEFAULT_CONTROL, indent=2) + "\n")
        executable = self.run.overlay / "bin" / "nova-compute"
        executable.parent.mkdir(parents=True, exist_ok=True)
        python = self.venv / "bin" / "python"
        executable.write_text(
            EXECUTABLE.format(python=python, launcher=str(HERE / "hypervisor"), package=str(HERE))
        )
        executable.chmod(0o755)

    def configure(self, name: str) -> None:
        """Write /etc/nova/nova.conf of one compute node."""
        for folder in ("/etc/nova", "/var/lib/nova", "/var/log/nova"):
            self.run.private(name, folder).mkdir(parents=True, exist_ok=True)
        target = self.run.private(name, "/etc/nova") / "nova.conf"
        config.write_ini(target, config.nova_compute(name, node_named(name).address, self.shared))
