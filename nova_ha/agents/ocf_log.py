# SPDX-License-Identifier: Apache-2.0
"""Log as every OCF agent does: into Pacemaker's log file and syslog if it says so, else to stderr."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from collections.abc import Mapping
from pathlib import Path

_LEVELS = {
    logging.CRITICAL: ("CRIT", "crit"),
    logging.ERROR: ("ERROR", "err"),
    logging.WARNING: ("WARNING", "warning"),
    logging.INFO: ("INFO", "info"),
    logging.DEBUG: ("DEBUG", "debug"),
}
_SYSLOG = "/dev/log"


def set_up(agent: str, instance: str, environ: Mapping[str, str]) -> None:
    """Send the messages of nova_ha where Pacemaker wants those of agents.

    Pacemaker sets HA_LOGFACILITY unless there shall be no syslog, HA_LOGFILE to its own log file, and
    HA_debug to 1 or more when somebody wants to see more (``crm_resource --force-start -V``).
    """
    logger = logging.getLogger("nova_ha")
    logger.setLevel(logging.DEBUG if environ.get("HA_debug", "0") not in ("", "0") else logging.INFO)
    logger.propagate = False
    tag = f"{agent}({instance})[{os.getpid()}]"
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    for handler in _handlers(tag, environ) or [_stderr()]:
        logger.addHandler(handler)


class _Line(logging.Formatter):
    """``NovaCompute(nova-compute)[4711]: Nov 22 06:40:12 INFO: message``, on one line."""

    def __init__(self, tag: str) -> None:
        super().__init__(f"{tag}: %(asctime)s %(word)s: %(message)s", datefmt="%b %d %H:%M:%S")

    def format(self, entry: logging.LogRecord) -> str:
        entry.word = _LEVELS.get(entry.levelno, ("INFO", "info"))[0]
        return " ".join(super().format(entry).splitlines())


def _handlers(tag: str, environ: Mapping[str, str]) -> list[logging.Handler]:
    """Return a handler for each place that can be written to; a place that cannot is no reason to fail."""
    handlers: list[logging.Handler] = []
    facility = environ.get("HA_LOGFACILITY") or environ.get("HA_logfacility") or "none"
    if facility in logging.handlers.SysLogHandler.facility_names and Path(_SYSLOG).exists():
        handlers.append(_syslog(tag, facility))
    path = environ.get("HA_LOGFILE") or environ.get("HA_logfile")
    if path and path.startswith("/") and os.access(path, os.W_OK):
        file = logging.FileHandler(path, encoding="utf-8", delay=True)
        file.setFormatter(_Line(tag))
        handlers.append(file)
    return handlers


def _syslog(tag: str, facility: str) -> logging.Handler:
    handler = logging.handlers.SysLogHandler(_SYSLOG, facility)
    handler.setFormatter(logging.Formatter(f"{tag}: %(message)s"))
    return handler


def _stderr() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    return handler
