# SPDX-License-Identifier: Apache-2.0
"""Link what is in a virtual environment to where Pacemaker looks: ``nova-ha install-agents``.

Pacemaker searches two folders, which are compiled in: ``/usr/lib/ocf/resource.d`` and ``/usr/sbin``. It
follows links there. The executables themselves begin with ``#!/usr/bin/python3``, which knows nothing of the
virtual environment; so copies that begin with its own interpreter are kept in its ``libexec/nova-ha``, and
links lead to these. Nothing that is not ours is touched: a path is ours if it is a link to the very file that
it should lead to.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from nova_ha.commands.surroundings import Surroundings
from nova_ha.errors import ConfigurationError
from nova_ha.runner import Runner

#: Linux reads so much of the first line of an executable, whose "#!" and end do not count.
_LONGEST_INTERPRETER = 124
_AGENTS = ("lib/ocf/resource.d/openstack/NovaCompute", "lib/ocf/resource.d/openstack/NovaEvacuate")
_FENCE = "sbin/fence_compute"
#: What each executable is asked for to see that it works.
_METADATA: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_AGENTS, ("meta-data",)),
    _FENCE: ("-o", "metadata"),
}
#: What else is linked, as far as it is there: the command, and the manual.
_OTHERS = ("bin/nova-ha", "share/man/man7/*.7", "share/man/man8/*.8")
_PATIENCE = 60.0


def install_agents(here: Surroundings, prefix: Path, *, uninstall: bool) -> int:
    """Make or remove the links of this Python's environment; return the exit status.

    Args:
        here: what the subcommand works with.
        prefix: where the links belong.
        uninstall: whether they are to be removed.

    Raises:
        NovaHaError: as `link`.
        OSError: no permission.
    """
    home = Path(sys.prefix)
    for text in unlink(home, prefix) if uninstall else link(home, prefix, here.runner):
        here.say(text)
    return 0


def link(home: Path, prefix: Path, runner: Runner) -> list[str]:
    """Make the links that are missing, and return what was done.

    Args:
        home: the virtual environment.
        prefix: where the links belong.
        runner: runs the executables, to see that they work.

    Raises:
        NovaHaError: something is in the way, or the environment is no place to link to.
        OSError: no permission.
    """
    _check_environment(home)
    links = _links(home, prefix)
    _refuse_what_is_in_the_way(links)
    for name in _METADATA:
        _write_copy(home, name)
        _try(home, name, runner)
    return [_make_link(path, target) for path, target in links.items() if not _is_ours(path, target)]


def unlink(home: Path, prefix: Path) -> list[str]:
    """Remove the links that are ours, and return what was done."""
    done = []
    for path, target in _links(home, prefix).items():
        if _is_ours(path, target):
            path.unlink()
            done.append(f"removed {path}")
        elif os.path.lexists(path):
            done.append(f"left {path}: it is no link to {target}")
    return done


def _check_environment(home: Path) -> None:
    """Refuse an environment whose files could not be linked to."""
    if not (home / "pyvenv.cfg").exists():
        raise ConfigurationError(
            f"{home} is no virtual environment: install-agents is for those; a package of the distribution "
            "puts the agents into place by itself"
        )
    missing = [name for name in _METADATA if not (home / name).exists()]
    if missing:
        raise ConfigurationError(
            f"{home / missing[0]} is missing: install nova-ha there from its wheel or source, not with "
            "--editable"
        )
    interpreter = str(_interpreter(home))
    if len(interpreter) > _LONGEST_INTERPRETER or " " in interpreter:
        raise ConfigurationError(
            f"{interpreter}: too long for the first line of an agent, or with a blank; use a path such as "
            "/opt/nova-ha"
        )


def _interpreter(home: Path) -> Path:
    return home / "bin" / "python3"


def _links(home: Path, prefix: Path) -> dict[Path, Path]:
    """Return each link and what it leads to."""
    found = [path.relative_to(home) for pattern in _OTHERS for path in sorted(home.glob(pattern))]
    others = {prefix / name: home / name for name in found}
    return {**{prefix / name: _copy(home, name) for name in _METADATA}, **others}


def _copy(home: Path, name: str) -> Path:
    """Return where the copy of an executable is that runs with the environment's interpreter."""
    return home / "libexec" / "nova-ha" / Path(name).name


def _refuse_what_is_in_the_way(links: Mapping[Path, Path]) -> None:
    """Refuse to overwrite anything, before anything is changed."""
    strangers = [p for p, target in links.items() if os.path.lexists(p) and not _is_ours(p, target)]
    if strangers:
        names = ", ".join(map(str, strangers))
        raise ConfigurationError(f"not nova-ha's, so not overwritten: {names}: {_remedy(strangers[0])}")


def _remedy(path: Path) -> str:
    """Say how to get something out of the way."""
    if path.is_symlink():
        return f"it leads to {os.readlink(path)}; remove it, if that nova-ha is no longer used"
    if shutil.which("dpkg-divert"):
        aside = f"/usr/lib/nova-ha/diverted/{path.name}"
        return (
            f"mkdir -p {Path(aside).parent}; dpkg-divert --local --rename --divert {aside} --add {path} "
            "moves it away for good"
        )
    return f"remove the package that has it (rpm -qf {path})"


def _is_ours(path: Path, target: Path) -> bool:
    return path.is_symlink() and os.readlink(path) == str(target)


def _write_copy(home: Path, name: str) -> None:
    """Write the copy of an executable, or renew it after an upgrade."""
    _, _, rest = (home / name).read_text(encoding="utf-8").partition("\n")
    copy = _copy(home, name)
    copy.parent.mkdir(parents=True, exist_ok=True)
    new = copy.with_name(f".{copy.name}.new")
    new.write_text(f"#!{_interpreter(home)}\n{rest}", encoding="utf-8")
    new.chmod(0o755)
    # At once: Pacemaker may call it at any moment.
    new.replace(copy)


def _try(home: Path, name: str, runner: Runner) -> None:
    """Refuse to link an executable that does not even tell its metadata."""
    answer = runner.run(str(_copy(home, name)), *_METADATA[name], timeout=_PATIENCE)
    if answer.returncode != 0 or "<resource-agent" not in answer.stdout:
        raise ConfigurationError(
            f"{_copy(home, name)} does not work here: {answer.complaint.rpartition('; ')[2]}: make the "
            "environment with --system-site-packages, so that it has the libraries of fence-agents"
        )


def _make_link(path: Path, target: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return f"linked {path} -> {target}"
