# SPDX-License-Identifier: Apache-2.0
"""The command line of the demo."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.demo.hit import HOW
from tests.lab.demo.show import Show, Story
from tests.lab.demo.view import open_view
from tests.lab.errors import LabError
from tests.lab.lab import DEFAULT_DIRECTORY, Lab

_ABOUT = """\
Boot servers on a compute node of a real cloud inside this machine, let the node die, and watch the recovery.
Exit status 0: every server is as before on another host, no server was lost or ran twice, and the node is
back in service. 1: not so; what is missing and where the logs are is said.
"""


def _number(least: int, most: int) -> type:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from {least} to {most}")
        return int(text)

    return number  # type: ignore[return-value]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab.demo",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--how", choices=sorted(HOW), default="power-cut", help="what happens (default power-cut)"
    )
    parser.add_argument(
        "--servers", type=_number(1, 100), default=20, help="how many servers, 1 in 10 SHUTOFF (20)"
    )
    parser.add_argument(
        "--victims", type=_number(1, 2), default=1, help="how many compute nodes die at once: 1 or 2"
    )
    parser.add_argument(
        "--kill-evacuator",
        action="store_true",
        help="cut the power of the evacuator's controller in the middle of the evacuation",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave the lab running; end it: python -m tests.lab down"
    )
    parser.add_argument(
        "--dir", type=Path, default=DEFAULT_DIRECTORY, help="folder of the lab (default %(default)s)"
    )
    return parser.parse_args()


@contextmanager
def _lab(arguments: argparse.Namespace) -> Iterator[Lab]:
    """Give a lab that is not up yet, and end it afterwards unless it shall stay."""
    lab = Lab(arguments.dir, controllers=3, computes=2 + arguments.victims)
    # Before the try: if this folder's lab runs already, it is somebody's and must not be ended.
    lab.prepare()
    try:
        yield lab
    finally:
        if not arguments.keep:
            lab.down()


def main() -> int:
    """Show it; return the exit status."""
    arguments = _arguments()
    story = Story(arguments.how, arguments.servers, arguments.victims, arguments.kill_evacuator)
    with open_view() as view:
        view.say(None, "preparing the machine")
        with _lab(arguments) as lab:
            show = Show(lab, story, view)
            show.prepare()
            return 0 if show.run() else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit("demo: interrupted")
