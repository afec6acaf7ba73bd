# SPDX-License-Identifier: Apache-2.0
"""The cluster configured by pcs-examples: their files in the controllers, and the variables of this site."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from tests.lab.layout import BMC_PASSWORD, BMC_USER, Node, RunFolder, checkout

#: In a controller, on its disk.
FOLDER = "/etc/nova-ha/pcs-examples"
VARIABLES = "/etc/nova-ha/variables.sh"
#: A run of all steps makes fifty calls of pcs, a second each on a machine that has much to do.
PATIENCE = 300.0
_STAND_IN = "ocf:lab:Service service="


def install(run: RunFolder, controllers: list[Node], computes: list[Node]) -> None:
    """Put the examples, as they are, the variables and the BMCs' password on the disks of the controllers."""
    for node in controllers:
        disk = run.private(node.name, "/etc/nova-ha")
        shutil.copytree(checkout() / "pcs-examples", disk / "pcs-examples")
        (disk / "variables.sh").write_text(variables(controllers, computes))
        password = disk / "bmc-password"
        password.touch(mode=0o600)
        password.write_text(f"{BMC_PASSWORD}\n")


def variables(controllers: Iterable[Node], computes: Iterable[Node]) -> str:
    """Return variables.sh as an admin of the lab edits it; what is not named here is as it is shipped."""
    members = "".join(f"{node.name}  {node.bmc_address}\n" for node in controllers)
    remotes = "".join(f"{node.name}  {node.address}  {node.bmc_address}\n" for node in computes)
    values = {
        "CONTROLLERS": f"\n{members}",
        "COMPUTES": f"\n{remotes}",
        "NODES_BY": "resource",
        "BMC_USER": BMC_USER,
        "CLOUD": "lab",
        "OVS_AGENT": f"{_STAND_IN}neutron-openvswitch-agent",
        "LIBVIRT": f"{_STAND_IN}libvirtd",
        "CEILOMETER": f"{_STAND_IN}ceilometer-compute",
        "NOVA_USER": "root",
    }
    shipped = (checkout() / "pcs-examples" / "variables.sh").read_text()
    return shipped + "".join(f'\n{name}="{value}"' for name, value in values.items()) + "\n"


def command(step: str, variables: str = VARIABLES) -> tuple[str, ...]:
    """Return the command that runs one of the examples' files in a controller, with the lab's variables."""
    return ("env", f"VARIABLES={variables}", f"{FOLDER}/{step}")
