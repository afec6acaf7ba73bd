# SPDX-License-Identifier: Apache-2.0
"""fence_compute as Pacemaker and admins call it: the real executable with fencing's real library.

Keystone and Nova are on the loopback, Pacemaker's tools are invented (fakes) except where a test
says otherwise.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time

import pytest

from tests.conformance.fence_machine import AGENT, CHECKOUT, FAKES, NOWHERE, complaint
from tests.conformance.golden import assert_golden
from tests.conformance.loopback_cloud import PASSWORD

pytestmark = [pytest.mark.conformance, pytest.mark.loopback]

RECORD = re.compile(r"fenced \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
OPEN = {"nova-ha-fenced": "fenced 2026-11-22T06:40:12Z"}


# --- metadata ---------------------------------------------------------------------------------------------


def test_golden_metadata(agent):
    """The metadata changes only on purpose: "make golden" accepts it as it is now."""
    assert_golden("fence_compute", agent.call("-o", "metadata").stdout)


@pytest.mark.parametrize(
    "schema", ["/usr/share/cluster/relaxng/metadata.rng", "/usr/share/pcs/data/ocf-1.0.rng"]
)
def test_metadata_is_valid(agent, tmp_path, schema):
    """The metadata satisfies the schema of the fence agents and that of pcs, which hides invalid agents."""
    (tmp_path / "m.xml").write_text(agent.call("-o", "metadata").stdout, encoding="utf-8")
    done = subprocess.run(
        ["xmllint", "--noout", "--relaxng", schema, str(tmp_path / "m.xml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr


def test_metadata_says_what_pacemaker_must_know(agent):
    """Nodes are unfenced with "on" by themselves, from anywhere, and there is no reboot."""
    actions = re.findall(r"<action .*?/>", agent.call("-o", "metadata").stdout)
    assert '<action name="on" automatic="1"/>' in actions
    assert not [action for action in actions if "reboot" in action or "on_target" in action]


@pytest.mark.parametrize("call", [["-o", "metadata"], ["-o", "meta-data"], ["--action=metadata"]])
def test_metadata_needs_no_client_library(agent, call):
    """Pacemaker asks for the metadata often: neither novaclient nor keystoneauth1 is imported for it."""
    done = agent.call(*call, PYTHONPROFILEIMPORTTIME="1")
    assert "<resource-agent" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "fencing" in imported
    assert not {"novaclient", "keystoneauth1", "requests", "yaml"} & imported


def test_metadata_from_standard_input(agent):
    """The metadata can be asked for on standard input too."""
    assert "<resource-agent" in agent.call(stdin="action=metadata\n").stdout


def test_help_and_manual(agent):
    """Help names every option once, and the manual page is made of the same."""
    shown = agent.call("--help").stdout
    assert 1 == len(re.findall(r"--auth-url=", shown))
    assert "-r, --record-only=" in shown
    assert "<resource-agent" in agent.call("-o", "manpage").stdout


# --- actions ----------------------------------------------------------------------------------------------


def test_off(agent, cloud, access):
    """Off writes the record and tells Nova, in one change, and says nothing on standard error."""
    done = agent.fenced(action="off", nodename="compute-0", plug="compute-0", **access)
    assert (0, "") == (done.returncode, done.stderr)
    fenced = agent.attributes("compute-0")["nova-ha-fenced"]
    assert RECORD.fullmatch(fenced)
    change = {"forced_down": True, "status": "disabled", "disabled_reason": f"nova-ha: {fenced}"}
    assert [("compute-0", change)] == cloud.changes


def test_off_with_times_that_have_units(agent, cloud, access):
    """Times may be written as everywhere in Pacemaker's configuration."""
    times = {"cluster_wait": "90s", "nova_wait": "2min", "api_timeout": "30 s", "recover_wait": "0"}
    done = agent.fenced(action="off", plug="compute-0", **times, **access)
    assert (0, "") == (done.returncode, done.stderr)
    assert cloud.hosts["compute-0"]["forced_down"]


def test_off_without_nova(agent):
    """Off succeeds when only Nova is missing, with a warning that Pacemaker does not misunderstand."""
    access = {"auth_url": NOWHERE, "username": "a", "password": "b", "project_name": "c", "nova_wait": "2"}
    done = agent.fenced(action="off", plug="compute-0", **access)
    assert "Nova will be told later" in complaint(done, status=0)
    assert not re.search(r"time[d]?[ -]?out", done.stderr)
    assert "nova-ha-fenced" in agent.attributes("compute-0")


