#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Pacemaker's command-line tools for one test, by the name under which this file is called.

The attributes of nodes are in a JSON file in the folder that PCMK_FAKE names; without it nothing answers.
Every node has a fencing level of a power device and fence_compute, unless there is a file ``no-levels``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

_SILENT, _NO_SUCH = 102, 105


def main() -> int:
    """Answer as the tool would."""
    store = Path(os.environ["PCMK_FAKE"]) / "nodes.json"
    if not store.exists():
        sys.stderr.write("Could not connect to the CIB: Transport endpoint is not connected\n")
        return _SILENT
    nodes = json.loads(store.read_text(encoding="utf-8"))
    tool, words = Path(sys.argv[0]).name, sys.argv[1:]
    return {"cibadmin": _cibadmin, "crm_attribute": _crm_attribute}.get(tool, _other)(words, nodes, store)


_DEVICES = (
    '<primitive id="ipmi" class="stonith" type="fence_ipmilan"/>'
    '<primitive id="nova" class="stonith" type="fence_compute"/>'
)


def _cibadmin(_words, nodes, store):
    level = '<fencing-level id="l-{0}" target="{0}" index="1" devices="ipmi,nova"/>'
    has_levels = not (store.parent / "no-levels").exists()
    levels = "".join(level.format(name) for name in nodes) if has_levels else ""
    entries = "".join(_node(name, attributes) for name, attributes in nodes.items())
    states = "".join(f'<node_state id="{name}" uname="{name}" remote_node="true"/>' for name in nodes)
    sys.stdout.write(
        '<cib epoch="1" num_updates="1" admin_epoch="0" have-quorum="1"><configuration><crm_config/>'
        f"<nodes>{entries}</nodes><resources>{_DEVICES}</resources><constraints/>"
        f"<fencing-topology>{levels}</fencing-topology></configuration><status>{states}</status></cib>"
    )
    return 0


def _node(name, attributes):
    pairs = "".join(
        f'<nvpair id="n-{name}-{key}" name="{key}" value="{value}"/>' for key, value in attributes.items()
    )
    block = f'<instance_attributes id="n-{name}">{pairs}</instance_attributes>'
    return f'<node id="{name}" uname="{name}" type="remote">{block}</node>'


def _crm_attribute(words, nodes, store):
    given = dict(zip(words[::2], words[1::2]))
    if given["--node"] not in nodes:
        return _NO_SUCH
    nodes[given["--node"]][given["--name"]] = given["--update"]
    store.write_text(json.dumps(nodes), encoding="utf-8")
    return 0


def _other(words, _nodes, _store):
    if "--history" in words:
        status = '<status code="0" message="OK"/>'
        sys.stdout.write(f'<pacemaker-result api-version="2.25" request="x">{status}</pacemaker-result>')
        return 0
    return _NO_SUCH


if __name__ == "__main__":
    sys.exit(main())
