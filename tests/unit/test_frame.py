# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can check."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PRODUCT = (
    "nova_ha/**/*.py",
    "benchmarks/*.py",
    "agents/Nova*",
    "fence_compute/fence_compute",
    "tools/*.py",
    "setup.py",
)
TESTS = ("tests/**/*.py",)
SCRIPTS = ("tools/*", ".ci/run", "Makefile", "tox.ini", "pyproject.toml", "pcs-examples/*.sh")
EXECUTABLES = ("agents/Nova*", "fence_compute/fence_compute", ".ci/run", "tools/setup-machine")
SPDX = "# SPDX-License-Identifier: Apache-2.0"
LONGEST_FUNCTION = 50
LONGEST_FILE = 400
USUAL_FILE = 300
#: What a decision may know: values and how they are written, and nothing that has an effect or reads a clock.
PURE = {
    "__future__", "collections", "collections.abc", "dataclasses", "enum", "re", "typing",
    "nova_ha.errors", "nova_ha.model", "nova_ha.record",
}  # fmt: skip
#: Of the module with the clocks, the functions that read and write times.
TIMES = {"format_time", "parse_time"}
#: Files may be longer than usual here and there, not as a habit.
LONG_FILES = 0.1


def files(*patterns):
    """Return the files of the checkout that match, without what tools have left."""
    found = {path for pattern in patterns for path in CHECKOUT.glob(pattern) if path.is_file()}
    return sorted(path for path in found if "__pycache__" not in path.parts)


def name(path):
    """Return how a report calls the file."""
    return str(path.relative_to(CHECKOUT))


def functions(path):
    """Return the functions of a Python file, nested ones too."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def length(function):
    """Return how many lines a function has, from its first decorator to its end."""
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return function.end_lineno - first + 1


def line_count(path):
    """Return how many lines a file has."""
    return len(path.read_text(encoding="utf-8").splitlines())


def test_files_are_found():
    """The patterns of this module match the package, its tests and the scripts."""
    assert {"nova_ha/__init__.py", "tests/unit/test_frame.py", "tests/guard.py", "Makefile"} <= {
        name(path) for path in files(*PRODUCT, *TESTS, *SCRIPTS)
    }


@pytest.mark.parametrize("path", files(*PRODUCT, *TESTS, *SCRIPTS), ids=name)
def test_licence_line(path):
    """Every source file names its licence in its first line, or in the second after a shebang."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = lines[1:] if lines and lines[0].startswith("#!") else lines
    assert not path.stat().st_size or head[0] == SPDX


def imports(path):
    """Yield each module that a file imports, with what is taken from it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, set()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "nova_ha":
            yield from ((f"nova_ha.{alias.name}", set()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module, {alias.name for alias in node.names}


@pytest.mark.parametrize("path", files("nova_ha/decisions/*.py"), ids=name)
def test_decisions_are_pure(path):
    """A decision imports neither a client nor a process nor the time of day: it could not have an effect."""
    for module, taken in imports(path):
        is_time = module == "nova_ha.clock" and taken and taken <= TIMES
        assert module in PURE or module.startswith("nova_ha.decisions") or is_time, module


@pytest.mark.parametrize("path", files("tests/**/test_*.py"), ids=name)
def test_every_test_says_what_it_shows(path):
    """Every test has a docstring of a sentence."""
    tests = [function for function in functions(path) if function.name.startswith("test_")]
    assert [] == [test.name for test in tests if not (ast.get_docstring(test) or "").strip().endswith(".")]


@pytest.mark.parametrize("path", files(*PRODUCT), ids=name)
def test_functions_are_short(path):
    """No function of the product or its tools is longer than a screen."""
    assert [] == [f"{f.name}: {length(f)} lines" for f in functions(path) if length(f) > LONGEST_FUNCTION]


@pytest.mark.parametrize("path", files(*PRODUCT), ids=name)
def test_files_are_short(path):
    """No file of the product or its tools is so long that it must hold two things."""
    assert line_count(path) <= LONGEST_FILE


def test_files_are_usually_shorter():
    """Nearly every file of the product keeps to the usual length."""
    product = files(*PRODUCT)
    long = [f"{name(path)}: {line_count(path)} lines" for path in product if line_count(path) > USUAL_FILE]
    assert len(long) <= LONG_FILES * len(product), long


@pytest.mark.parametrize("path", files(*EXECUTABLES), ids=name)
def test_executables_are_executable(path):
    """What is called by name has the executable bit."""
    assert path.stat().st_mode & 0o111 == 0o111


@pytest.mark.parametrize("path", [p for p in files(*PRODUCT) if p.stat().st_mode & 0o111], ids=name)
def test_executables_run_on_the_systems_python(path):
    """An executable in Python names the system's interpreter, never one that PATH decides."""
    assert "#!/usr/bin/python3" == path.read_text(encoding="utf-8").splitlines()[0]
