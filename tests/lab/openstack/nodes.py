# SPDX-License-Identifier: Apache-2.0
"""What the lab writes for nova-compute: each node's configuration, the executable, the shared folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.lab.layout import RunFolder, checkout, node_named

from . import config, names, tls
from .hypervisor.control import CONTROL_FILE, DEFAULT_CONTROL

#: Where a controller has the certificate of the authority that the cloud's certificates are from.
CA_FILE = "/etc/nova-ha/ca.pem"
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
        package = self.code / "tests" / "lab" / "openstack"
        python = self.venv / "bin" / "python"
        executable.write_text(
            EXECUTABLE.format(python=python, launcher=str(package / "hypervisor"), package=str(package))
        )
        executable.chmod(0o755)

    @property
    def code(self) -> Path:
        """Return the folder below which this run finds the package: its copy, or the checkout."""
        return self.run.code if self.run.code.exists() else checkout()

    @property
    def authority(self) -> Path:
        """Return the file with the certificate of the cloud's own authority."""
        return self.run.path / "openstack" / "etc" / tls.FOLDER / tls.AUTHORITY

    def configure(self, name: str) -> None:
        """Write the configuration of one node: nova.conf on a compute node, clouds.yaml on a controller."""
        node = node_named(name)
        if node.role == "controller":
            self._write_clouds(name)
            return
        for folder in ("/etc/nova", "/var/lib/nova", "/var/log/nova"):
            self.run.private(name, folder).mkdir(parents=True, exist_ok=True)
        target = self.run.private(name, "/etc/nova") / "nova.conf"
        config.write_ini(target, config.nova_compute(name, node.address, self.shared))

    def _write_clouds(self, name: str) -> None:
        """Write what os-client-config reads, and the authority's certificate; JSON is YAML."""
        target = self.run.private(name, "/etc/nova-ha") / "clouds.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=0o600)
        cloud = {
            "auth": {"auth_url": names.PUBLIC_AUTH_URL, **names.ADMIN},
            "region_name": names.REGION,
            "interface": "public",
            "cacert": CA_FILE,
        }
        target.write_text(json.dumps({"clouds": {"lab": cloud}}, indent=2) + "\n")
        shutil.copy(self.authority, target.with_name(Path(CA_FILE).name))
