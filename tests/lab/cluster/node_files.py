# SPDX-License-Identifier: Apache-2.0
"""What lies on the disks of the nodes before their first boot: corosync's and Pacemaker's files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.lab import layout
from tests.lab.layout import Node, RunFolder
from tests.lab.openstack.names import CLOUD_NAME

_CLUSTER_USER, _CLUSTER_GROUP = "hacluster", "haclient"
_PACEMAKER_STATE = ("blackbox", "cib", "cores", "pengine")

_COROSYNC = """\
totem {{
    version: 2
    cluster_name: lab
    transport: knet
    crypto_cipher: none
    crypto_hash: none
    token: 3000
}}
system {{
    sched_rr: no
    move_to_root_cgroup: no
}}
quorum {{
    provider: corosync_votequorum
}}
logging {{
    to_stderr: no
    to_syslog: no
    to_logfile: yes
    logfile: /var/log/corosync/corosync.log
    timestamp: hires
    debug: off
}}
nodelist {{
{nodes}}}
"""
_COROSYNC_NODE = """\
    node {{
        name: {name}
        nodeid: {number}
        ring0_addr: {address}
    }}
"""

# Without it the first election waits dc-deadtime's default of 20 s.
_FIRST_CIB = """\
<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="cib-bootstrap-options-dc-deadtime" name="dc-deadtime" value="2s"/>
      </cluster_property_set>
    </crm_config>
    <nodes/><resources/><constraints/>
  </configuration>
  <status/>
</cib>
"""


def corosync_configuration(controllers: list[Node]) -> str:
    """Return the corosync.conf of a cluster of these controllers."""
    nodes = "".join(
        _COROSYNC_NODE.format(name=node.name, number=number, address=node.address)
        for number, node in enumerate(controllers, start=1)
    )
    return _COROSYNC.format(nodes=nodes)


def hosts(nodes: list[Node]) -> str:
    """Return the /etc/hosts of the lab."""
    lines = ["127.0.0.1 localhost", f"{layout.FABRIC_ADDRESS} fabric {CLOUD_NAME}"]
    lines += [f"{node.address} {node.name}" for node in nodes]
    lines += [f"{node.bmc_address} {node.name}-bmc" for node in nodes]
    return "\n".join(lines) + "\n"


def write_all(run: RunFolder, nodes: list[Node], clustered: bool = True) -> None:
    """Write the disks of all nodes and what they share; unless `clustered`, without a cluster's files."""
    run.hosts.write_text(hosts(nodes))
    run.instances.mkdir(parents=True)
    authkey = os.urandom(4096)
    corosync = corosync_configuration([node for node in nodes if node.role == "controller"])
    for node in nodes:
        _write_common(run, node)
        if clustered:
            _write_key(run, node, authkey)
        if clustered and node.role == "controller":
            (run.private(node.name, "/etc/corosync") / "corosync.conf").write_text(corosync)
            _write_owned(run.private(node.name, "/var/lib/pacemaker") / "cib" / "cib.xml", _FIRST_CIB)


def _write_common(run: RunFolder, node: Node) -> None:
    for folder in layout.PRIVATE_FOLDERS:
        run.private(node.name, folder).mkdir(parents=True)
    (run.private(node.name, "/var/lib/nova") / "instances").mkdir()
    run.scratch(node.name).mkdir()
    run.private(node.name, "/etc/hostname").write_text(f"{node.name}\n")
    _make_pacemaker_folders(run, node.name)


def _write_key(run: RunFolder, node: Node, authkey: bytes) -> None:
    key = run.private(node.name, "/etc/pacemaker") / "authkey"
    key.write_bytes(authkey)
    key.chmod(0o640)
    shutil.chown(key, group=_CLUSTER_GROUP)


def _make_pacemaker_folders(run: RunFolder, node: str) -> None:
    state = run.private(node, "/var/lib/pacemaker")
    owned = [state, *(state / name for name in _PACEMAKER_STATE), run.private(node, "/var/log/pacemaker")]
    for folder in owned:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o770)
        shutil.chown(folder, _CLUSTER_USER, _CLUSTER_GROUP)


def _write_owned(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
    shutil.chown(path, _CLUSTER_USER, _CLUSTER_GROUP)