def test_off_without_credentials(agent):
    """Off succeeds when credentials are missing: the record is what counts."""
    assert "auth_url: missing" in complaint(agent.fenced(action="off", plug="compute-0"), status=0)
    assert "nova-ha-fenced" in agent.attributes("compute-0")


def test_off_without_pacemaker(agent, cloud, access):
    """Off fails, after some patience, when it cannot record."""
    agent.nodes(None)
    begin = time.monotonic()
    done = agent.fenced(action="off", plug="compute-0", cluster_wait="3", **access)
    assert "Could not connect to the CIB" in complaint(done)
    assert time.monotonic() - begin > 2
    assert [] == cloud.changes


def test_off_is_the_default(agent, cloud, access):
    """Without an action off is meant."""
    assert 0 == agent.fenced(plug="compute-0", **access).returncode
    assert 1 == len(cloud.changes)


def test_off_without_a_power_device(agent, access):
    """Called by Pacemaker for a node that no level powers off first, off fails: the node may be running."""
    (agent.folder / "no-levels").touch()
    text = complaint(agent.fenced(action="off", plug="compute-0", **access))
    assert "not recorded as fenced: node 'compute-0' has no fencing level" in text
    assert {} == agent.attributes("compute-0")


def test_off_with_a_real_cib(agent, tmp_path):
    """Off writes its record with the real tools of Pacemaker, here into a file."""
    empty = subprocess.run(["cibadmin", "--empty"], capture_output=True, text=True, check=True).stdout
    node = '<nodes><node id="compute-0" uname="compute-0" type="remote"/></nodes>'
    cib = tmp_path / "cib.xml"
    cib.write_text(empty.replace("<nodes/>", node), encoding="utf-8")
    real = "/usr/sbin:/usr/bin"
    done = agent.call("-o", "off", "-n", "compute-0", CIB_file=str(cib), PCMK_FAKE=real)
    assert 0 == done.returncode, done.stderr
    assert RECORD.search(cib.read_text(encoding="utf-8"))


def test_delay_comes_first(agent, access):
    """The delay of a device is waited for before anything else, even if the action then fails."""
    begin = time.monotonic()
    done = agent.fenced(action="off", plug="compute-9", delay="2", **access)
    assert 1 == done.returncode
    assert time.monotonic() - begin > 2


def test_on(agent):
    """On passes a node without open recovery, needs no Nova, and changes nothing."""
    done = agent.fenced(action="on", plug="compute-0")
    assert (0, "") == (done.returncode, done.stderr)
    assert {} == agent.attributes("compute-0")


def test_on_while_a_recovery_is_open(agent):
    """On fails in one line while the recovery stays open."""
    agent.nodes({"compute-0": {**OPEN, "nova-ha-state": "evacuating 12/20"}})
    text = complaint(agent.fenced(action="on", plug="compute-0", hold_unfencing="1", on_wait="2"))
    assert "the recovery of 2026-11-22T06:40:12Z is not complete (evacuating 12/20)" in text


@pytest.mark.parametrize(("name", "action"), [("enable", "on"), ("disable", "off")])
def test_words_of_fabric_agents(agent, cloud, access, name, action):
    """Enable and disable are on and off."""
    assert 0 == agent.fenced(action=name, plug="compute-0", **access).returncode
    assert (action == "off") is bool(cloud.changes)


def test_no_reboot(agent, access):
    """An agent that cuts no power refuses to reboot."""
    done = agent.fenced(action="reboot", plug="compute-0", **access)
    assert "Unrecognised action 'reboot'" in complaint(done)


def test_status(agent, cloud, access):
    """Status tells on from off by its exit status."""
    cloud.hosts["compute-1"]["forced_down"] = True
    on = agent.fenced(action="status", plug="compute-0", **access)
    off = agent.fenced(action="status", plug="compute-1", **access)
    assert (0, "Status: ON\n") == (on.returncode, on.stdout)
    assert (2, "Status: OFF\n") == (off.returncode, off.stdout)


def test_monitor(agent, cloud, access):
    """The monitor asks Keystone, Nova and Pacemaker."""
    done = agent.fenced(action="monitor", **access)
    assert (0, "") == (done.returncode, done.stderr)
    assert "GET /v2.1/os-services" in cloud.asked
    agent.nodes(None)
    assert "Could not connect to the CIB" in complaint(agent.fenced(action="monitor", **access))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"auth_url": NOWHERE}, "Connection refused"),
        ({"passwd": "wrong"}, "check user, password, project and domains"),
        ({"region_name": "Two"}, "Keystone knows no such endpoint of Nova"),
    ],
)
def test_monitor_of_pacemaker_without_nova(agent, access, change, text):
    """For Pacemaker the monitor only warns of Nova and Keystone: fencing does not need them."""
    done = agent.fenced(action="monitor", **{**access, **change})
    assert text in complaint(done, 0)


