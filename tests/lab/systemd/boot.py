# SPDX-License-Identifier: Apache-2.0
"""Boot a node with systemd as its PID 1, in systemd-nspawn."""

from __future__ import annotations

from pathlib import Path

from tests.lab import layout, overlays
from tests.lab.layout import Node, RunFolder
from tests.lab.systemd import cgroups, root

# --register=no, --keep-unit: no systemd of this machine is to be asked. --console=read-only: what would be on
# the node's screen is logged, and there is no keyboard.
_NSPAWN = (
    "systemd-nspawn",
    "--quiet",
    "--register=no",
    "--keep-unit",
    "--private-network",
    "--capability=all",
    "--link-journal=no",
    "--resolv-conf=off",
    "--timezone=off",
    "--console=read-only",
    "--boot",
)


class SystemdBoot:
    """A node as an installer leaves it: systemd, packages, no cluster."""

    # With --keep-unit systemd-nspawn leaves it to others to start a container again that reboots.
    rebooted = 133
    halted = 0

    def command(self, node: Node, run: RunFolder) -> list[str]:
        """Return systemd-nspawn in control groups of the node; the first time this makes the node's files."""
        options = [f"--directory={root.of(node, run)}", f"--machine={node.name}", *_binds(node, run)]
        return cgroups.command_inside(run.path, node.name, [*_NSPAWN, *options])


def _binds(node: Node, run: RunFolder) -> list[str]:
    """Return options for what of the fabric a node sees, beside its own copy of the machine's files."""
    read_only = [(Path(folder), folder) for folder in overlays.OVERLAID.values()]
    shared = [(folder, str(folder)) for folder in run.kept_folders() if folder.is_dir()]
    shared += [(run.private(node.name, folder), folder) for folder in root.KEPT_OUTSIDE]
    if node.role == "compute":
        shared.append((run.instances, layout.INSTANCES))
    return [
        *(f"--bind-ro={_escaped(source)}:{_escaped(target)}" for source, target in read_only),
        *(f"--bind={_escaped(source)}:{_escaped(target)}" for source, target in shared),
    ]


def _escaped(path: Path | str) -> str:
    return str(path).replace("\\", "\\\\").replace(":", "\\:")
