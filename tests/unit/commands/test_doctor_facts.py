# SPDX-License-Identifier: Apache-2.0
"""What doctor gathers: from a real client on an invented cloud, from agents, and from wrong settings."""

from __future__ import annotations

import json
import re
from email.utils import formatdate

import pytest

from nova_ha import __version__
from nova_ha.commands.account import RealAccount
from nova_ha.commands.doctor_facts import PROGRAMS, Gatherer, reinstall
from nova_ha.commands.sources import Source, settings, with_secrets
from nova_ha.errors import AccessDenied, ConfigurationError, NotFound, NovaUnavailable
from nova_ha.openstack.access_rules import CALLS
from nova_ha.runner import CommandFailed, Result
from nova_ha.settings.options import COMMAND, resolve
from nova_ha.testing.clock import VirtualClock
from tests.unit.commands.command_world import SimulatedAccount
from tests.unit.openstack.fake_cloud import KEYSTONE, NOVA, FakeCloud

PASSWORD = {"auth_url": KEYSTONE, "username": "admin", "password": "hush-hush", "project_name": "ops"}


class Agents:
    """Runs nothing; answers as the agents and cibsecret would."""

    def __init__(self, **answers):
        self.answers = answers
        self.commands = []

    def run(self, *command, timeout=30.0):
        """Answer by the name of the program."""
        self.commands.append(command)
        answer = self.answers.get(command[0].rpartition("/")[2], "")
        if isinstance(answer, Exception):
            raise answer
        status, text = answer if isinstance(answer, tuple) else (0, answer)
        return Result(command, status, text, "no such secret" if status else "", timeout)


class Refusing:
    """A Nova that lets these credentials read services and nothing else, and knows no such server."""

    def __init__(self, **errors):
        self._errors = errors
        self.asked = []

    def __getattr__(self, name):
        def ask(*_arguments):
            self.asked.append(name)
            if name in self._errors:
                raise self._errors[name]
            return ()

        return ask


def gather(nova, *sources, runner=None, given=None):
    """Return the facts that a Nova and some sources make."""
    clock = VirtualClock()
    gatherer = Gatherer(
        runner or Agents(), clock, lambda _settings: SimulatedAccount(nova), lambda: given or {}, sources
    )
    return gatherer.facts(None)


def of(**given):
    """Return the settings of an evacuator."""
    return Source("nova-evacuate", "ocf:openstack:NovaEvacuate", {**PASSWORD, **given})


def test_rights():
    """What Nova refuses is named; that there is no such server is the good answer."""
    denied, nothing = AccessDenied("HTTP 403"), NotFound("HTTP 404", 404)
    nova = Refusing(tell_down=nothing, evacuate=denied, servers=denied)
    (access,) = gather(nova, of()).access
    assert (
        "may not list servers of all projects: HTTP 403",
        "may not evacuate servers: HTTP 403",
    ) == access.refused
    assert {"services", "servers", "evacuations", "server_groups", "tell_down", "evacuate"} <= set(nova.asked)


def test_plain_secret_is_named_and_not_shown():
    """A password in the cluster's configuration is a fact by its name alone."""
    facts = gather(Refusing(), of())
    assert ("password",) == facts.access[0].plain
    assert "hush-hush" not in repr(facts)


@pytest.mark.parametrize(
    ("given", "file"),
    [
        ({}, None),
        ({"cloud": "c"}, "clouds.yaml"),
        ({"cloud": "c", "clouds-yaml": "/c"}, "/c"),
        ({"credentials_file": "/i", "clouds_yaml": "/unused"}, "/i"),
    ],
)
def test_file_of_the_credentials(given, file):
    """The file that a resource has already is known: a second source beside it would be refused."""
    (access,) = gather(Refusing(), of(**given)).access
    assert file == access.file


