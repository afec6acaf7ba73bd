# SPDX-License-Identifier: Apache-2.0
"""What the examples' README claims about a running cluster has a test in the lab, which it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
README = CHECKOUT / "pcs-examples" / "README.md"
DEPLOYMENT = (
    "tests/lab/test_deployment.py",
    "tests/lab/test_fenced_nodes.py",
    "tests/lab/test_watchdog.py",
)


def claims():
    """Return the tests that the README names, each with the file that it links to."""
    return re.findall(r"\[(test_\w+)\]\(\.\./(\S+?)\)", README.read_text(encoding="utf-8"))


def shown_in(path):
    """Return the names of the tests of a file."""
    tree = ast.parse((CHECKOUT / path).read_text(encoding="utf-8"), filename=path)
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize(("test", "path"), claims())
def test_the_test_exists(test, path):
    """A test that the README names is in the file that it links to."""
    assert test in shown_in(path)


@pytest.mark.parametrize("path", DEPLOYMENT)
def test_every_test_of_the_deployment_is_named(path):
    """What the lab shows about the examples stands in their README."""
    assert shown_in(path) == {test for test, where in claims() if where == path}
