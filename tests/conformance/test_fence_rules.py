# SPDX-License-Identifier: Apache-2.0
"""The rules of FenceAgentAPI.md and of fence-agents' own checks, one by one, for fence_compute."""

from __future__ import annotations

import ast
import os
import subprocess
import time
import xml.etree.ElementTree as ET

import pytest

from nova_ha.fence import fence_options
from tests.conformance.fence_machine import AGENT, CHECKOUT, complaint
from tests.conformance.installed import Installed, least_cost

pytestmark = [pytest.mark.conformance, pytest.mark.loopback]

YES = ("true", "1", "yes", "on", "True", "YES")
NO = ("false", "0", "no", "off", "False", "NO")


def lines(**parameters):
    """Return parameters as standard input has them."""
    return "".join(f"{name}={value}\n" for name, value in parameters.items())


# --- forms of input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*YES, *NO])
def test_words_of_a_flag(agent, access, text):
    """Every usual word switches a flag on or off: only with insecure=0 the CA file matters."""
    done = agent.fenced(action="monitor", insecure=text, cacert="/none.pem", **access)
    if text in YES:
        assert (0, "") == (done.returncode, done.stderr)
    else:
        assert "cacert=/none.pem" in complaint(done)


@pytest.mark.parametrize("text", [*YES, *NO])
def test_words_of_a_boolean(agent, access, text):
    """The same words are understood where a boolean is on by default: with shared_storage=0 nothing else."""
    done = agent.fenced(action="validate-all", plug="x", shared_storage=text, **access)
    assert 0 == done.returncode, done.stderr


def test_word_that_is_no_boolean(agent, access):
    """Any other word is refused by name, with what may be written."""
    del access["passwd"]
    hidden = {"password_script": "echo x", **access}
    done = agent.fenced(action="validate-all", plug="x", shared_storage="maybe", **hidden)
    assert "shared_storage=maybe: not a yes or no; use true or false" in complaint(done)


def test_word_that_switches_no_flag_on(agent, access):
    """Of a flag the library itself ignores any other word, with a warning: certificates stay checked."""
    done = agent.fenced(action="monitor", insecure="maybe", cacert="/none.pem", **access)
    assert 1 == done.returncode
    assert "Ignoring option 'insecure'" in done.stderr
    assert "cacert=/none.pem" in done.stderr


def test_comments_and_empty_lines(agent, cloud, access):
    """Comments, empty lines and blanks around are no parameters."""
    text = f"# action=on\n\n  \n#plug=compute-1\naction=off\n{lines(plug='compute-0', **access)}\n# end\n"
    done = agent.call(stdin=text, PCMK_service="pacemaker-fenced")
    assert (0, "") == (done.returncode, done.stderr)
    assert ["compute-0"] == [host for host, _ in cloud.changes]


def test_last_value_wins(agent, cloud, access):
    """Of a name that is given twice the last value counts."""
    text = lines(action="off", plug="compute-1", **access) + "plug=compute-0\n"
    assert 0 == agent.call(stdin=text, PCMK_service="pacemaker-fenced").returncode
    assert ["compute-0"] == [host for host, _ in cloud.changes]


def test_values_with_signs(agent, cloud, access):
    """Everything behind the first equals sign is the value."""
    done = agent.fenced(action="off", plug="compute-0", password_script="x=secret; echo $x", **access)
    assert 0 == done.returncode, done.stderr
    assert 1 == len(cloud.changes)


def test_arguments_silence_standard_input(agent, cloud, access):
    """With arguments standard input is not read."""
    words = [f"--{name.replace('_', '-')}={text}" for name, text in access.items() if name != "login"]
    words = [word.replace("--passwd=", "--password=") for word in words]
    done = agent.call("-o", "off", "-n", "compute-0", *words, "-l", access["login"], stdin="plug=compute-1\n")
    assert 0 == done.returncode, done.stderr
    assert ["compute-0"] == [host for host, _ in cloud.changes]


