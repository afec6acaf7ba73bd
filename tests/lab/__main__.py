# SPDX-License-Identifier: Apache-2.0
"""Drive the lab from a shell: python -m tests.lab --help."""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import prepare
from tests.lab.cluster.bmc import MODES
from tests.lab.errors import LabError
from tests.lab.lab import DEFAULT_DIRECTORY, Lab

_ABOUT = """\
A whole cloud on this machine: Pacemaker controllers, compute nodes, BMCs and OpenStack, all real,
in namespaces. It needs root and Debian 12, changes nothing outside of its folder and its cache,
and dies with one process.
"""
_EXAMPLES = """\
examples:
  python -m tests.lab up                          3 controllers, 3 compute nodes, OpenStack
  python -m tests.lab in controller-0 pcs status
  python -m tests.lab in compute-1                a shell in the node
  python -m tests.lab off compute-0               cut its power, and watch with: in controller-0 crm_mon
  python -m tests.lab bmc compute-0 silent        its BMC answers nothing from now on
  python -m tests.lab up --systemd                no cluster yet: pcs-examples/README.md makes one
  python -m tests.lab down
"""


def _up(lab: Lab, arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    lab.up()
    print(f"the lab is up after {time.monotonic() - started:.0f} s: {', '.join(lab.nodes)}; logs: {lab.logs}")
    if arguments.servers:
        lab.openstack.client.boot(arguments.servers)


def _prepare(lab: Lab, _arguments: argparse.Namespace) -> None:
    prepare.prepare_machine()
    if lab.with_openstack:
        prepare.install_packages(import_module("tests.lab.openstack.stack").APT_PACKAGES)
        import_module("tests.lab.openstack.prepare").prepared()


def _down(lab: Lab, _arguments: argparse.Namespace) -> None:
    lab.down()


def _list(lab: Lab, _arguments: argparse.Namespace) -> None:
    for name, condition in lab.conditions().items():
        print(f"{name:14} {condition}")


def _on(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.power_on(arguments.node)


def _off(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.power_off(arguments.node)


def _reboot(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.reboot(arguments.node)


def _freeze(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.freeze(arguments.node)


def _thaw(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.thaw(arguments.node)


def _cable(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.cable(arguments.node, arguments.position == "up")


def _bmc(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.bmc(arguments.node, arguments.mode)


def _kill(lab: Lab, arguments: argparse.Namespace) -> None:
    for line in lab.kill_process(arguments.node, arguments.pattern):
        print(f"killed: {line}")


def _in(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.exec(arguments.node, arguments.command)


def _fabric(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.exec(None, arguments.command)


def _logs(lab: Lab, _arguments: argparse.Namespace) -> None:
    print(lab.logs)


# Those that make a lab; all others talk to the one that is there.
_MAKERS = (_up, _prepare)

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def _add_size(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--controllers", type=int, default=3, help="1 or 3 (default 3)")
    parser.add_argument("--computes", type=int, default=3, help="0 to 12 (default 3)")
    parser.add_argument("--no-openstack", action="store_true", help="the cluster alone, with Dummy resources")


def _add_life(commands: _Commands) -> None:
    up = commands.add_parser("up", help="bring a lab up and wait until the cluster is settled")
    _add_size(up)
    up.add_argument("--by-examples", action="store_true", help="configure the cluster with pcs-examples")
    up.add_argument(
        "--watchdog", action="store_true", help="sbd on all nodes, and pcs-examples' POWER=watchdog"
    )
    up.add_argument("--servers", type=int, default=0, help="boot this many servers afterwards")
    up.add_argument(
        "--systemd",
        action="store_true",
        help="nodes run systemd and pcsd and are no cluster yet: make one as pcs-examples/README.md says",
    )
    up.set_defaults(run=_up)
    preparation = commands.add_parser("prepare", help="only install and prepare what a lab needs")
    _add_size(preparation)
    preparation.set_defaults(run=_prepare, by_examples=False, watchdog=False, systemd=False)
    for name, run, text in (
        ("down", _down, "end the lab: every process, mount and namespace; logs stay"),
        ("list", _list, "print the nodes and their condition: on, off, frozen"),
        ("status", _list, "the same as list"),
        ("logs", _logs, "print the folder with the logs of everything"),
    ):
        commands.add_parser(name, help=text).set_defaults(run=run)


def _add_faults(commands: _Commands) -> None:
    for name, run, text in (
        ("on", _on, "switch a node on"),
        ("off", _off, "cut a node's power"),
        ("reboot", _reboot, "press a node's reset button"),
        ("freeze", _freeze, "let a node hang: all its processes stop"),
        ("thaw", _thaw, "end a freeze"),
    ):
        parser = commands.add_parser(name, help=text)
        parser.add_argument("node", help="controller-N or compute-N")
        parser.set_defaults(run=run)
    cable = commands.add_parser("cable", help="cut (down) or repair (up) a node's network cable")
    cable.add_argument("node")
    cable.add_argument("position", choices=("up", "down"))
    cable.set_defaults(run=_cable)
    bmc = commands.add_parser(
        "bmc", help="make a node's BMC behave: normal, silent, refuse, lies-off, stays-off"
    )
    bmc.add_argument("node")
    bmc.add_argument("mode", choices=MODES)
    bmc.set_defaults(run=_bmc)
    kill = commands.add_parser("kill", help="kill -9 a node's processes by a pattern of their command line")
    kill.add_argument("node")
    kill.add_argument("pattern")
    kill.set_defaults(run=_kill)


def _add_shells(commands: _Commands) -> None:
    inside = commands.add_parser("in", help="run a command, or a shell, in a node")
    inside.add_argument("node")
    inside.add_argument("command", nargs=argparse.REMAINDER)
    inside.set_defaults(run=_in)
    fabric = commands.add_parser("fabric", help="run a command, or a shell, where the OpenStack services run")
    fabric.add_argument("command", nargs=argparse.REMAINDER)
    fabric.set_defaults(run=_fabric)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--dir", type=Path, default=DEFAULT_DIRECTORY, help="folder of the lab (default %(default)s)"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_life(commands)
    _add_faults(commands)
    _add_shells(commands)
    if find_spec("tests.lab.openstack.commands"):
        import_module("tests.lab.openstack.commands").add_commands(commands)
    return parser


def _lab(arguments: argparse.Namespace) -> Lab:
    if arguments.run not in _MAKERS:
        return Lab.attach(arguments.dir)
    return Lab(
        arguments.dir,
        arguments.controllers,
        arguments.computes,
        not arguments.no_openstack,
        by_examples=arguments.by_examples or arguments.watchdog,
        watchdog=arguments.watchdog,
        systemd=arguments.systemd,
    )


def main() -> None:
    """Parse the command line and do what it says; an error is one line on stderr and exit status 1."""
    try:
        arguments = _parser().parse_args()
        arguments.run(_lab(arguments), arguments)
    except (LabError, OSError) as error:
        sys.exit(f"lab: {error}")
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("tests."):
            raise
        sys.exit(
            f"lab: {missing}: {sys.executable} is not the lab's own python, which 'make machine' prepares: "
            ".tox/lab/bin/python -m tests.lab"
        )
    except KeyboardInterrupt:
        sys.exit("lab: interrupted")


if __name__ == "__main__":
    main()
