# SPDX-License-Identifier: Apache-2.0
"""What the guide for users of the old agents says about parameters is what the option table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nova_ha.errors import ConfigurationError
from nova_ha.settings.option_table import OPTIONS
from nova_ha.settings.options import FENCE, for_program, resolve

GUIDE = Path(__file__).resolve().parents[2] / "pcs-examples" / "MIGRATION.md"
ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \| ?(.*?) ?\|$", re.MULTILINE)
#: Parameters of which the old agents had the opposite.
TURNED_ROUND = {"no_shared_storage": "shared_storage"}


def promises():
    """Return agent, old name, new name and remark for each row of the guide's tables of parameters."""
    parts = re.split(r"^### (\w+)$", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [(agent, *row) for agent, part in zip(parts[1::2], parts[2::2]) for row in ROW.findall(part)]


def test_the_tables_are_read():
    """The guide has a table for each agent."""
    assert {"fence_compute", "NovaEvacuate", "NovaCompute"} == {agent for agent, *_ in promises()}
    assert len(promises()) > 40


@pytest.mark.parametrize(("agent", "old", "new", "remark"), promises())
def test_old_names_are_accepted(agent, old, new, remark):
    """Each old name belongs to the agent, and means the parameter that the guide names."""
    found = [option for option in for_program(agent) if old in (option.name, *option.aliases)]
    assert 1 == len(found)
    assert new in (found[0].name, TURNED_ROUND.get(found[0].name))


@pytest.mark.parametrize(
    ("agent", "old", "new", "remark"), [row for row in promises() if "ignored" in row[3]]
)
def test_what_is_ignored_is_documented_as_such(agent, old, new, remark):
    """A parameter that the guide calls ignored says so itself, or is one that NovaCompute does not need."""
    text = next(option.description for option in OPTIONS if old in (option.name, *option.aliases))
    assert "ccepted and ignored" in text or "accepts and ignores" in text


@pytest.mark.parametrize("value", ["2", "disabled"])
def test_fencing_without_effect_is_refused(value):
    """The two values of record_only that the guide names are refused."""
    with pytest.raises(ConfigurationError, match="without any effect"):
        resolve(FENCE, {"record_only": value}, {})


@pytest.mark.parametrize("spelling", ["internalURL", "publicURL", "adminURL"])
def test_old_kinds_of_endpoints(spelling):
    """The old agents' words for an endpoint's kind are understood."""
    assert spelling.removesuffix("URL") == resolve(FENCE, {"endpoint_type": spelling}, {})["interface"]
