# SPDX-License-Identifier: Apache-2.0
"""What every OCF agent shares."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import keystoneauth1.session  # noqa: F401 (when urllib3 is imported it looks for IPv6, which the guard forbids in a test)
import pytest

from nova_ha import errors
from nova_ha.agents import ocf, ocf_log, ocf_metadata
from nova_ha.agents.nova_compute import NovaCompute
from nova_ha.agents.nova_evacuate import NovaEvacuate
from nova_ha.settings import options

CHECKOUT = Path(__file__).resolve().parents[3]
AGENTS = (NovaEvacuate, NovaCompute)


class Breaks(NovaEvacuate):
    """An agent whose actions raise what the test says."""

    error: Exception = RuntimeError()

    def start(self):
        """Raise it."""
        raise self.error

    def monitor(self):
        """Raise it."""
        raise self.error


@pytest.fixture(autouse=True)
def _quiet_log():
    """Leave the library's logger as it was."""
    logger = logging.getLogger("nova_ha")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = before


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ocf.Failed(ocf.ERR_ARGS, "file is not here"), 2),
        (errors.ConfigurationError("insecure=maybe: not a yes or no"), 6),
        (errors.AccessDenied("Keystone refused user admin"), 1),
        (errors.ClusterUnavailable("Pacemaker did not answer"), 1),
        (ImportError("No module named 'novaclient'"), 5),
        (PermissionError(13, "Permission denied", "/run/x"), 4),
        (OSError(28, "No space left on device", "/run/x"), 1),
        (RuntimeError("a defect"), 1),
    ],
)
def test_errors_become_exit_codes(capsys, error, code):
    """Each kind of error has its OCF exit code, and one line as its exit reason."""
    Breaks.error = error
    assert code == ocf.run(Breaks, ["agent", "start"], {})
    lines = capsys.readouterr().err.splitlines()
    assert 1 == len(lines)
    assert lines[0].startswith("ocf-exit-reason:")
    assert "Traceback" not in lines[0]


def test_exit_reason_is_one_line(capsys, monkeypatch):
    """Line breaks in a reason become blanks, and Pacemaker's prefix is used."""
    monkeypatch.setenv("OCF_EXIT_REASON_PREFIX", "why:")
    ocf.exit_reason("one\ntwo")
    assert "why:one two\n" == capsys.readouterr().err


@pytest.mark.parametrize("action", ["promote", "demote", "notify", "reload", "bogus", ""])
@pytest.mark.parametrize("agent", AGENTS)
def test_unknown_action(capsys, agent, action):
    """An action that the agent does not have gives exit status 3 and the usage."""
    assert 3 == ocf.run(agent, ["agent", action], {})
    assert f"usage: {agent.name} " in capsys.readouterr().err


@pytest.mark.parametrize("agent", AGENTS)
def test_usage(capsys, agent):
    """Usage names every action."""
    assert 0 == ocf.run(agent, ["agent", "usage"], {})
    assert "meta-data|monitor|start|stop|usage|validate-all" in capsys.readouterr().out


def test_parameters():
    """Parameters are what the admin has set, without what Pacemaker adds."""
    environ = {
        "OCF_RESKEY_cloud": "lab",
        "OCF_RESKEY_CRM_meta_timeout": "60000",
        "OCF_RESKEY_crm_feature_set": "3.16.1",
        "OCF_ROOT": "/usr/lib/ocf",
    }
    agent = NovaEvacuate(environ)
    assert {"cloud": "lab"} == agent.given()
    assert 60.0 == agent.timeout


@pytest.mark.parametrize("text", [None, "", "soon"])
def test_timeout_that_nobody_tells(text):
    """Without a usable timeout the agent assumes Pacemaker's default of 20 s."""
    assert 20.0 == NovaEvacuate({} if text is None else {"OCF_RESKEY_CRM_meta_timeout": text}).timeout


def test_admins_environment_is_no_parameter():
    """OS_ variables of the shell that calls an agent by hand change nothing."""
    agent = NovaEvacuate({"OS_AUTH_URL": "http://elsewhere", "OS_PASSWORD": "x"})
    assert agent.settings()["auth_url"] is None


@pytest.mark.parametrize(
    ("name", "text"),
    [("insecure", "maybe"), ("api_timeout", "soon"), ("max_in_flight", "0"), ("interface", "x")],
)
def test_bad_parameter(capsys, name, text):
    """A bad value is told in one line that names parameter and value, as wrong on every node."""
    environ = {"OCF_RESKEY_cloud": "lab", f"OCF_RESKEY_{name}": text}
    assert 6 == ocf.run(NovaEvacuate, ["agent", "validate-all"], environ)
    assert capsys.readouterr().err.startswith(f"ocf-exit-reason:{name}={text}: ")


