# SPDX-License-Identifier: Apache-2.0
"""A controller on which pcs-examples are run, with the real tools, on a configuration in a file."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.installed import CHECKOUT, Installed

EXAMPLES = CHECKOUT / "pcs-examples"
CONTROLLERS = ("controller-0", "controller-1", "controller-2")
COROSYNC = """\
totem { version: 2
 cluster_name: sample
 transport: knet
}
nodelist { node { ring0_addr: 192.0.2.10
  name: controller-0
  nodeid: 1
 } }
quorum { provider: corosync_votequorum
}
"""
#: The agents and pcs as the examples find them; the examples' own PATH begins with /usr/sbin.
SESSION = """\
set -e
mount --bind "$AGENT" /usr/sbin/fence_compute
/usr/bin/python3 "$PCS_SERVER/pcs" --serve "$PCS_SERVER" &
server=$!
trap 'kill $server' EXIT
while [ ! -S "$PCS_SERVER/pcs.socket" ]; do sleep 0.05; done
mount --bind "$PCS_SERVER/pcs" /usr/sbin/pcs
"""


@dataclass
class Machine:
    """A controller with nova-ha on it, and the results of commands that were run there."""

    folder: Path
    installed: Installed

    def run(self, script, cib, *variables):
        """Run a script in which $E are the examples, on a configuration; variables as in variables.sh."""
        settings = self.folder / f"{cib.stem}.variables"
        shipped = (EXAMPLES / "variables.sh").read_text(encoding="utf-8")
        settings.write_text("\n".join((shipped, *variables, "")), encoding="utf-8")
        server = self.folder / f"{cib.stem}.pcs"
        server.mkdir(exist_ok=True)
        (server / "pcs.socket").unlink(missing_ok=True)
        shutil.copy(Path(__file__).parent / "quick_pcs.py", server / "pcs")
        (server / "pcs").chmod(0o755)
        return self.installed.run(
            "sh", "-c", SESSION + script, HOME=str(self.folder), E=str(EXAMPLES), CIB_FILE=str(cib),
            VARIABLES=str(settings), PCS_SERVER=str(server),
            COROSYNC_CONF=str(self.folder / "corosync.conf"),
            AGENT=str(CHECKOUT / "fence_compute" / "fence_compute"),
        )  # fmt: skip

    def cib(self, name, *controllers, **properties):
        """Return the file of a configuration as it is when the controllers have just become a cluster.

        Pacemaker itself adds properties, such as have_watchdog with sbd.
        """
        tool = ["/usr/sbin/cibadmin", "--empty"]
        root = ET.fromstring(subprocess.run(tool, capture_output=True, text=True, check=True).stdout)
        root.attrib.update({"have-quorum": "1", "dc-uuid": "1"})
        for number, controller in enumerate(controllers, start=1):
            names = {"id": str(number), "uname": controller}
            ET.SubElement(root.find("configuration/nodes"), "node", names)
            member = {"in_ccm": "true", "crmd": "online", "join": "member", "expected": "member"}
            ET.SubElement(root.find("status"), "node_state", {**names, **member})
        group = ET.SubElement(
            root.find("configuration/crm_config"), "cluster_property_set", {"id": "cib-bootstrap-options"}
        )
        for number, (key, value) in enumerate(properties.items()):
            pair = {"id": f"property-{number}", "name": key.replace("_", "-"), "value": value}
            ET.SubElement(group, "nvpair", pair)
        path = self.folder / f"{name}.xml"
        path.write_text(ET.tostring(root, encoding="unicode"), encoding="utf-8")
        return path


def pacemaker(*command):
    """Run one of Pacemaker's tools; return its exit status and all that it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/sbin"})
    return done.returncode, done.stdout + done.stderr


def simulated(path):
    """Return what Pacemaker would do now with a configuration."""
    return pacemaker("crm_simulate", "--xml-file", str(path), "--simulate")[1]
