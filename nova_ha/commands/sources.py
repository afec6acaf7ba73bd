# SPDX-License-Identifier: Apache-2.0
"""Where the command gets its settings: command line, environment, else the cluster's own resources."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from nova_ha.commands.configuration import EVACUATE_AGENT, FENCE_AGENT, Configuration
from nova_ha.errors import ConfigurationError
from nova_ha.pacemaker.cib_secrets import CIB_SECRET, CIB_SECRETS
from nova_ha.runner import CommandFailed, Runner
from nova_ha.settings import option_credentials
from nova_ha.settings.options import COMMAND, Value, for_program, resolve

#: Options that say who we are to Keystone; half of one source and half of another would be nobody.
CREDENTIALS = frozenset(option.name for option in option_credentials.CREDENTIALS)
#: Each of these names a source of credentials by itself.
_SOURCES = ("cloud", "credentials_file", "auth_url")


@dataclass(frozen=True)
class Source:
    """Settings as somebody wrote them.

    Attributes:
        subject: the resource that has them, or ``command line``.
        agent: the resource's agent; empty for the command line.
        given: name and text.
    """

    subject: str
    agent: str
    given: Mapping[str, str]


def of_cluster(configuration: Configuration | None) -> tuple[Source, ...]:
    """Return the settings of the cluster's own resources, the evacuator's first."""
    if configuration is None:
        return ()
    agents = (EVACUATE_AGENT, FENCE_AGENT)
    found = (resource for agent in agents for resource in configuration.running(agent))
    return tuple(Source(resource.id, resource.agent, resource.parameters) for resource in found)


def names_credentials(given: Mapping[str, str], environ: Mapping[str, str]) -> bool:
    """Say whether the command line or the environment names a source of credentials."""
    options = [option for option in for_program(COMMAND) if option.name in _SOURCES]
    return any(given.get(option.name) or environ.get(option.environment or "") for option in options)


def settings(
    given: Mapping[str, str], environ: Mapping[str, str], sources: tuple[Source, ...], runner: Runner
) -> dict[str, Value]:
    """Return the command's settings; what neither command line nor environment says is the evacuator's.

    Raises:
        ConfigurationError: a value means nothing, or a secret cannot be had.
    """
    known = {option.name: option for option in for_program(COMMAND)}
    aliases = {alias: option.name for option in known.values() for alias in option.aliases}
    merged: dict[str, str] = {}
    if sources:
        written = {name.replace("-", "_"): text for name, text in sources[0].given.items()}
        merged = {aliases.get(name, name): text for name, text in written.items()}
    if names_credentials(given, environ):
        merged = {name: text for name, text in merged.items() if name not in CREDENTIALS}
    else:
        environ = {}
        merged = with_secrets(merged, sources[0].subject, runner) if sources else merged
    own = {name: text for name, text in merged.items() if name in known}
    return resolve(COMMAND, {**own, **given}, environ)


def with_secrets(given: Mapping[str, str], resource: str, runner: Runner) -> dict[str, str]:
    """Return a resource's parameters with the values that cibsecret keeps on this controller.

    Raises:
        ConfigurationError: a secret cannot be had here.
    """
    return {
        name: _secret(resource, name, runner) if text == CIB_SECRET else text for name, text in given.items()
    }


def _secret(resource: str, name: str, runner: Runner) -> str:
    try:
        answer = runner.run("cibsecret", "get", resource, name)
    except CommandFailed as error:
        raise ConfigurationError(f"{name} of {resource}: {error}") from None
    if answer.returncode != 0:
        raise ConfigurationError(
            f"{name} of {resource}: cibsecret has no such secret here ({answer.complaint}); "
            f"run: scp -pr CONTROLLER:{CIB_SECRETS} {os.path.dirname(CIB_SECRETS)}"
        )
    return answer.stdout.rstrip("\n")