def test_wrong_password():
    """Credentials that Keystone refuses are the problem of that resource."""
    facts = gather(Refusing(services=AccessDenied("Keystone: 401")), of())
    assert "Keystone: 401" == facts.access[0].problem
    assert "Keystone: 401" == facts.nova_problem


def test_nova_is_away():
    """That Nova is away says nothing about credentials."""
    facts = gather(Refusing(services=NovaUnavailable("no connection")), of())
    assert (None, "no connection") == (facts.access[0].problem, facts.nova_problem)


def test_settings_that_mean_nothing():
    """A parameter that means nothing is the problem of the resource that has it."""
    facts = gather(Refusing(), of(threshold="many"))
    assert "threshold=many: not a whole number" in facts.access[0].problem


def test_hosts_that_cannot_be_listed(commands):
    """Hosts are listed one by one; the one that fails is named, the others are shown."""

    class Flaky:
        def __init__(self, nova):
            self._nova = nova

        def __getattr__(self, name):
            return getattr(self._nova, name)

        def servers(self, host):
            if host == "compute-1":
                raise NovaUnavailable("HTTP 500")
            return self._nova.servers(host)

    facts = gather(Flaky(commands.nova), of())
    assert {"compute-1": "HTTP 500"} == facts.nova.unlisted
    assert {"compute-0", "compute-2"} == set(facts.nova.servers)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Put agents into a folder."""
    found = []
    for path, arguments in PROGRAMS:
        own = tmp_path / path.rpartition("/")[2]
        own.write_text("from nova_ha import x\n", encoding="utf-8")
        own.chmod(0o755)
        found.append((str(own), arguments))
    monkeypatch.setattr("nova_ha.commands.doctor_facts.PROGRAMS", tuple(found))
    return [tmp_path / path.rpartition("/")[2] for path, _ in found]


def examine(runner, commands):
    """Return what is wrong with each agent, and whether it is ours."""
    commands.with_pacemaker(evacuator=True)
    here = commands.here()
    gatherer = Gatherer(runner, VirtualClock(), here.open_account, dict, ())
    found = gatherer.facts(here.configuration).programs
    return {p.path.rpartition("/")[2]: (p.problem, p.is_ours) for p in found}


def test_agents(programs, commands):
    """Agents are asked for their metadata; version, form and owner are looked at."""
    good, old = (f'<resource-agent name="x" version="{v}"/>' for v in (__version__, "0.0.1"))
    programs[2].write_text("import fencing\n", encoding="utf-8")
    found = examine(Agents(NovaEvacuate=good, NovaCompute=old, fence_compute="<resource-agent/>"), commands)
    assert (None, True) == found["NovaEvacuate"]
    assert found["NovaCompute"][0].startswith("it is of version 0.0.1")
    assert (None, False) == found["fence_compute"]


def test_broken_agents(programs, commands):
    """One that is missing, one that hangs and one that prints nonsense are told apart."""
    programs[0].unlink()
    runner = Agents(NovaCompute=CommandFailed("did not end within 30 s"), fence_compute="Traceback")
    found = examine(runner, commands)
    assert "it is not there, or not executable" == found["NovaEvacuate"][0]
    assert "did not end within 30 s" == found["NovaCompute"][0]
    assert "metadata cannot be read" in found["fence_compute"][0]


@pytest.mark.parametrize(
    ("prefix", "apt", "command"),
    [
        ("/usr", "/usr/bin/apt-get", "apt-get install --reinstall nova-ha"),
        ("/usr", None, "dnf reinstall nova-ha"),
        ("/opt/nova-ha", "/usr/bin/apt-get", "/opt/nova-ha/bin/nova-ha install-agents"),
    ],
)
def test_way_to_install_agents_anew(prefix, apt, command):
    """An agent is put into its place by whatever has installed nova-ha; links by install-agents."""
    assert command == reinstall(prefix, "/usr", apt)


# --- the settings of the cluster
# ------------------------------------------------------------------------------


def test_settings_of_the_cluster():
    """Without credentials of its own the command uses the evacuator's, and keeps its policy in any case."""
    sources = (of(threshold="3", endpoint_type="publicURL"),)
    found = settings({}, {"OS_PASSWORD": "unused"}, sources, Agents())
    assert ("admin", "hush-hush", 3, "public") == (
        found["username"], found["password"], found["threshold"], found["interface"],
    )  # fmt: skip
    own = settings({"cloud": "mine", "threshold": "5"}, {}, sources, Agents())
    assert ("mine", None, None, 5) == (own["cloud"], own["username"], own["password"], own["threshold"])
    environ = {"OS_AUTH_URL": KEYSTONE, "OS_USERNAME": "eve"}
    assert "eve" == settings({}, environ, sources, Agents())["username"]


