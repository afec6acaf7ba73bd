# SPDX-License-Identifier: Apache-2.0
"""The command ``nova-ha``: what it understands, and where each subcommand is.

Exit status: 0 done; 1 refused or failed, with one line on standard error that says why; 64 a mistake on the
command line. `doctor`, `status` and `evacuate` have more, see their modules.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from nova_ha import __version__
from nova_ha.errors import NovaHaError
from nova_ha.settings.option import Option
from nova_ha.settings.options import COMMAND, for_program

USAGE, FAILED, INTERRUPTED = 64, 1, 130

_DESCRIPTION = "Look at recoveries of compute nodes, check the deployment, recover a host."
_EPILOG = """\
More options, before or after COMMAND, name the cloud (--cloud,
--credentials-file, ...) and set how a host is recovered (--max-in-flight, ...).
They are in the manual: man nova-ha

On a member of a Pacemaker cluster the options of the resource NovaEvacuate are
taken from the cluster where neither the command line nor the environment
(OS_CLOUD, OS_AUTH_URL, ...) says otherwise.
"""
_STATEMENT = "WHO-AND-HOW"


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command line, without its secrets."""

    def error(self, message: str) -> NoReturn:
        """End the program."""
        self.exit(USAGE, f"nova-ha: {message} (see {self.prog} --help)\n")


class _Secret(argparse.Action):
    """Refuses an option whose value everybody on the machine could read."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        """Say how to give a secret instead."""
        parser.error(
            f"{self.option_strings[0]}: arguments are for everybody on this machine to see; use "
            "--credentials-file, --cloud, --password-script, or a variable of the environment"
        )


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    usage = "%(prog)s [OPTION ...] COMMAND [HOST]"
    whole = Parser(
        prog="nova-ha",
        usage=usage,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"nova-ha {__version__}")
    _add_options(whole)
    words = whole.add_subparsers(
        prog=whole.prog, dest="command", metavar="COMMAND", required=True, parser_class=Parser
    )
    _add_looking(words)
    _add_recovering(words)
    _add_disabling(words)
    _add_installing(words)
    return whole


def _add_looking(words: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the subcommands that change nothing."""
    status = _subcommand(
        words, "status", "show hosts, records, recoveries under way and the last ones", *_looking("status")
    )
    status.add_argument("--watch", action="store_true", help="show it again and again, until Ctrl-C")
    status.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object, for programs; with --watch one in each line",
    )
    doctor = _subcommand(
        words, "doctor", "check the deployment; print what is wrong, and the fix for it", *_looking("doctor")
    )
    doctor.add_argument("--json", action="store_true", help="print one JSON object, for programs")


def _looking(word: str) -> tuple[str]:
    texts = {
        "status": "Show every compute node as Pacemaker and Nova see it, the records of fencings, how far "
        "each server of a failed host is, and the last recoveries in this machine's journal. Exits with 0, "
        "or with 3 when neither Pacemaker nor Nova answers.",
        "doctor": "Check agents, credentials and their rights, fencing levels, constraints, time limits, "
        "host names, records that are left over, Nova's version, and the servers that could not be evacuated "
        "today. Changes nothing. Exits with 0 for notes at most, 1 for warnings, 2 for errors, and 3 when "
        "neither Pacemaker nor Nova answers, or this account may not ask Pacemaker.",
    }
    return (texts[word],)


def _add_recovering(words: Any) -> None:  # noqa: ANN401 - as above
    """Add the subcommands that recover a host."""
    evacuate = _subcommand(
        words,
        "evacuate",
        "recover the servers of a host that is off",
        "Recover the servers of a host that is off, and show the progress. In a cluster with NovaEvacuate "
        "it writes the record of the host, and that evacuator does the work; otherwise it does the work "
        "itself. Interrupted, it goes on when it is called again. Exits with 0 when every server is "
        "recovered, 1 when it refused, and 5 when some servers could not be recovered.",
    )
    evacuate.add_argument("host", metavar="HOST", help="name of the host, in Nova or in Pacemaker")
    evacuate.add_argument(
        "--confirm-host-is-off",
        metavar=_STATEMENT,
        help='who has made sure that the host is off, and how: "Ann has pulled both power cords"; needed '
        "where no fencing proves it. Servers whose host still runs would run twice, and lose their data",
    )
    evacuate.add_argument(
        "--take-over",
        action="store_true",
        help="go on with a recovery that another nova-ha has begun, which is dead for sure",
    )
    back = _subcommand(
        words,
        "return",
        "bring a recovered host back into service",
        "Bring a host back into service whose recovery is complete: wait until its nova-compute has cleaned "
        "up, clear forced_down, enable the service if nova-ha has disabled it, and remove the record.",
    )
    back.add_argument("host", metavar="HOST", help="name of the host, in Nova or in Pacemaker")


