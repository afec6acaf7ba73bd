#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write the table of parameters of README.md from the one table of options, or check that it is fresh.

tools/parameter_tables.py            write
tools/parameter_tables.py --check    exit with 1, and change nothing, if writing would change something
"""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_HERE))

from nova_ha.settings.options import OPTIONS, PROGRAMS, Option  # noqa: E402 (the checkout is on the path only now)

README = _HERE / "README.md"
BEGIN = "<!-- parameters: written by tools/parameter_tables.py -->"
END = "<!-- end of parameters -->"


def main(arguments: list[str]) -> int:
    """Write or check the README; return the exit status."""
    if arguments not in ([], ["--check"]):
        print(f"nova-ha: unknown argument {arguments[0]!r}: use --check or nothing", file=sys.stderr)
        return 2
    old = README.read_text(encoding="utf-8")
    new = renewed(old)
    if old == new:
        return 0
    if arguments:
        print(
            "nova-ha: the parameters in README.md are stale: run tools/parameter_tables.py", file=sys.stderr
        )
        return 1
    README.write_text(new, encoding="utf-8")
    return 0


def renewed(text: str) -> str:
    """Return the text with a fresh table between its two marks.

    Raises:
        ValueError: a mark is missing.
    """
    head, _, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not end:
        raise ValueError(f"README.md lacks {BEGIN!r} or {END!r}")
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def table() -> str:
    """Return the table of all parameters, in Markdown."""
    head = ["| parameter | default | what it is | used by |", "|---|---|---|---|"]
    return "\n".join([*head, *(_row(option) for option in OPTIONS)])


def _row(option: Option) -> str:
    """Return the line of one parameter."""
    names = " ".join(f"`{name}`" for name in (option.name, *option.aliases))
    users = ", ".join(program for program in PROGRAMS if program in option.used_by)
    default = "" if option.default is None else f"`{option.default}`"
    return f"| {names} | {default} | {option.summary.replace('|', chr(92) + '|')} | {users} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
