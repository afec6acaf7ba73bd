# SPDX-License-Identifier: Apache-2.0
"""nova-compute in a container of the real podman, on one node of a deployment.

An installer such as kolla-ansible makes the container and starts it; here it is only made. It sees what the
node sees: there is no image, its root folder is empty but for what is bound into it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from tests.lab.lab import Lab
from tests.lab.systemd import cgroups

NAME = "nova_compute"
AGENT = "/usr/lib/ocf/resource.d/openstack/NovaCompute"
#: The root folder, on the node's disk, and what is bound into it.
_ROOT = "/var/lib/lab/nova_compute"
_LINKS = ("bin", "sbin", "lib", "lib64")
_FOLDERS = ("dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "var")
_BOUND = ("/etc:/etc:ro", "/usr:/usr:ro", "/var/lib/nova:/var/lib/nova", "/var/log/nova:/var/log/nova")
# As installers do, but for the limit: in the hybrid layout of control groups there is no controller for it.
_AS_INSTALLED = ("--net=host", "--ipc=host", "--privileged", "--pids-limit=0", "--no-hosts")
_WHAT = "{{json .State}}"


@dataclass(frozen=True)
class State:
    """What podman says of the container.

    Attributes:
        status: running, exited, ...
        pid: its main process, as the node sees it; 0 when there is none.
        exit_code: of the last run.
        started: when the last run began, epoch seconds.
    """

    status: str
    pid: int
    exit_code: int
    started: float


class Container:
    """The container on a node.

    Args:
        lab: the lab.
        node: the node.
    """

    def __init__(self, lab: Lab, node: str) -> None:
        self._lab = lab
        self._node = node

    def create(self) -> None:
        """Make it; it is not started."""
        links = " ".join(f"&& ln -sn usr/{name} {name}" for name in _LINKS)
        self._run("sh", "-c", f"mkdir {_ROOT} && cd {_ROOT} && mkdir {' '.join(_FOLDERS)} {links}")
        places = (*_BOUND, *(f"{folder}:{folder}" for folder in self._lab.folder.kept_folders()))
        volumes = [word for place in places for word in ("--volume", place)]
        parent = f"--cgroup-parent=/{cgroups.of_lab(self._lab.directory)[-1].name}/{self._node}"
        options = (*_AS_INSTALLED, parent, *volumes, "--name", NAME, "--rootfs", _ROOT)
        self._run("podman", "create", *options, "/usr/bin/nova-compute")

    def remove(self) -> None:
        """Remove it, and its root folder."""
        self._run("podman", "rm", "--force", "--time", "0", NAME)
        self._run("rm", "-r", "--one-file-system", _ROOT)

    def state(self) -> State:
        """Return what podman says of it."""
        text = self._run("podman", "inspect", "--type", "container", "--format", _WHAT, NAME)
        found = json.loads(text)
        # Python's dates have no nanoseconds.
        started = re.sub(r"(\.\d{6})\d*", r"\1", found["StartedAt"])
        begun = datetime.fromisoformat(started).timestamp()
        return State(found["Status"], found["Pid"], found["ExitCode"], begun)

    def signal(self, name: str) -> None:
        """Send a signal to its main process, behind podman's back."""
        self._run("kill", f"-{name}", str(self.state().pid))

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Have NovaCompute use it on this node, on no other, and the plain process again in the end."""
        identity = f"nova-compute-on-{self._node}"
        whole = self._lab.run_on_controller("cibadmin", "--query", "--xpath", _PRIMITIVE).stdout
        # The schema wants parameters before operations.
        more = _PARAMETERS.format(id=identity, node=self._node) + "<operations>"
        changed = whole.replace("<operations>", more)
        self._lab.run_on_controller("cibadmin", "--replace", "--xpath", _PRIMITIVE, "--xml-text", changed)
        try:
            yield
        finally:
            path = f"{_PRIMITIVE}/instance_attributes[@id='{identity}']"
            self._lab.run_on_controller("cibadmin", "--delete", "--xpath", path)

    def act(
        self, action: str, level: int = 0, instance: str = "nova-compute", **parameters: str
    ) -> tuple[int, str]:
        """Run an action of the agent by hand; return its exit status and what it says."""
        environment = {
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_RESOURCE_INSTANCE": instance,
            "OCF_CHECK_LEVEL": str(level),
            **{f"OCF_RESKEY_{name}": text for name, text in parameters.items()},
        }
        done = self._lab.run(self._node, AGENT, action, env=environment, check=False, timeout=120)
        return done.returncode, done.stderr

    def _run(self, *command: str) -> str:
        return self._lab.run(self._node, *command).stdout


_PRIMITIVE = "//primitive[@id='nova-compute']"
_PARAMETERS = """\
<instance_attributes id="{id}">
  <rule id="{id}-rule" score="0">
    <expression id="{id}-where" attribute="#uname" operation="eq" value="{node}"/>
  </rule>
  <nvpair id="{id}-run_as" name="run_as" value="podman"/>
  <nvpair id="{id}-host" name="host" value="{node}"/>
</instance_attributes>
"""
