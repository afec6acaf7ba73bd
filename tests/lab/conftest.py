# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests of recoveries: each module gets a lab of its own."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.lab.deployment import deploy
from tests.lab.lab import Lab
from tests.lab.recoveries import Labs

#: Modules that take minutes, the longest first, so that all workers end at about the same time.
LONGEST_FIRST = (
    "test_recovery", "test_fenced_nodes", "test_unfenced", "test_doctor", "test_outages", "test_deployment",
    "test_systemd", "test_by_hand", "test_watchdog",
)  # fmt: skip


def pytest_configure() -> None:
    """End as Ctrl-C does when asked to, fixtures first: by default the signal would leave the labs behind."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("asked to end", returncode=1))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest modules begin first."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    keeper = Labs(lambda: tmp_path_factory.mktemp("cloud") / "lab")
    yield keeper
    keeper.end()


@pytest.fixture
def cloud(labs: Labs) -> Lab:
    return labs.whole()


@pytest.fixture(scope="module")
def deployments(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Labs]:
    reconnect: int = request.module.RECONNECT
    keeper = Labs(
        lambda: tmp_path_factory.mktemp("deployment") / "lab", lambda folder: deploy(folder, reconnect)
    )
    yield keeper
    keeper.end()


@pytest.fixture
def deployed(deployments: Labs) -> Lab:
    return deployments.whole()