def test_monitor_of_pacemaker_with_bad_options(agent, access):
    """It fails for what is wrong on this controller, so that Pacemaker takes another one."""
    assert "auth_url: missing" in complaint(agent.fenced(action="monitor", **{**access, "auth_url": ""}))


def test_list(agent, cloud, access):
    """The lists have every host with an empty alias: Pacemaker would take an alias for another target."""
    cloud.hosts["compute-1"]["forced_down"] = True
    listed = agent.fenced(action="list", **access).stdout
    assert "compute-0,\ncompute-1,\n" == listed
    assert "compute-0,,on\ncompute-1,,off\n" == agent.fenced(action="list-status", **access).stdout


def test_validate_all(agent, cloud, access):
    """Validation reads the options and asks nobody; it warns of a password that all can read."""
    done = agent.fenced(action="validate-all", plug="any", **access)
    assert "password: everybody who may read the cluster's configuration can read it" in complaint(done, 0)
    assert PASSWORD not in done.stderr.replace("cibsecret", "")
    assert [] == cloud.asked


def test_validate_all_with_a_password_script(agent, access):
    """There is nothing to say about a password that a command prints."""
    hidden = {**access, "password_script": f"echo {PASSWORD}"}
    del hidden["passwd"]
    done = agent.fenced(action="validate-all", plug="any", **hidden)
    assert (0, "") == (done.returncode, done.stderr)


# --- spellings of options ---------------------------------------------------------------------------------


SHORT = "-o off -n compute-0 -k URL -l admin -p secret -t admin -u Default -P Default -e internalURL"
LONG = """
    --action=off --plug=compute-0 --auth-url=URL --username=admin --password=secret --tenant-name=admin
    --user-domain=Default --project-domain=Default --endpoint-type=internalURL --region-name=RegionOne
    --insecure --record-only=1 --instance-filtering --no-shared-storage --domain=example.org
"""
NEW = """
    --action=disable --plug=compute-0 --auth-url=URL --username=admin -S PRINT --project-name=admin -r True
    --interface=internal --compute-domain=example.org
"""


@pytest.mark.parametrize("arguments", [SHORT, LONG, NEW], ids=["short", "long", "new"])
def test_spellings_on_the_command_line(agent, cloud, arguments):
    """Old and new, long and short options are understood."""
    values = {"URL": cloud.url, "--auth-url=URL": f"--auth-url={cloud.url}", "PRINT": "echo secret"}
    words = [values.get(word, word) for word in arguments.split()]
    done = agent.call(*words)
    assert 0 == done.returncode, done.stderr
    assert 1 == len(cloud.changes), done.stderr


OLDEST = "auth_url=URL login=admin passwd=secret tenant_name=admin port=compute-0"
HYPHENS = """
    auth-url=URL username=admin password=secret tenant-name=admin plug=compute-0 user-domain=Default
    project-domain=Default endpoint-type=internalURL region-name=RegionOne insecure=false
"""
UNDERSCORES = """
    auth_url=URL username=admin password=secret project_name=admin plug=compute-0 user_domain=Default
    project_domain=Default endpoint_type=INTERNALURL region_name=RegionOne insecure=0 record_only=1
    instance_filtering=true no_shared_storage=false compute_domain=example.org domain=example.org
"""


@pytest.mark.parametrize("spelling", [OLDEST, HYPHENS, UNDERSCORES], ids=["oldest", "hyphens", "underscores"])
def test_spellings_on_standard_input(agent, cloud, spelling):
    """Old and new names, with either sign between their words, are understood."""
    lines = ["action=off", "# a comment", "", *spelling.replace("=URL", f"={cloud.url}").split()]
    done = agent.call(stdin="\n".join(lines) + "\n", PCMK_service="pacemaker-fenced")
    assert (0, "") == (done.returncode, done.stderr)
    assert 1 == len(cloud.changes)


def test_flag_that_is_off(agent, access):
    """A flag that is "false" on standard input stays off: here the CA file is still looked at."""
    done = agent.fenced(action="monitor", insecure="false", cacert="/none.pem", **access)
    assert "cacert=/none.pem" in complaint(done)
    assert 0 == agent.fenced(action="monitor", insecure="true", cacert="/none.pem", **access).returncode