def _add_disabling(words: Any) -> None:  # noqa: ANN401 - as above
    """Add the subcommands that keep servers off a host and let them in again."""
    disable = _subcommand(
        words,
        "disable",
        "let no new servers on a host",
        "Disable a host in Nova for maintenance. A recovery leaves it disabled; nova-ha enable undoes it.",
    )
    disable.add_argument("--reason", metavar="TEXT", default="", help="why, for whoever finds it disabled")
    enable = _subcommand(
        words,
        "enable",
        "let new servers on a host again",
        "Enable a host in Nova that nova-ha has disabled. What somebody else has disabled stays as it is.",
    )
    for sub in (disable, enable):
        sub.add_argument("host", metavar="HOST", help="name of the host, in Nova or in Pacemaker")
        sub.add_argument("--force", action="store_true", help="also when somebody else has disabled it")


def _add_installing(words: Any) -> None:  # noqa: ANN401 - as above
    """Add the subcommand that puts the agents of a virtual environment into place."""
    install = words.add_parser(
        "install-agents",
        help="link the agents of a virtual environment to where Pacemaker looks",
        description="Link agents, fence_compute, this command and the manual of the virtual environment in "
        "which nova-ha is installed to where Pacemaker and man look. Nothing is overwritten that is no such "
        "link. Call it again after an upgrade. Packages of a distribution do not need it.",
        allow_abbrev=False,
    )
    install.add_argument(
        "--prefix",
        type=Path,
        default=Path("/usr"),
        metavar="FOLDER",
        help="where the links belong: in lib/ocf/resource.d/openstack, sbin, bin and share/man of this "
        "folder; Pacemaker looks into /usr only (default %(default)s)",
    )
    install.add_argument("--uninstall", action="store_true", help="remove the links instead")


def _subcommand(words: Any, name: str, text: str, description: str) -> argparse.ArgumentParser:  # noqa: ANN401
    sub = words.add_parser(name, help=text, description=description, allow_abbrev=False)
    _add_options(sub)
    return sub  # type: ignore[no-any-return]


def _add_options(some: argparse.ArgumentParser) -> None:
    """Add the options of the table, which only the manual lists; before and after the subcommand."""
    for option in for_program(COMMAND):
        names = [f"--{name.replace('_', '-')}" for name in (option.name, *option.aliases)]
        names += [f"--{option.name}"] if "_" in option.name else []
        kind = _kind(option)
        some.add_argument(*names, dest=option.name, default=argparse.SUPPRESS, help=argparse.SUPPRESS, **kind)


def _kind(option: Option) -> dict[str, Any]:
    """Return how an option is read from the command line: its value stays a text."""
    if option.secret:
        return {"action": _Secret, "nargs": "?"}
    if option.kind == "boolean" and option.default in (None, "0"):
        return {"action": "store_const", "const": "1"}
    return {"metavar": option.kind.upper() if not option.choices else "|".join(option.choices)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; return the exit status."""
    line = parser().parse_args(arguments)
    given = {option.name: getattr(line, option.name, None) for option in for_program(COMMAND)}
    written = {name: text for name, text in given.items() if text is not None}
    try:
        return _run(line, written)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever was reading, such as head(1), has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except NovaHaError as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except Exception as error:
        # An admin is never shown a traceback.
        logging.getLogger(__name__).debug("where it was raised", exc_info=True)
        return _complain(f"defect in nova-ha: {type(error).__name__}: {error}")


def _run(line: argparse.Namespace, given: dict[str, str]) -> int:
    """Run the subcommand that the command line names."""
    from nova_ha.commands import run
    from nova_ha.commands.surroundings import Surroundings

    if "verbose" in given:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
        logging.getLogger("nova_ha").setLevel(logging.DEBUG)
    return run.SUBCOMMANDS[line.command](Surroundings(given=given), line)


def _complain(text: str) -> int:
    print(f"nova-ha: {' '.join(text.split())}", file=sys.stderr)
    return FAILED


def entry() -> NoReturn:
    """Be the program: end without waiting for requests that Nova never answers."""
    status = FAILED
    try:
        status = main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else FAILED
    logging.shutdown()
    status = _flushed(status)
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(status)


def _flushed(status: int) -> int:
    """Write what is still buffered, which is all of a short output; return the exit status."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # As above: its reader has seen enough, and the status says what the output does.
        return status
    except OSError as error:
        return _complain(f"standard output: {error.strerror}") if status == 0 else status
    return status