def test_names_that_pacemaker_adds(agent, cloud, access):
    """What Pacemaker says about itself and the node is no reason to complain."""
    done = agent.fenced(action="off", nodename="compute-0", plug="compute-0", **access)
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("sign", ["_", "-"])
def test_every_name_on_standard_input(agent, access, sign):
    """Each option and each alias is a known name on standard input, with either sign between its words."""
    names = {key for key in fence_options.definitions() if "_" in key or "-" in key}
    assert len(names) > 20
    good = {"boolean": "1", "integer": "2", "second": "2", None: ""}
    kinds = {key: found.get("type") for key, found in fence_options.definitions().items()}
    for name in sorted(names):
        spelled = name.replace("_", sign).replace("-", sign)
        done = agent.call(
            stdin=lines(action="validate-all", plug="x", **access) + f"{spelled}={good[kinds[name]]}\n"
        )
        assert "unknown option" not in done.stderr, name


# --- what fence-agents checks of its own agents -----------------------------------------------------------


def test_nothing_is_asked_before_the_delay(agent, cloud, access):
    """While the delay runs neither Keystone nor Nova nor Pacemaker is asked, and nothing is written."""
    text = lines(action="off", plug="compute-0", delay="3", **access)
    with agent.start(text) as process:
        time.sleep(1.5)
        assert process.poll() is None
        assert ([], {}) == (cloud.asked, agent.attributes("compute-0"))
        process.wait(30)
    assert 0 == process.returncode
    assert 1 == len(cloud.changes)


def test_every_option_in_use_is_declared(agent):
    """Each option that the code asks the library for is in the metadata, or the library's own."""
    declared = {
        item.get("name").replace("-", "_") for item in ET.fromstring(metadata(agent)).iter("parameter")
    }
    used = {name for path in (AGENT, CHECKOUT / "nova_ha/fence/fence_options.py") for name in asked_for(path)}
    assert {"--action", "--plug", "--plug-separator"} <= used
    assert set() == {name[2:].replace("-", "_") for name in used} - declared


def asked_for(path):
    """Return the literal names that begin as options do, in a file of Python."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and text.startswith("--") and len(text) > 2}


def test_every_declared_option_is_used():
    """Each option of the table that is fence_compute's reaches the code under its canonical name."""
    options = {f"--{key.replace('_', '-')}": "1" for key in fence_options.definitions()}
    known = {key.replace("-", "_") for key in fence_options.definitions()}
    assert known == set(fence_options.given(options))


def metadata(agent):
    """Return the metadata."""
    return agent.call("-o", "metadata").stdout


def test_metadata_as_nobody(tmp_path):
    """The metadata needs no rights and no variables, and little time."""
    machine = Installed(tmp_path / "machine")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "-i")
    done, spent = least_cost(lambda: machine.run(*nobody, "/usr/sbin/fence_compute", "-o", "metadata"))
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("<?xml")
    assert spent < 0.15


@pytest.mark.parametrize(
    ("options", "status"), [({}, 0), ({"api_timeout": "soon"}, 1), ({"record_only": "2"}, 1)]
)
def test_pacemaker_validates(tmp_path, options, status):
    """Pacemaker's own validation of a device calls the agent, and passes its complaint on."""
    machine = Installed(tmp_path / "machine")
    given = {
        "auth_url": "http://127.0.0.1:9",
        "username": "a",
        "project_name": "a",
        "password_script": "echo a",
    }
    words = [f"--option={name}={text}" for name, text in {**given, **options}.items()]
    done = machine.run("stonith_admin", "--validate", "--agent", "fence_compute", *words)
    assert bool(status) is bool(done.returncode), done.stdout + done.stderr
    for name in options:
        assert name.replace("_", "-") in done.stdout + done.stderr or name in done.stdout + done.stderr


def test_pacemaker_and_pcs_list_and_describe(tmp_path):
    """Pacemaker and pcs find the agent and show what it is."""
    machine = Installed(tmp_path / "machine")
    listed = machine.run("stonith_admin", "--list-installed")
    assert "fence_compute" in listed.stdout.split()
    described = machine.run("pcs", "stonith", "describe", "fence_compute")
    assert 0 == described.returncode, described.stderr
    assert "fence_compute - Fence agent for the recovery of the servers" in described.stdout


def test_library_of_the_machine():
    """The tests run with the library that the agent finds in a real cluster."""
    shown = subprocess.run([AGENT, "--version"], capture_output=True, text=True, check=False,
                           env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT)})  # fmt: skip
    assert 0 == shown.returncode, shown.stderr
