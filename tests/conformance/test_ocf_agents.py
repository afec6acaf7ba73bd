# SPDX-License-Identifier: Apache-2.0
"""What other programs say about the OCF agents: ocf-tester, Pacemaker, pcs, the schemas that they use."""

from __future__ import annotations

import os
import resource
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.conformance.golden import assert_golden
from tests.conformance.installed import Installed, least_cost

pytestmark = pytest.mark.conformance

AGENTS = ("NovaEvacuate", "NovaCompute")
FOLDER = "/usr/lib/ocf/resource.d/openstack"
SCHEMAS = (
    "/usr/share/resource-agents/metadata.rng",
    "/usr/share/pcs/data/ocf-1.0.rng",
    "/usr/share/pcs/data/ocf-1.1.rng",
)
#: For agents that say that they are of OCF 1.1.
OCF = str(Path(__file__).parent / "ocf-1.1.rng")
DTD = "/usr/share/resource-agents/ra-api-1.dtd"
VALIDATE = ("crm_resource", "--validate", "--class=ocf", "--provider=openstack")
NODES = '<node id="compute-0" uname="compute-0" type="remote"/>'
CLOUD = """\
clouds:
  lab:
    auth: {auth_url: "http://127.0.0.1:1", username: admin, password: secret-word, project_name: admin}
"""


@pytest.fixture
def machine(tmp_path):
    """Give a machine with nova-ha on it."""
    return Installed(tmp_path / "machine")


@pytest.fixture
def parameters(tmp_path):
    """Give, for each agent, parameters with which it can really be started."""
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(CLOUD, encoding="utf-8")
    clouds.chmod(0o600)
    program = tmp_path / f"nova-compute-{os.getpid()}"
    program.write_text("#!/bin/sh\nwhile :; do sleep 0.1; done\n", encoding="utf-8")
    program.chmod(0o755)
    config = tmp_path / "nova.conf"
    config.write_text("[DEFAULT]\nhost = compute-0\n", encoding="utf-8")
    return {
        "NovaEvacuate": {"cloud": "lab", "clouds_yaml": str(clouds)},
        "NovaCompute": {
            "binary": str(program), "config": str(config), "user": "root", "CRM_meta_on_node": "compute-0",
        },
    }  # fmt: skip


@pytest.fixture
def environ(tmp_path):
    """Give variables that keep an agent's files, and the cluster that it asks, in a temporary folder."""
    cib = tmp_path / "cib.xml"
    empty = subprocess.run(
        ["/usr/sbin/cibadmin", "--empty"], capture_output=True, text=True, check=True
    ).stdout
    cib.write_text(empty.replace("<nodes/>", f"<nodes>{NODES}</nodes>"), encoding="utf-8")
    return {
        "CIB_file": str(cib), "NOVA_HA_RUN": str(tmp_path / "run"), "NOVA_HA_LOG": str(tmp_path / "log"),
    }  # fmt: skip


def metadata(machine, agent):
    """Return an agent's metadata."""
    done = machine.run(f"{FOLDER}/{agent}", "meta-data")
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


@pytest.mark.parametrize("agent", AGENTS)
def test_ocf_tester(machine, parameters, environ, agent):
    """ocf-tester, which starts and stops the resource for real, passes every test."""
    options = [word for item in parameters[agent].items() for word in ("-o", "=".join(item))]
    done = machine.run("ocf-tester", "-n", f"tested-{agent}", *options, f"{FOLDER}/{agent}", **environ)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"{FOLDER}/{agent} passed all tests" in done.stdout


@pytest.mark.parametrize("schema", [*SCHEMAS, OCF])
@pytest.mark.parametrize("agent", AGENTS)
def test_schemas(machine, tmp_path, agent, schema):
    """The metadata is valid by the schemas of resource-agents and pcs, and by OCF 1.1 itself."""
    path = tmp_path / "metadata.xml"
    path.write_text(metadata(machine, agent), encoding="utf-8")
    done = machine.run("xmllint", "--noout", "--nonet", "--relaxng", schema, str(path))
    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('timeout="30s"', ""),
        ("<version>1.1</version>", "<version>1.0</version>"),
        ('type="boolean"', 'type="second"'),
        ('required="0"', 'required="no"'),
        ('<longdesc lang="en">', "<longdesc>"),
        ('depth="0"', 'depth="5"'),
        ("<shortdesc", "<summary/><shortdesc"),
    ],
)
def test_schema_of_ocf_refuses(machine, tmp_path, old, new):
    """Our statement of OCF 1.1 refuses what OCF 1.1 refuses."""
    path = tmp_path / "metadata.xml"
    good = metadata(machine, "NovaEvacuate")
    assert old in good
    path.write_text(good.replace(old, new, 1), encoding="utf-8")
    done = machine.run("xmllint", "--noout", "--nonet", "--relaxng", OCF, str(path))
    assert 3 == done.returncode, done.stderr


@pytest.mark.parametrize("agent", AGENTS)
def test_mandatory_actions(machine, agent):
    """The actions that OCF 1.1 demands are there, and no action is told twice for the same depth."""
    actions = ET.fromstring(metadata(machine, agent)).findall("actions/action")
    told = [(action.get("name"), action.get("depth")) for action in actions]
    assert {"start", "stop", "monitor", "meta-data"} <= {name for name, _ in told}
    assert len(told) == len(set(told))


@pytest.mark.parametrize("agent", AGENTS)
def test_document_type(machine, tmp_path, agent):
    """The metadata is valid by the DTD of resource-agents."""
    path = tmp_path / "metadata.xml"
    path.write_text(metadata(machine, agent), encoding="utf-8")
    done = machine.run("xmllint", "--noout", "--nonet", "--dtdvalid", DTD, str(path))
    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("agent", AGENTS)
