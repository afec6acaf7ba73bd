# SPDX-License-Identifier: Apache-2.0
"""What the person who follows a README may type, and how it edits a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.errors import LabError
from tests.lab.systemd.admin import assigned, commands

README = """\
# Title

Text with `a command` in it.

    vi variables.sh
    first && ONE=1 ./second     # what it is for

* An item:

      third --to-the-letter

  and the rest of the item.
"""
VARIABLES = """\
# The nodes.
NODES="
one  192.0.2.1
"
CLOUD=mycloud
CLOUDS_YAML=/etc/clouds.yaml
"""


def test_commands_are_the_indented_lines(tmp_path: Path) -> None:
    """Blocks count, in items of lists too, remarks behind a command do not, and text does not."""
    (tmp_path / "README.md").write_text(README)
    assert [
        "vi variables.sh",
        "first && ONE=1 ./second",
        "third --to-the-letter",
    ] == commands(tmp_path / "README.md")


def test_a_variable_gets_another_value() -> None:
    """One line or several, nothing else is touched, and the shell reads the new value as it is meant."""
    text = assigned(assigned(VARIABLES, "CLOUD", "lab"), "NODES", "\nthree  192.0.2.3\n")
    assert VARIABLES.replace("=mycloud", '="lab"').replace("one  192.0.2.1", "three  192.0.2.3") == text


def test_a_variable_that_is_not_there_is_an_error() -> None:
    """A variable that was renamed must not stay as it was shipped without a word."""
    with pytest.raises(LabError, match="0 lines for variable CLOUDY"):
        assigned(VARIABLES, "CLOUDY", "lab")
