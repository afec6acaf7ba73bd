# SPDX-License-Identifier: Apache-2.0
"""Where an admin reads why nova-compute has ended."""

from __future__ import annotations

import os

from nova_ha.compute import compute_checks, nova_conf
from nova_ha.compute.compute_service import ComputeService
from nova_ha.compute.plain_process import PlainProcess
from nova_ha.errors import ConfigurationError
from nova_ha.settings.option import Value


def places(settings: dict[str, Value], service: ComputeService) -> str:
    """Return where nova-compute's last words are, to follow "in".

    What goes wrong before it opens its log is on its standard error alone.
    """
    log = own_log(settings, service)
    return service.last_words if log is None else f"{log}, or in {service.last_words}"


def own_log(settings: dict[str, Value], service: ComputeService) -> str | None:
    """Return the log that a plain process writes itself; None when it is not known.

    Units and containers have their own place for what they say, and asking for more takes a process, which a
    monitor does not start.
    """
    if settings["log_file"]:
        return str(settings["log_file"])
    if not isinstance(service, PlainProcess):
        return None
    try:
        conf = compute_checks.conf_of(settings, service, os.path.expanduser(f"~{settings['user']}"))
        return nova_conf.log_file(conf, service.name)
    except ConfigurationError:
        return None
