# SPDX-License-Identifier: Apache-2.0
"""What pcs shows of the agents reads as good prose."""

from __future__ import annotations

import re

import pytest

from nova_ha.settings.options import OPTIONS
from tests.conformance.installed import Installed

pytestmark = pytest.mark.conformance

AGENTS = ("NovaEvacuate", "NovaCompute")
#: A line of pcs about a parameter: its name, whether it is required, what it means.
PARAMETER = re.compile(r"^  (\w+)( \(required\))?: (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Give a machine with nova-ha on it."""
    return Installed(tmp_path_factory.mktemp("prose") / "machine")


@pytest.fixture(scope="module", params=[*AGENTS, "fence_compute"])
def shown(machine, request):
    """Give what pcs shows about an agent, each paragraph on a line, and whether it is the fence agent."""
    is_fence = request.param == "fence_compute"
    kind, name = ("stonith", request.param) if is_fence else ("resource", f"ocf:openstack:{request.param}")
    done = machine.run("pcs", kind, "describe", name)
    assert 0 == done.returncode, done.stderr
    # pcs breaks lines at the width of the terminal and indents what continues.
    return re.sub(r"\n {6,}", " ", done.stdout), is_fence


def parameters(text):
    """Return the parameters and what they mean, as pcs lists them; not those that pcs itself adds."""
    return {name: told for name, _, told in PARAMETER.findall(text) if not name.startswith("pcmk_")}


def test_every_parameter_is_told(shown):
    """There are parameters, and none without a word."""
    text, _ = shown
    found = parameters(text)
    assert len(found) > 15
    assert [] == [name for name, told in found.items() if len(told) < 5 or "No description" in told]


def test_sentences(shown):
    """A resource's parameters are told in sentences; a fence agent's, of which pcs shows less, in phrases."""
    text, is_fence = shown
    for name, told in parameters(text).items():
        assert told[0].isupper(), name
        if not is_fence:
            assert told.endswith("."), name
            assert not re.search(r"[^.]\.\.(\s|$)|\s[.,;:]| {2,}", told), name


def test_nothing_is_left_of_the_source(shown):
    """No markup, no marks of lists, no name of a type or default of Python."""
    text, _ = shown
    assert not re.search(r"&(lt|gt|amp|quot);|</?\w+>|\\f[BIR]|``|\bNone\b|\bTODO\b", text)


def test_units_of_times(shown):
    """Whoever reads about a time learns that it is in seconds."""
    text, is_fence = shown
    seconds = {option.name for option in OPTIONS if option.kind == "seconds"}
    times = {name: told for name, told in parameters(text).items() if name in seconds}
    assert times
    if not is_fence:
        assert [] == [name for name, told in times.items() if "seconds" not in told and "ignored" not in told]


def test_description(shown):
    """The description itself is there, in paragraphs of whole sentences."""
    text, is_fence = shown
    head = text.partition("Stonith options:" if is_fence else "Resource options:")[0].strip()
    title, _, body = head.partition("\n")
    assert re.fullmatch(r"(ocf:openstack:)?\w+ - [A-Z].*[^.]", title)
    assert len(body) > 200
    assert body.strip().endswith(".")