# --- bad input --------------------------------------------------------------------------------------------


def test_unknown_option(agent, cloud, access):
    """An unknown option is an error as an argument and, by the rule for fence agents, else a warning."""
    assert "option --auth-ulr not recognized" in complaint(agent.call("--auth-ulr=x"))
    done = agent.fenced(action="off", plug="compute-0", auth_ulr="x", **access)
    assert "Ignoring unknown option 'auth_ulr=x'" in complaint(done, status=0)
    assert 1 == len(cloud.changes)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"passwd": ""}, "password: missing; give it as an option"),
        ({"auth_url": ""}, "auth_url: missing; give auth_url, username, password and project_name"),
        ({"passwd": "wrong"}, "check user, password, project and domains"),
        ({"auth_url": NOWHERE}, f"no connection to {NOWHERE}/v3/auth/tokens: Connection refused"),
        ({"auth_url": "http://nowhere.invalid"}, "no connection to http://nowhere.invalid/v3/auth/tokens"),
        ({"cacert": "/no/ca.pem"}, "cacert=/no/ca.pem: cannot be read (No such file or directory); give"),
        (
            {"region_name": "Two"},
            "region_name=Two, interface=internal: Keystone knows no such endpoint of Nova",
        ),
        ({"endpoint_type": "privateURL"}, "endpoint_type=privateURL: must be one of internal, public, admin"),
        ({"api_timeout": "soon"}, "api_timeout=soon: not a duration; write seconds, such as 90, or 90s"),
        ({"record_only": "2"}, "record_only=2: this value made fencing succeed without any effect"),
        ({"cloud": "lab", "clouds_yaml": "/none.yaml"}, "clouds_yaml=/none.yaml: cannot be read"),
    ],
)
def test_bad_input(agent, access, change, text):
    """Every mistake in the options is one line that names the option, and exit status 1."""
    assert text in complaint(agent.by_hand(action="monitor", **{**access, **change}))


def test_unknown_host(agent, access):
    """A host that Nova or Pacemaker does not know is named."""
    agent.nodes({"compute-9": {}})
    assert "node 'compute-9' is none of Nova's 2 hosts" in complaint(
        agent.fenced(action="status", plug="compute-9", **access)
    )
    assert "node 'compute-0' has no fencing level" in complaint(
        agent.fenced(action="off", plug="compute-0", **access)
    )
    lines = "".join(
        f"{name}={value}\n" for name, value in {**access, "action": "off", "plug": "compute-0"}.items()
    )
    by_hand = agent.call(stdin=lines)
    assert "knows no node 'compute-0'" in complaint(by_hand).replace('"', "'")


def test_missing_plug(agent, access):
    """An action on a host needs its name."""
    assert "You have to enter plug number" in complaint(agent.fenced(action="off", **access))


def test_unreadable_ca_file(agent, access, tmp_path):
    """A file that is no certificate is named before anything is sent."""
    (tmp_path / "ca.pem").write_text("nothing", encoding="utf-8")
    script = {**access, "password_script": "echo x"}
    del script["passwd"]
    done = agent.fenced(action="validate-all", plug="any", cacert=str(tmp_path / "ca.pem"), **script)
    assert "no certificate in PEM form" in complaint(done)


def test_missing_client_library(agent, access, tmp_path):
    """Without python3-novaclient the agent says what to install."""
    (tmp_path / "novaclient").mkdir()
    (tmp_path / "novaclient" / "__init__.py").write_text("raise ImportError('no novaclient here')\n")
    lines = "".join(f"{name}={value}\n" for name, value in {"action": "monitor", **access}.items())
    done = agent.call(stdin=lines, PYTHONPATH=f"{tmp_path}:{FAKES}:{CHECKOUT}")
    assert "python3-novaclient cannot be loaded: no novaclient here; install it" in complaint(done)


def test_secrets_are_not_shown(agent, access):
    """Not even the most talkative mode shows a password."""
    lines = "".join(f"{n}={v}\n" for n, v in {"action": "monitor", "verbose": "1", **access}.items())
    done = agent.call(stdin=lines)
    assert 0 == done.returncode
    assert PASSWORD not in done.stderr


def test_executable_is_found_by_pacemaker():
    """The file is executable and runs on the interpreter that has fencing's library."""
    assert os.access(AGENT, os.X_OK)
    assert "#!/usr/bin/python3" == AGENT.read_text(encoding="utf-8").splitlines()[0]
    assert shutil.which("xmllint")
