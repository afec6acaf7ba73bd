# SPDX-License-Identifier: Apache-2.0
"""Write text in the language of manual pages: the few macros of man(7) that ours need."""

from __future__ import annotations

import re
import textwrap

_SPECIAL = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
#: The end of a sentence begins a new line, so that a formatter knows where sentences end.
_SENTENCE = re.compile(r"(?<=[.:?!]) +(?=[A-Z0-9(])")
_WIDTH = 78


def escape(text: str) -> str:
    """Return text that is shown as it is, wherever it stands in a line."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def bold(text: str) -> str:
    """Return text that is shown bold."""
    return f"\\fB{escape(text)}\\fR"


def italic(text: str) -> str:
    """Return text that is shown in italics: a place for something else."""
    return f"\\fI{escape(text)}\\fR"


def prose(text: str) -> str:
    """Return paragraphs, a sentence to a line; a paragraph of the source ends with an empty line."""
    blocks = (" ".join(block.split()) for block in re.split(r"\n\s*\n", text.strip()))
    return "\n.PP\n".join(_lines(block) for block in blocks)


def item(tag: str, text: str) -> str:
    """Return an entry of a list of definitions.

    Args:
        tag: what is defined, in roff.
        text: the definition, plain.
    """
    return f".TP\n{tag}\n{prose(text)}"


def _lines(block: str) -> str:
    """Return a paragraph in lines that begin with no macro."""
    sentences = _SENTENCE.split(block)
    lines = (line for s in sentences for line in textwrap.wrap(s, _WIDTH, break_on_hyphens=False))
    return "\n".join(_guarded(escape(line)) for line in lines)


def _guarded(line: str) -> str:
    """Return a line whose first character is no order to the formatter."""
    return f"\\&{line}" if line.startswith((".", "\\(aq")) else line
