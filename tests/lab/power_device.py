# SPDX-License-Identifier: Apache-2.0
"""Another power device for a node of a deployment, by the commands of pcs-examples/README.md."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.cluster import examples
from tests.lab.deployment import pcs
from tests.lab.lab import Lab
from tests.lab.layout import BMC_PASSWORD, BMC_USER, node_named

_OTHER_VARIABLES = "/etc/nova-ha/other-variables.sh"
#: What everything on Debian trusts that uses Python's requests, and OpenSSL.
_TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
_MORE_TRUSTED = "/run/ca-certificates.crt"


def fence_redfish(node: str, action: str, *more: str) -> tuple[str, ...]:
    """Return the command that asks a node's BMC by hand."""
    address = node_named(node).bmc_address
    login = ("--username", BMC_USER, "--password", BMC_PASSWORD)
    system = ("--systems-uri", "/redfish/v1/Systems/1")
    return ("fence_redfish", "--action", action, "--ip", address, *login, *system, *more)


@contextmanager
def trusted(lab: Lab, node: str) -> Iterator[None]:
    """Let the controllers trust the certificate of a node's BMC, as update-ca-certificates does."""
    certificate = (lab.folder.bmc(node) / "certificate.pem").read_text()
    script = f"cat {_TRUSTED} - > {_MORE_TRUSTED} && mount --bind {_MORE_TRUSTED} {_TRUSTED}"
    for controller in lab.controllers:
        lab.run(controller.name, "sh", "-c", script, stdin=certificate)
    try:
        yield
    finally:
        for controller in lab.controllers:
            # Somebody may have it open, such as a fence agent: then the mount point is busy.
            lab.run(controller.name, "umount", "--lazy", _TRUSTED)


def move(lab: Lab, node: str, before: str, power: str) -> None:
    """Move a node from one kind of power fencing to another.

    Args:
        lab: the lab.
        node: the node.
        before: how it was fenced, such as ``ipmi``.
        power: POWER of variables.sh.
    """
    pcs(lab, "stonith", "disable", "fence-nova")
    pcs(lab, "stonith", "level", "remove", "1", "target", node)
    values = examples.variables([], [node_named(node)]) + f"POWER={power}\n"
    lab.run_on_controller("tee", _OTHER_VARIABLES, stdin=values)
    step = examples.command("apply.sh", _OTHER_VARIABLES)
    lab.run_on_controller(*step, timeout=examples.PATIENCE)
    pcs(lab, "stonith", "delete", f"{before}-{node}")
