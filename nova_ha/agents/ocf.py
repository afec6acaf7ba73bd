# SPDX-License-Identifier: Apache-2.0
"""What every OCF agent of this project shares: exit codes, parameters, exit reasons, the run of one action.

The monitors run every few seconds on every node: this module needs ``os`` and ``sys``, the rest is imported
where it is used.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from nova_ha.agents.ocf_metadata import Action, Description
    from nova_ha.settings.option import Value

SUCCESS = 0
ERR_GENERIC = 1
#: Invalid on this node: Pacemaker tries another one.
ERR_ARGS = 2
ERR_UNIMPLEMENTED = 3
ERR_PERM = 4
ERR_INSTALLED = 5
#: Invalid everywhere: Pacemaker gives the resource up on every node, so a monitor never returns it.
ERR_CONFIGURED = 6
NOT_RUNNING = 7
#: Runs, but not well: Pacemaker shows it and leaves the resource alone.
DEGRADED = 190

_PARAMETER = "OCF_RESKEY_"
_META = "OCF_RESKEY_CRM_meta_"
#: What Pacemaker puts between the parameters.
_NOT_PARAMETERS = ("CRM_meta_", "crm_feature_set")
_DEFAULT_TIMEOUT = 20.0


class Failed(Exception):
    """An action failed.

    Attributes:
        code: OCF exit code.
        reason: one line for the admin.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Agent:
    """An OCF agent; each action returns an OCF exit code, or raises.

    Attributes:
        name: of the agent, as Pacemaker calls it, and of the program in `nova_ha.settings.options`.
        environ: the environment, from which everything about the resource comes.
    """

    name = ""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    @property
    def instance(self) -> str:
        """Return the name of the resource."""
        return self.environ.get("OCF_RESOURCE_INSTANCE") or self.name

    @property
    def timeout(self) -> float:
        """Return how many seconds Pacemaker grants the action."""
        text = self.meta("timeout")
        return int(text) / 1000 if text.isdigit() else _DEFAULT_TIMEOUT

    def meta(self, name: str) -> str:
        """Return what Pacemaker says about the action, such as ``timeout`` or ``on_node``; else nothing."""
        return self.environ.get(_META + name, "")

    def given(self) -> dict[str, str]:
        """Return the parameters as the admin wrote them."""
        names = (name for name in self.environ if name.startswith(_PARAMETER))
        found = {name[len(_PARAMETER) :]: self.environ[name] for name in names}
        return {name: text for name, text in found.items() if not name.startswith(_NOT_PARAMETERS)}

    def settings(self) -> dict[str, Value]:
        """Return the value of every parameter; the environment of whoever calls is no source of parameters.

        Raises:
            ConfigurationError: a value means nothing.
        """
        from nova_ha.settings import options

        return options.resolve(self.name, self.given(), {})

    def log(self, message: str, *values: object) -> None:
        """Log what was done."""
        import logging

        logging.getLogger(__name__).info(message, *values)

    def description(self) -> Description:
        """Return what the metadata says, apart from the parameters."""
        raise NotImplementedError

    def start(self) -> int:
        """Bring the resource up; succeed if it is up already."""
        raise NotImplementedError

    def stop(self) -> int:
        """Bring the resource down; succeed only if it is down. Needs no valid parameter."""
        raise NotImplementedError

    def monitor(self) -> int:
        """Say how the resource is, quickly, changing nothing."""
        raise NotImplementedError

    def validate(self, level: int) -> None:
        """Raise what is wrong with the parameters; level 0 looks at them only, 10 at this machine, too."""
        raise NotImplementedError


def run(agent: type[Agent], arguments: list[str], environ: Mapping[str, str] | None = None) -> int:
    """Run the action that the first argument names, and return its exit code; further ones mean nothing."""
    action = arguments[1] if len(arguments) > 1 else ""
    instance = agent(os.environ if environ is None else environ)
    try:
        if action == "monitor":
            return instance.monitor()
        return _run_rare(instance, action)
    except Exception as error:  # noqa: BLE001 (an admin is never shown a traceback)
        code, reason = outcome_of(error)
        exit_reason(reason)
        return code


def _run_rare(agent: Agent, action: str) -> int:
    """Run an action whose costs do not matter."""
    if action == "meta-data":
        return _print_metadata(agent)
    if action in ("usage", "help"):
        print(_usage(agent))
        return SUCCESS
    if action not in ("start", "stop", "validate-all"):
        print(_usage(agent), file=sys.stderr)
        return ERR_UNIMPLEMENTED
    from nova_ha.agents import ocf_log

    ocf_log.set_up(agent.name, agent.instance, agent.environ)
    if action == "validate-all":
        agent.validate(check_level(agent.environ))
        return SUCCESS
    return agent.start() if action == "start" else agent.stop()


def check_level(environ: Mapping[str, str]) -> int:
    """Return how thorough a check is asked for; a level that does not exist means the next lower one."""
    text = environ.get("OCF_CHECK_LEVEL", "")
    return int(text) if text.isdigit() else 0


def outcome_of(error: Exception) -> tuple[int, str]:
    """Return the OCF exit code and the exit reason of an error: the only place that decides it."""
    from nova_ha import errors

    if isinstance(error, Failed):
        return error.code, error.reason
    if isinstance(error, errors.NovaHaError):
        # Credentials that Keystone refuses now may be accepted again: that is not for ever.
        final = isinstance(error, errors.ConfigurationError) and not isinstance(error, errors.AccessDenied)
        return (ERR_CONFIGURED if final else ERR_GENERIC), str(error)
    if isinstance(error, ImportError):
        return ERR_INSTALLED, f"not installed on this node: {error}"
    if isinstance(error, PermissionError):
        return ERR_PERM, f"no permission: {error.strerror}: {error.filename}"
    if isinstance(error, OSError):
        return ERR_GENERIC, f"{error.strerror}: {error.filename}"
    return ERR_GENERIC, f"defect in nova-ha: {type(error).__name__}: {error}"


def exit_reason(text: str) -> None:
    """Tell Pacemaker in one line why; it is shown in ``pcs status``."""
    prefix = os.environ.get("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:")
    print(prefix + " ".join(text.split()), file=sys.stderr, flush=True)


def _print_metadata(agent: Agent) -> int:
    from nova_ha.agents import ocf_metadata

    print(ocf_metadata.metadata(agent.name, agent.description()), end="")
    return SUCCESS


def _usage(agent: Agent) -> str:
    actions: tuple[Action, ...] = agent.description().actions
    names = sorted({action.name for action in actions} | {"usage"})
    return f"usage: {agent.name} {'|'.join(names)}"