def test_golden_metadata(machine, agent):
    """The metadata changes only on purpose: "make golden" accepts it as it is now."""
    assert_golden(agent, metadata(machine, agent))


@pytest.mark.parametrize("agent", AGENTS)
def test_metadata_as_nobody(machine, agent):
    """The metadata needs no rights and no variables, and little time: pcs and ocf-tester ask for it so."""
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "-i")
    done, spent = least_cost(lambda: machine.run(*nobody, f"{FOLDER}/{agent}", "meta-data"))
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("<?xml")
    assert spent < 0.15


@pytest.mark.parametrize("agent", AGENTS)
def test_pacemaker_validates(machine, parameters, agent):
    """Pacemaker's own validation of a resource with good parameters succeeds."""
    options = [f"--option={name}={text}" for name, text in parameters[agent].items() if "CRM" not in name]
    done = machine.run(*VALIDATE, f"--agent={agent}", *options)
    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("agent", AGENTS)
def test_pacemaker_shows_the_exit_reason(machine, agent):
    """Pacemaker's validation of a bad parameter fails with the one line that says what to mend."""
    done = machine.run(*VALIDATE, f"--agent={agent}", "--option=verbose=maybe")
    assert 6 == done.returncode, done.stdout + done.stderr
    assert "verbose=maybe: not a yes or no; use true or false" in done.stdout + done.stderr


@pytest.mark.parametrize("agent", AGENTS)
def test_pcs_describes(machine, agent):
    """The shell pcs finds the agent and shows its texts, its parameters and its usual operations."""
    done = machine.run("pcs", "resource", "describe", f"ocf:openstack:{agent}")
    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"ocf:openstack:{agent} - " in done.stdout
    assert "Default operations:" in done.stdout
    assert "monitor: interval=10s timeout=30s" in " ".join(done.stdout.split())


def test_pcs_takes_both_monitors_of_nova_compute(machine, environ):
    """Without operations of the admin's pcs makes two monitors of the metadata, the second one thorough."""
    file = environ["CIB_file"]
    done = machine.run("pcs", "-f", file, "resource", "create", "n", "ocf:openstack:NovaCompute")
    assert 0 == done.returncode, done.stdout + done.stderr
    shown = " ".join(machine.run("pcs", "-f", file, "resource", "config", "n").stdout.split())
    assert "n-monitor-interval-10s interval=10s timeout=30s " in shown
    assert "n-monitor-interval-60s interval=60s timeout=60s OCF_CHECK_LEVEL=10 " in shown


def test_pcs_accepts_an_old_configuration(machine, tmp_path, environ):
    """A resource with the predecessor's parameters can be created as it was."""
    done = machine.run(
        "pcs", "-f", environ["CIB_file"], "resource", "create", "nova-evacuate", "ocf:openstack:NovaEvacuate",
        "auth_url=http://keystone:5000/v3", "username=admin", "password=secret-word", "tenant_name=admin",
        "user_domain=Default", "project_domain=Default", "region_name=regionOne", "endpoint_type=internalURL",
        "insecure=0", "no_shared_storage=0", "verbose=1", "evacuate_delay=10", "domain=localdomain",
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("action", ["promote", "notify", "reload", "bogus"])
def test_unknown_action(machine, agent, action):
    """An action that the agent does not have gives exit status 3, the usage, and no traceback."""
    done = machine.run(f"{FOLDER}/{agent}", action)
    assert 3 == done.returncode
    assert done.stderr.startswith(f"usage: {agent} ")


@pytest.mark.parametrize(
    ("agent", "variables", "code", "line"),
    [
        ("NovaEvacuate", {}, 6, "no credentials: "),
        ("NovaEvacuate", {"OCF_RESKEY_cloud": "lab", "OCF_RESKEY_insecure": "maybe"}, 6, "insecure=maybe: "),
        ("NovaEvacuate", {"OCF_RESKEY_cloud": "lab", "OCF_RESKEY_clouds_yaml": "/no/such"}, 2, "/no/such"),
        ("NovaEvacuate", {"OCF_RESKEY_auth_url": "http://k:5000", "OCF_RESKEY_cacert": "/no/such"}, 2, ""),
        ("NovaCompute", {"OCF_RESKEY_verbose": "maybe"}, 6, "verbose=maybe: "),
        ("NovaCompute", {"OCF_RESKEY_binary": "/no/such", "OCF_RESKEY_user": "root"}, 5, "binary=/no/such: "),
    ],
)
def test_bad_input(machine, environ, agent, variables, code, line):
    """A start with bad parameters gives one line, the right exit status and no traceback."""
    more = {"OCF_RESKEY_CRM_meta_on_node": "compute-0", **variables}
    done = machine.run(f"{FOLDER}/{agent}", "start", **environ, **more)
    assert code == done.returncode, done.stderr
    (said,) = done.stderr.splitlines()
    assert said.startswith("ocf-exit-reason:")
    assert line in said


@pytest.mark.parametrize("agent", AGENTS)
def test_costs_of_the_monitor(machine, environ, agent):
    """A monitor costs at most twice what it costs to start Python."""

    def cost(*command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(10):
            subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    environ = {**environ, "PYTHONPATH": str(machine.path / "dist-packages")}
    path = str(machine.path / "ocf/openstack" / agent)
    cost(path, "monitor")
    assert cost(path, "monitor") <= 2 * cost("/usr/bin/python3", "-c", "pass")
