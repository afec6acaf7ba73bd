# SPDX-License-Identifier: Apache-2.0
"""Every test runs behind the guard, in an environment of its own."""

from __future__ import annotations

import os

import pytest

from tests.guard import GUARD

_FOREIGN = ("CIB_", "HA_", "NOVA_HA_", "OCF_", "OS_", "PCMK_", "XDG_")


def pytest_configure() -> None:
    """Put the guard up before the first test module is imported."""
    GUARD.install()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """Guard the test and its fixtures, also those that other tests share."""
    with GUARD.only({marker.name for marker in item.iter_markers()}):
        yield


@pytest.fixture(autouse=True)
def _nothing_was_blocked():
    """Fail the test if the guard blocked something, even if somebody swallowed the guard's exception."""
    yield
    if GUARD.blocked:
        pytest.fail("\n".join(GUARD.blocked))


@pytest.fixture(autouse=True)
def _own_environment(request, monkeypatch, tmp_path_factory):
    """Hide the variables and the home folder of whoever runs the tests."""
    if request.node.get_closest_marker("lab"):
        return
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))


@pytest.fixture
def guard():
    """Hand out the guard, for the tests about it."""
    return GUARD
