# SPDX-License-Identifier: Apache-2.0
"""What must be true on a compute node before nova-compute is started there.

Each check raises `nova_ha.agents.ocf.Failed` with one line that names the parameter, its value and the fix.
"""

from __future__ import annotations

import os
import shlex

from nova_ha.agents import ocf
from nova_ha.compute import nova_conf, run_as, units
from nova_ha.compute.compute_service import ComputeService
from nova_ha.compute.container import Container
from nova_ha.compute.nova_conf import NovaConf
from nova_ha.compute.run_as import Way
from nova_ha.compute.systemd_unit import SystemdUnit
from nova_ha.errors import ConfigurationError
from nova_ha.runner import Identity
from nova_ha.settings.option import Value

#: With this value Nova searches for its files itself, and finds the same one and those beside it.
_CONFIG = "/etc/nova/nova.conf"


def chosen_here(way: Way, settings: dict[str, Value]) -> tuple[tuple[str, str], Identity | None]:
    """Return how nova-compute is started on this node, and whose rights a plain process gets.

    Raises:
        Failed: what it needs is not on this node.
    """
    reason = way.why_none()
    if reason is not None:
        raise ocf.Failed(ocf.ERR_INSTALLED, reason)
    chosen = way.chosen()
    for path in _explicit_files(settings):
        if not os.access(path, os.R_OK):
            raise ocf.Failed(ocf.ERR_ARGS, f"config={path}: cannot be read on this node")
    if chosen[0] == run_as.PROCESS:
        return chosen, _identity_here(settings)
    if chosen[0] == run_as.SYSTEMD:
        _check_unit(chosen[1])
    else:
        _check_container(way.service(chosen), settings)
    return chosen, None


def command(settings: dict[str, Value]) -> tuple[str, ...]:
    """Return the command line of a plain process."""
    return (str(settings["binary"]), *_process_arguments(settings))


def check_name(
    settings: dict[str, Value], node: str, service: ComputeService, identity: Identity | None
) -> None:
    """Raise when Nova and Pacemaker do not mean the same host; a domain is no difference."""
    try:
        home = os.path.expanduser("~") if identity is None else identity.home
        host = str(settings["host"] or nova_conf.host_name(conf_of(settings, service, home)))
    except ConfigurationError as error:
        raise ocf.Failed(ocf.ERR_ARGS, str(error)) from error
    if host.partition(".")[0].lower() != node.partition(".")[0].lower():
        raise ocf.Failed(
            ocf.ERR_ARGS,
            f"Nova calls this host {host!r} and Pacemaker calls it {node!r}, so that fencing one would "
            "evacuate another; set host in nova.conf to the node's name",
        )


def conf_of(settings: dict[str, Value], service: ComputeService, home: str) -> NovaConf:
    """Return what nova-compute reads when it starts; as a plain process, with that home folder.

    Files that the admin names outweigh what a unit says; a container's are not seen before it runs.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    explicit = _explicit_files(settings)
    if isinstance(service, SystemdUnit):
        home = os.path.expanduser(f"~{service.user()}")
        if not explicit:
            return nova_conf.read(service.arguments(), home, program=service.name)
    arguments = _files_as_arguments(explicit) if explicit else _process_arguments(settings)
    return nova_conf.read(arguments, home, program=service.name)


def _process_arguments(settings: dict[str, Value]) -> tuple[str, ...]:
    given = str(settings["additional_parameters"] or "")
    try:
        more = shlex.split(given)
    except ValueError as error:
        raise ConfigurationError(
            f"additional_parameters={given}: {error}; write it as for a shell, each quotation closed"
        ) from error
    return (*_files_as_arguments(_explicit_files(settings)), *more)


def _files_as_arguments(files: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for path in files for word in ("--config-file", path))


def _explicit_files(settings: dict[str, Value]) -> tuple[str, ...]:
    """Return the configuration files that Nova is told; none when it searches itself."""
    files = tuple(str(settings["config"]).split())
    return () if files == (_CONFIG,) else files


def _check_unit(unit: str) -> None:
    if not units.has_systemd():
        raise ocf.Failed(ocf.ERR_INSTALLED, "run_as=systemd: systemd does not run this node; use process")
    if not units.installed((unit,)):
        raise ocf.Failed(ocf.ERR_INSTALLED, f"unit={unit}: no such unit on this node")


def _check_container(service: ComputeService, settings: dict[str, Value]) -> None:
    if not settings["host"] and not _explicit_files(settings):
        raise ocf.Failed(
            ocf.ERR_CONFIGURED,
            f"run_as={settings['run_as']}: what Nova calls this host is unknown; set host, or config to the "
            "nova.conf that goes into the container",
        )
    reason = service.check() if isinstance(service, Container) else None
    if reason is not None:
        raise ocf.Failed(ocf.ERR_INSTALLED, reason)


def _identity_here(settings: dict[str, Value]) -> Identity | None:
    """Return whose rights a plain process gets; raise when program or user is not on this node."""
    binary = str(settings["binary"])
    if not os.access(binary, os.X_OK):
        raise ocf.Failed(ocf.ERR_INSTALLED, f"binary={binary}: no such program on this node")
    return _identity(str(settings["user"]))


def _identity(user: str) -> Identity | None:
    """Return the rights of a user; None when they are those of this process."""
    import pwd

    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ocf.Failed(ocf.ERR_INSTALLED, f"user={user}: no such user on this node") from None
    if entry.pw_uid == os.geteuid():
        return None
    groups = tuple(os.getgrouplist(user, entry.pw_gid))
    return Identity(entry.pw_uid, entry.pw_gid, groups, entry.pw_dir)
