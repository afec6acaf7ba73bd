# SPDX-License-Identifier: Apache-2.0
"""The tables of the scenarios' README name tests that exist, and leave nothing out."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
SCENARIOS = TESTS / "scenarios"
FILES = ("README", "cloud.json", "script.json", "log.expect")
WITHOUT_TEST = "does not concern us: "
BUGS, RULES, FAULTS = 50, 35, 16


def directories():
    """Return the scenarios' directories."""
    return sorted(path for path in SCENARIOS.iterdir() if path.is_dir() and not path.name.startswith("_"))


def table(title):
    """Return the rows of the table under a title, as lists of cells, without its head."""
    text = (SCENARIOS / "README.md").read_text(encoding="utf-8")
    part = text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def names(text):
    """Return the scenarios and tests that a text names."""
    return [name for name in re.findall(r"`([^`]+)`", text) if name.endswith("/") or "::" in name]


def all_names():
    """Return every scenario that the README's tables name, and every test that it names, each once."""
    text = (SCENARIOS / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return sorted({*names("\n".join(rows)), *(name for name in names(text) if "::" in name)})


@cache
def functions(path):
    """Return the names of a file's functions."""
    return {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if hasattr(node, "name")}


@pytest.mark.parametrize("directory", directories(), ids=lambda path: path.name)
def test_scenario_is_whole(directory):
    """A scenario has its story, its cloud, its script and its log, none of them empty."""
    assert [name for name in FILES if not (directory / name).is_file()] == []
    assert all((directory / name).stat().st_size for name in FILES)


@pytest.mark.parametrize("name", all_names())
def test_named_test_exists(name):
    """What the README names is a scenario or a test of this checkout."""
    if name.endswith("/"):
        assert (SCENARIOS / name / "script.json").is_file()
    else:
        path, function = name.split("::")
        assert function.startswith("test_")
        assert function in functions(TESTS / path)


@pytest.mark.parametrize(
    ("title", "last"), [("Bugs of the old agents", BUGS), ("Rules of a correct evacuator", RULES)]
)
def test_no_row_is_missing(title, last):
    """Every number has its one row, with a test or with the reason why there is none."""
    rows = table(title)
    assert [str(number) for number in range(1, last + 1)] == [row[0] for row in rows]
    assert [row[0] for row in rows if not names(row[2]) and not row[2].startswith(WITHOUT_TEST)] == []


def test_every_fault_has_a_scenario():
    """Each fault of the catalogue has a scenario of its own, whatever the lab shows."""
    rows = table("Faults")
    assert FAULTS == len(rows)
    assert [row[0] for row in rows if not any(name.endswith("/") for name in names(row[1]))] == []


def test_no_scenario_is_forgotten():
    """Every scenario is named in a table, so that each one says what it is for."""
    assert [path.name for path in directories() if f"{path.name}/" not in all_names()] == []