def test_missing_credentials(capsys):
    """Without credentials the parameters are wrong on every node, and the line says what to set."""
    assert 6 == ocf.run(NovaEvacuate, ["agent", "validate-all"], {})
    assert "no credentials: set cloud" in capsys.readouterr().err


def test_validation_of_the_parameters_alone():
    """At level 0 files that are named need not be there: the resource may run elsewhere."""
    environ = {"OCF_RESKEY_cloud": "lab", "OCF_RESKEY_clouds_yaml": "/no/such/clouds.yaml"}
    assert 0 == ocf.run(NovaEvacuate, ["agent", "validate-all"], environ)


def test_validation_on_this_node(capsys):
    """At level 10 a file that is not on this node is an error of this node only."""
    environ = {
        "OCF_RESKEY_cloud": "lab",
        "OCF_RESKEY_clouds_yaml": "/no/such/clouds.yaml",
        "OCF_CHECK_LEVEL": "10",
    }
    assert 2 == ocf.run(NovaEvacuate, ["agent", "validate-all"], environ)
    assert "/no/such/clouds.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("agent", AGENTS)
def test_metadata_names_every_option(capsys, agent):
    """Every option of the agent is a parameter with type, texts and default."""
    assert 0 == ocf.run(agent, ["agent", "meta-data"], {})
    root = ET.fromstring(capsys.readouterr().out)
    found = {parameter.get("name"): parameter for parameter in root.iter("parameter")}
    for option in options.for_program(agent.name):
        parameter = found[option.name]
        assert option.default == parameter.find("content").get("default")
        assert option.summary == parameter.findtext("shortdesc")
        assert parameter.findtext("longdesc").startswith(option.description.split(". ")[0].rstrip("."))


def test_metadata_is_about_this_agent(capsys):
    """What a parameter means to other programs is left out, and parameters without effect come last."""
    ocf.run(NovaEvacuate, ["agent", "meta-data"], {})
    assert "NovaCompute" not in capsys.readouterr().out
    ocf.run(NovaCompute, ["agent", "meta-data"], {})
    printed = capsys.readouterr().out
    assert printed.index('name="binary"') < printed.index('name="password"')


@pytest.mark.parametrize("name", ["tenant_name", "endpoint_type"])
def test_metadata_has_the_old_names(capsys, name):
    """Names that old configurations use are parameters, because pcs refuses any other name."""
    ocf.run(NovaEvacuate, ["agent", "meta-data"], {})
    assert f'<parameter name="{name}"' in capsys.readouterr().out


def test_metadata_is_escaped():
    """Characters that mean something in XML come out as they went in."""
    description = ocf_metadata.Description("a <b> & c", "x < y & z", ())
    root = ET.fromstring(ocf_metadata.metadata("NovaEvacuate", description))
    assert ("a <b> & c", "x < y & z") == (root.findtext("shortdesc"), root.findtext("longdesc").strip())


def test_log_line_in_pacemakers_file(tmp_path):
    """A message is one line of Pacemaker's log file, in the form of every OCF agent."""
    path = tmp_path / "pacemaker.log"
    path.touch()
    ocf_log.set_up("NovaCompute", "nova-compute:0", {"HA_LOGFILE": str(path), "HA_LOGFACILITY": "none"})
    logging.getLogger("nova_ha.x").info("waits\nfor it")
    logging.getLogger("nova_ha.x").debug("not seen")
    (line,) = path.read_text(encoding="utf-8").splitlines()
    assert line.startswith("NovaCompute(nova-compute:0)[")
    assert line.endswith(" INFO: waits for it")
    for handler in logging.getLogger("nova_ha").handlers:
        handler.close()


def test_log_goes_to_stderr_by_default(capsys):
    """Without a log file and syslog, messages go to stderr; HA_debug shows more of them."""
    ocf_log.set_up("NovaCompute", "nova-compute", {"HA_debug": "1"})
    logging.getLogger("nova_ha.x").debug("details")
    assert "DEBUG: details\n" == capsys.readouterr().err


@pytest.mark.real_subprocess
@pytest.mark.parametrize("module", ["nova_evacuate", "nova_compute"])
def test_monitor_imports_nothing_dear(module):
    """What a monitor imports leaves out everything that costs it time."""
    code = (
        f"import sys; before = set(sys.modules); import nova_ha.agents.{module}; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    allowed = {"nova_ha", "__future__", "time", "os", "stat", "posixpath", "genericpath"}
    mine = {name for name in done.stdout.split() if not name.startswith(("nova_ha.", "_", "os."))}
    assert mine <= allowed | {"abc", "io", "codecs", "encodings", "site"}
