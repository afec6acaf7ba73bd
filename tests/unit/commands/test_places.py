# SPDX-License-Identifier: Apache-2.0
"""Location constraints in every spelling: where a resource must not run."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from nova_ha.commands.configuration import Configuration, seconds
from nova_ha.commands.places import is_banned

CIB = """
<cib><configuration>
  <crm_config><cluster_property_set id="o">{properties}</cluster_property_set></crm_config>
  <nodes><node id="1" uname="compute-0" type="remote"><instance_attributes id="i">
    <nvpair id="r" name="osprole" value="compute"/><nvpair id="n" name="rack" value="7"/>
  </instance_attributes></node></nodes>
  <resources>
    <template id="T" class="ocf" provider="openstack" type="NovaEvacuate">
      <meta_attributes id="tm"><nvpair id="tm1" name="target-role" value="Stopped"/></meta_attributes>
      <operations><op id="t1" name="stop" interval="0" timeout="2min"/></operations>
    </template>
    <clone id="E-clone"><meta_attributes id="cm"><nvpair id="cm1" name="target-role" value="Started"/>
    </meta_attributes><group id="G"><primitive id="E" template="T">
      <operations><op id="o1" name="start" interval="0" timeout="90"/></operations>
    </primitive></group></clone>
  </resources>
  <constraints>{constraints}</constraints>
</configuration><status/></cib>
"""
SET = """<rsc_location id="l" node="compute-0" score="-INFINITY">
  <resource_set id="s"><resource_ref id="E"/></resource_set></rsc_location>"""
RULE = '<rsc_location id="l" rsc="E"><rule id="r" score="-INFINITY"{more}>{parts}</rule></rsc_location>'


def configured(constraints="", properties=""):
    """Return a configuration with one resource, E."""
    return Configuration(ET.fromstring(CIB.format(constraints=constraints, properties=properties)))


def banned(constraints, properties="", **different):
    """Say whether E is kept off compute-0."""
    configuration = configured(constraints, properties)
    options = {"is_remote": True, **different}
    return is_banned(configuration, configuration.resource("E"), "compute-0", **options)


def expression(operation, attribute="osprole", value="compute"):
    """Return a part of a rule."""
    what = f'attribute="{attribute}" operation="{operation}" value="{value}"'
    return f'<expression id="e-{operation}-{attribute}" {what}/>'


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("", False),
        ('<rsc_location id="l" rsc="E" node="compute-0" score="-INFINITY"/>', True),
        ('<rsc_location id="l" rsc="E" node="compute-0" score="-infinity"/>', True),
        ('<rsc_location id="l" rsc="E" node="compute-0" score="-100"/>', False),
        ('<rsc_location id="l" rsc="E" node="compute-1" score="-INFINITY"/>', False),
        ('<rsc_location id="l" rsc="other" node="compute-0" score="-INFINITY"/>', False),
        ('<rsc_location id="l" rsc="E-clone" node="compute-0" score="-INFINITY"/>', True),
        ('<rsc_location id="l" rsc="G" node="compute-0" score="-INFINITY"/>', True),
        ('<rsc_location id="l" rsc-pattern="^E" node="compute-0" score="-INFINITY"/>', True),
        ('<rsc_location id="l" rsc-pattern="!^[EG]" node="compute-0" score="-INFINITY"/>', False),
        (
            SET,
            True,
        ),
    ],
)
def test_whom_a_constraint_is_about(constraint, expected):
    """A constraint names a resource, what is around it, a pattern or a set; only -INFINITY keeps it off."""
    assert expected == banned(constraint)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (expression("eq"), True),
        (expression("ne"), False),
        (expression("ne", "nothing"), True),
        (expression("eq", "nothing"), False),
        (expression("defined", "rack"), True),
        (expression("not_defined", "rack"), False),
        (expression("lt", "rack", "8") + expression("gte", "rack", "7"), True),
        (expression("gt", "rack", "7"), False),
        (expression("lte", "nothing", "7"), False),
        (expression("eq", "#kind", "remote"), True),
        (expression("eq", "#uname", "compute-0"), True),
        (expression("eq") + expression("not_defined", "rack"), False),
        (f'<rule id="i" boolean-op="or">{expression("ne")}{expression("defined", "rack")}</rule>', True),
        ('<date_expression id="d" operation="gt" start="2026-01-01"/>', False),
        ("", False),
    ],
)
def test_rules(parts, expected):
    """A rule holds as Pacemaker says; what is about times counts as not."""
    assert expected == banned(RULE.format(more="", parts=parts))


def test_either_part():
    """With boolean-op="or" one part is enough."""
    parts = expression("ne") + expression("defined", "rack")
    assert banned(RULE.format(more=' boolean-op="or"', parts=parts))


def test_supposed_attributes():
    """A node may be looked at with attributes that it does not have now, or without those that it has."""
    rule = RULE.format(more="", parts=expression("defined", "x") + expression("not_defined", "rack"))
    assert not banned(rule)
    assert banned(rule, extra={"x": "1", "rack": None})


def test_opt_in_cluster():
    """In an asymmetric cluster a resource runs only where a constraint lets it."""
    opt_in = '<nvpair id="s" name="symmetric-cluster" value="false"/>'
    assert banned("", opt_in)
    assert not banned('<rsc_location id="l" rsc="E" node="compute-0" score="0"/>', opt_in)


def test_what_surrounds_a_resource():
    """A resource has its agent and time limits from its template, and the nearest word about its role."""
    resource = configured().resource("E")
    assert ("ocf:openstack:NovaEvacuate", ("G", "E-clone"), True) == (
        resource.agent, resource.parents, resource.is_clone,
    )  # fmt: skip
    assert not resource.is_disabled
    assert (90.0, 120.0, 20.0) == tuple(resource.timeout(name) for name in ("start", "stop", "monitor"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20", 20.0),
        ("20s", 20.0),
        ("2min", 120.0),
        ("1h", 3600.0),
        ("500ms", 0.5),
        ("PT20S", None),
        ("", None),
    ],
)
def test_durations(text, expected):
    """Durations are read as Pacemaker writes them; another form is unknown, and no reason for a finding."""
    assert expected == seconds(text)
