# SPDX-License-Identifier: Apache-2.0
"""The README's table of parameters is made from the options."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from nova_ha.settings.options import OPTIONS

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tool():
    """Load the tool, which is a script."""
    path = CHECKOUT / "tools" / "parameter_tables.py"
    spec = importlib.util.spec_from_file_location("parameter_tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_readme_is_fresh(tool):
    """The README in the checkout has the table that its options ask for."""
    assert 0 == tool.main(["--check"])


def test_every_option_has_a_row(tool):
    """Each option has one row, which begins with its canonical name."""
    rows = tool.table().splitlines()[2:]
    assert [f"| `{option.name}`" for option in OPTIONS] == [" ".join(row.split()[:2]) for row in rows]


def test_stale_readme_is_reported(tool, tmp_path, monkeypatch, capsys):
    """A README with another table fails the check, names the fix and stays as it is."""
    stale = f"head\n{tool.BEGIN}\n| old |\n{tool.END}\ntail\n"
    readme = tmp_path / "README.md"
    readme.write_text(stale, encoding="utf-8")
    monkeypatch.setattr(tool, "README", readme)
    assert 1 == tool.main(["--check"])
    assert "run tools/parameter_tables.py" in capsys.readouterr().err
    assert stale == readme.read_text(encoding="utf-8")


def test_stale_readme_is_renewed(tool, tmp_path, monkeypatch):
    """Writing replaces what is between the marks, keeps the rest, and then has nothing more to do."""
    readme = tmp_path / "README.md"
    readme.write_text(f"head\n{tool.BEGIN}\n| old |\n{tool.END}\ntail\n", encoding="utf-8")
    monkeypatch.setattr(tool, "README", readme)
    assert 0 == tool.main([])
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("head\n")
    assert text.endswith("\ntail\n")
    assert "| old |" not in text
    assert 0 == tool.main(["--check"])


def test_missing_mark_is_an_error(tool):
    """A README without the marks is refused rather than overwritten."""
    with pytest.raises(ValueError, match="lacks"):
        tool.renewed("no marks here")
