# SPDX-License-Identifier: Apache-2.0
"""What an admin of a lab with systemd begins with: passwords, files, addresses."""

from __future__ import annotations

from pathlib import Path

from tests.lab import layout
from tests.lab.lab import Lab
from tests.lab.openstack.nodes import CA_FILE

#: The password that the admin gives to pcs's user on every node, and types twice each time.
PASSWORD = "correct-horse"
FOLDER = "/root/pcs-examples"


def hand_over(lab: Lab) -> None:
    """Put the credentials into root's home on the controllers, and into the first one's the examples.

    The certificate of the cloud's own authority lies where clouds.yaml says.
    """
    for node in lab.controllers:
        disk = lab.disk(node.name)
        _write(lab, node.name, "/root/clouds.yaml", (disk / "etc/nova-ha/clouds.yaml").read_text())
        lab.run(node.name, "install", "-d", "-m", "0700", str(Path(CA_FILE).parent))
        _write(lab, node.name, CA_FILE, (disk / CA_FILE.lstrip("/")).read_text())
        _write(lab, node.name, "/root/bmc-password", f"{layout.BMC_PASSWORD}\n")
    lab.run(lab.controllers[0].name, "cp", "--recursive", str(layout.checkout() / "pcs-examples"), FOLDER)


def _write(lab: Lab, node: str, path: str, text: str) -> None:
    lab.run(node, "sh", "-c", 'umask 077 && cat >"$0"', path, stdin=text)


def variables(lab: Lab) -> dict[str, str]:
    """Return what the admin changes in variables.sh."""
    members = "".join(f"{node.name}  {node.bmc_address}\n" for node in lab.controllers)
    remotes = "".join(f"{node.name}  {node.address}  {node.bmc_address}\n" for node in lab.computes)
    return {
        "CONTROLLERS": f"\n{members}",
        "COMPUTES": f"\n{remotes}",
        "BMC_USER": layout.BMC_USER,
        "CLOUD": "lab",
    }
