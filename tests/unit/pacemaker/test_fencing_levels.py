# SPDX-License-Identifier: Apache-2.0
"""A fencing by fence_compute alone switches nothing off, and must be refused."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from nova_ha.pacemaker.fencing_levels import pcs_target, why_power_may_be_on

CIB = """<cib><configuration>
  <nodes><node uname="compute-0"><instance_attributes>
    <nvpair name="osprole" value="compute"/></instance_attributes></node></nodes>
  <resources>
    <primitive id="ipmi" class="stonith" type="fence_ipmilan"/>
    <primitive id="nova" class="stonith" type="fence_compute"/>
  </resources>
  <fencing-topology>{levels}</fencing-topology>
</configuration></cib>"""


def why(*levels, node="compute-0"):
    """Return why the node's power may be on with these levels, given as (how they name the node, devices)."""
    text = "".join(f'<fencing-level index="1" {target} devices="{devices}"/>' for target, devices in levels)
    return why_power_may_be_on(ET.fromstring(CIB.format(levels=text)), node)


@pytest.mark.parametrize(
    "target",
    [
        'target="compute-0"',
        'target-pattern="compute-.*"',
        'target-pattern="^compute-"',
        'target-pattern="pute"',
        'target-pattern="^(compute|storage)-[[:digit:]]+$"',
        'target-attribute="osprole" target-value="compute"',
    ],
)
def test_power_device_first(target):
    """A level that cuts the power first is in order, however it names the node."""
    assert why((target, "ipmi,nova")) is None


@pytest.mark.parametrize(
    "pattern", ["^ompute", "compute-$", "compute-[[:alpha:]]", "compute-\\d", "(?:compute)-0"]
)
def test_pattern_of_other_nodes(pattern):
    """A pattern means what Pacemaker takes it for: an extended regular expression, found anywhere."""
    assert "no fencing level" in why((f'target-pattern="{pattern}"', "ipmi,nova"))


def test_malformed_pattern():
    """A pattern that Pacemaker cannot read, and ignores, is named; a good level beside it still counts."""
    bad = ('target-pattern="compute-["', "ipmi,nova")
    assert why(bad).endswith("; it ignores the level with the malformed pattern compute-[")
    assert why(bad, ('target="compute-0"', "ipmi,nova")) is None


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ('target="compute-0"', "compute-0"),
        ('target-pattern="^compute-"', "regexp%^compute-"),
        ('target-attribute="osprole" target-value="compute"', "attrib%osprole=compute"),
    ],
)
def test_pcs_target(target, expected):
    """A level's target has the spelling that pcs takes."""
    assert expected == pcs_target(ET.fromstring(f'<fencing-level index="1" {target} devices="a"/>'))


def test_no_level():
    """Without a level Pacemaker may use fence_compute alone."""
    assert "no fencing level" in why()
    assert "no fencing level" in why(('target="compute-1"', "ipmi,nova"))


@pytest.mark.parametrize("devices", ["nova", "nova,ipmi"])
def test_recorded_before_the_power_is_cut(devices):
    """A level in which nothing comes before fence_compute may leave the power on."""
    assert "no power device before" in why(('target="compute-0"', devices))


def test_one_bad_level_is_enough():
    """Pacemaker falls back to later levels, so each of them must be in order."""
    assert "no power device before" in why(
        ('target="compute-0"', "ipmi,nova"), ('target="compute-0"', "nova")
    )


def test_level_without_recorder():
    """A level without fence_compute is not its business."""
    assert why(('target="compute-0"', "ipmi,nova"), ('target="compute-0"', "ipmi")) is None
