# SPDX-License-Identifier: Apache-2.0
"""What tests of subcommands share."""

from __future__ import annotations

import pytest

from tests.unit.commands.command_world import CommandWorld
from tests.unit.commands.deployment import Deployment


@pytest.fixture
def commands(tmp_path):
    """Give a world in which commands are called; nothing may have run twice in it."""
    found = CommandWorld(tmp_path / "nova-ha")
    yield found
    violations = found.world.violations
    found.close()
    assert [] == violations


@pytest.fixture
def sound():
    """Give a sound deployment."""
    return Deployment()