def test_cibsecret():
    """A secret that Pacemaker keeps is asked for by its name, never by its value."""
    runner = Agents(cibsecret="hush-hush\n")
    assert "hush-hush" == with_secrets({"password": "lrm://"}, "nova-evacuate", runner)["password"]
    assert [("cibsecret", "get", "nova-evacuate", "password")] == runner.commands
    with pytest.raises(ConfigurationError, match="cibsecret has no such secret here"):
        with_secrets({"password": "lrm://"}, "nova-evacuate", Agents(cibsecret=(1, "")))


# --- a real client
# --------------------------------------------------------------------------------------------


@pytest.fixture
def account():
    """Give an account of an invented cloud with a clock a minute ahead and the API of Nova 26."""
    cloud, clock = FakeCloud(), VirtualClock()
    version = {
        "id": "v2.1", "status": "CURRENT", "version": "2.93", "min_version": "2.1",
        "links": [{"rel": "self", "href": f"{NOVA}/v2.1/"}],
    }  # fmt: skip
    for path in ("", "/"):
        cloud.on("GET", path, (200, {"version": version}))
    date = formatdate(clock.now() + 60, usegmt=True)
    cloud.on("GET", "/os-services", (200, {"services": []}, {"Date": date}))
    found = RealAccount(resolve(COMMAND, PASSWORD, {}), clock)
    cloud.mount(found._access.session, found._access.actions)
    return found


def test_real_account(account):
    """Roles come from the token, the version from the API, the time from an answer."""
    assert {"admin"} == account.roles()
    assert (2, 93) == account.newest_microversion()
    assert account.clock_offset() == pytest.approx(60, abs=2)


def test_real_account_with_access_rules(account):
    """What the rules in the token leave out is named as a rule; a password's token has no rules."""
    assert () == account.uncovered_calls()
    token = account._access.auth.get_access(account._access.session)
    granted = [
        {"service": "compute", "method": method, "path": f"/v2.1{path}"}
        for method, path in CALLS
        if method != "PUT"
    ]
    token._data["token"]["application_credential"] = {"id": "a", "access_rules": granted}
    assert ("PUT /v2.1/os-services/*",) == account.uncovered_calls()


def test_access_rules_that_do_not_suffice(monkeypatch):
    """A call that the rules leave out is a fact, and nothing more is tried with such credentials."""
    monkeypatch.setattr(SimulatedAccount, "uncovered_calls", lambda _self: ("PUT /v2.1/os-services/*",))
    (access,) = gather(Refusing(tell_down=AccessDenied("HTTP 401")), of()).access
    assert (("PUT /v2.1/os-services/*",), (), None) == (access.uncovered, access.refused, access.problem)


def test_facts_are_no_place_for_secrets(account):
    """Nothing that doctor prints of a real account shows its password."""
    source = of()
    runner = Agents()
    gatherer = Gatherer(runner, VirtualClock(), lambda _settings: account, dict, (source,))
    facts = gatherer.facts(None)
    assert not re.search("hush-hush", json.dumps(repr(facts)))
    assert "hush-hush" not in repr(runner.commands)
