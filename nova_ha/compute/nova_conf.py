# SPDX-License-Identifier: Apache-2.0
"""Read nova.conf the way oslo.config does, without importing it: above all, what Nova calls this host.

oslo.config reads, later values winning:

1. without ``--config-file`` the first ``nova.conf`` and the first ``nova-compute.conf`` that it finds,
2. without ``--config-dir`` every ``*.conf`` in the first ``nova.conf.d`` and in the first
   ``nova-compute.conf.d``, by name,
3. the files and folders of ``--config-file`` and ``--config-dir``, in the order of the command line.

It looks in ``~/.nova``, ``~``, ``/etc/nova`` and ``/etc``, in this order. Names of sections and options are
case-sensitive. Compared with oslo.config 10 (cfg.py, iniparser.py). What it reads besides is not seen here:
variables such as ``OS_DEFAULT__HOST``; NovaCompute's parameter ``host`` is for those who use them.
"""

from __future__ import annotations

import glob
import os
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from nova_ha.errors import ConfigurationError

_PROJECT, _PROGRAM = "nova", "nova-compute"
_DEFAULT = "DEFAULT"
#: As in string.Template, with names that may have a section before a dot; to oslo.config a ``\$`` is a
#: ``$$``.
_REFERENCE = re.compile(r"[$\\]\$|\$(?:\{([_a-z][._a-z0-9]*)\}|([_a-z][._a-z0-9]*))", re.IGNORECASE)
#: References to references; more deeply nested ones are a circle.
_DEEPEST = 10


class NovaConf:
    """What the files say.

    Args:
        values: text by section and option.
    """

    def __init__(self, values: Mapping[tuple[str, str], str]) -> None:
        self._values = values

    def get(self, option: str, section: str = _DEFAULT) -> str | None:
        """Return a value, references such as ``$my_ip`` replaced; None when no file has it.

        Raises:
            ConfigurationError: it refers to something that is in no file.
        """
        value = self._values.get((section, option))
        return None if value is None else self._expanded(value, option)

    def _expanded(self, value: str, option: str, depth: int = 0) -> str:
        def named(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if not name:
                return "$"
            section, dot, key = name.rpartition(".")
            found = self._values.get((section if dot else _DEFAULT, key))
            if found is None or depth == _DEEPEST:
                raise ConfigurationError(
                    f"{option} in nova.conf refers to {name}, which is not set there; "
                    f"{'set the parameter host' if option == 'host' else 'its value is unknown'}"
                )
            return self._expanded(found, option, depth + 1)

        return _REFERENCE.sub(named, value)


def host_name(conf: NovaConf) -> str:
    """Return Nova's name of this host.

    Raises:
        ConfigurationError: the value refers to something that is not there.
    """
    host = conf.get("host")
    return socket.gethostname() if host is None else host


def log_file(conf: NovaConf, program: str = _PROGRAM) -> str | None:
    """Return the file that nova-compute logs to; None when that is its standard error, or said elsewhere.

    As oslo.log 7 finds it (log.py, ``_get_log_file_path``), under the old names of the options, too.

    Raises:
        ConfigurationError: a value refers to something that is not there.
    """
    file = conf.get("log_file") or conf.get("logfile") or ""
    folder = conf.get("log_dir") or conf.get("logdir") or ""
    if folder:
        return os.path.join(folder, file or f"{program.removesuffix('.py')}.log")
    return file or None


def read(
    arguments: tuple[str, ...], home: str, etc: str = "/etc", program: str = _PROGRAM, root: str = ""
) -> NovaConf:
    """Return what nova-compute reads.

    Args:
        arguments: those of nova-compute.
        home: home folder of the user that runs it.
        etc: where ``nova/nova.conf`` is.
        program: name of the program, after which some of the files are called.
        root: the root folder that nova-compute sees, such as that of a container.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    values: dict[tuple[str, str], str] = {}
    folders = tuple(root + folder for folder in (f"{home}/.{_PROJECT}", home, f"{etc}/{_PROJECT}", etc))
    for path in config_files(arguments, folders, program, root):
        values.update(_entries(_text(path)))
    return NovaConf(values)


def config_files(
    arguments: tuple[str, ...], folders: tuple[str, ...], program: str = _PROGRAM, root: str = ""
) -> tuple[str, ...]:
    """Return the files that Nova reads, in its order; see `read`."""
    given = tuple(_given(arguments))
    options = {option for option, _ in given}
    names = (_PROJECT, program.removesuffix(".py"))
    files = () if "--config-file" in options else _first(folders, names, ".conf")
    defaults = () if "--config-dir" in options else _first(folders, names, ".conf.d")
    searched = (*files, *(file for folder in defaults for file in _in_folder(folder)))
    return (*searched, *(file for option, path in given for file in _named(option, root + path)))


def _given(arguments: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield option and path of each ``--config-file X``, ``--config-file=X``, and of ``--config-dir``."""
    for position, argument in enumerate(arguments):
        option, equals, path = argument.partition("=")
        if option in ("--config-file", "--config-dir"):
            following = arguments[position + 1 : position + 2]
            yield option, os.path.expanduser(path if equals else "".join(following))


def _named(option: str, path: str) -> tuple[str, ...]:
    return (path,) if option == "--config-file" else _in_folder(path)


def _in_folder(folder: str) -> tuple[str, ...]:
    return tuple(sorted(glob.glob(f"{glob.escape(folder)}/*.conf")))


def _first(folders: tuple[str, ...], names: tuple[str, ...], suffix: str) -> tuple[str, ...]:
    """Return, for project and program, the first that exists."""
    candidates = ([f"{folder}/{name}{suffix}" for folder in folders] for name in names)
    found = (next((path for path in paths if os.path.exists(path)), None) for paths in candidates)
    return tuple(path for path in found if path is not None)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}; set the parameter config") from error


def _entries(text: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield section, option and value of each entry; indented lines continue the value before them."""
    section, option, lines = "", "", list[str]()
    for line in (*map(str.rstrip, text.splitlines()), ""):
        if line[:1] in (" ", "\t"):
            lines.append(line.strip())
            continue
        if option:
            yield (section, option), "\n".join(lines)
        option, lines = "", []
        if line.startswith("["):
            section = line[1:].removesuffix("]")
        elif line[:1] not in ("#", ";", ""):
            option, value = _split(line)
            lines = [value]


def _split(line: str) -> tuple[str, str]:
    """Return option and value of a line; it is parted at the first ``=`` or ``:``."""
    end = min((line.index(sign) for sign in "=:" if sign in line), default=len(line))
    return line[:end].strip(), _unquoted(line[end + 1 :].strip())


def _unquoted(value: str) -> str:
    quoted = bool(value) and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
