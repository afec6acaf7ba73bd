# SPDX-License-Identifier: Apache-2.0
"""The commands of the README's chapter about installing, typed as they are, and what doctor says of it."""

from __future__ import annotations

import re
import textwrap

import pytest

from nova_ha.commands import doctor
from nova_ha.commands.configuration import Configuration as DoctorsView
from nova_ha.commands.facts import ClusterFacts, Facts, NovaFacts
from nova_ha.model import Service
from nova_ha.openstack.host_names import HostNames
from nova_ha.pacemaker.cib import Cib
from tests.conformance.cluster_configuration import Configuration
from tests.conformance.examples_machine import pacemaker
from tests.conformance.installed import CHECKOUT

pytestmark = pytest.mark.conformance

NODES = ("compute-0", "compute-1", "compute-2")
COMPUTES = "".join(f"{node} 192.0.2.10{n} 192.0.2.20{n}\n" for n, node in enumerate(NODES))
#: The cluster that the chapter presupposes: remote nodes, and a power device for each. All else is typed.
BEFORE = '"$E"/020-nodes.sh && "$E"/040-power-ipmi.sh'
AND_SO_ON = "# and so on, for each compute node"


def commands():
    """Return the commands of the chapter, with the one that is meant for each node typed for each."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    chapter = text.split("\n## Install\n")[1].split("\n## ")[0]
    (block,) = [one for one in re.findall(r"(?:^ {4}.+\n)+", chapter, re.MULTILINE) if "pcs stonith" in one]
    lines = textwrap.dedent(block).splitlines()
    (example,) = [line for line in lines if AND_SO_ON in line]
    others = [example.replace(NODES[0], node) for node in NODES[1:]]
    place = lines.index(example) + 1
    return "\n".join([*lines[:place], *others, *lines[place:]])


@pytest.fixture(scope="module")
def typed(machine):
    """Give the configuration that the README's commands make."""
    cib = machine.cib("readme", "controller-0")
    script = f"""
    {BEFORE}
    pcs() {{ command pcs -f "$CIB_FILE" "$@"; }}
    {commands()}
    """
    done = machine.run(
        textwrap.dedent(script), cib, f"CONTROLLERS='controller-0 192.0.2.20'\nCOMPUTES='{COMPUTES}'"
    )
    assert 0 == done.returncode, done.stderr
    return cib


def test_doctor_has_nothing_to_mend(typed):
    """Doctor finds nothing but what a file cannot show: that the evacuator runs."""
    cib = Cib(typed.read_text(encoding="utf-8"))
    cluster = ClusterFacts(cib, DoctorsView(cib.root), cib.nodes(), HostNames(NODES))
    services = tuple(Service(node, node, "enabled", "up") for node in NODES)
    nova = NovaFacts(services=services, servers=dict.fromkeys(NODES, ()), groups=(), microversion=(2, 104))
    found = doctor.examine(Facts(now=0.0, cluster=cluster, nova=nova))
    assert {("evacuator", "nova-evacuate")} == {(one.check, one.subject) for one in found}


def test_pacemaker_accepts_it(typed):
    """Pacemaker has no complaint about the configuration, and each node has its level of two devices."""
    assert (0, "") == pacemaker("crm_verify", "--xml-file", str(typed), "-VV")
    levels = {(node, "1"): f"ipmi-{node},fence-nova" for node in NODES}
    assert levels == Configuration(typed).levels()
