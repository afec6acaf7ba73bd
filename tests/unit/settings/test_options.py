# SPDX-License-Identifier: Apache-2.0
"""What an admin writes becomes typed values, old names included; what means nothing is refused by name."""

from __future__ import annotations

import pytest

from nova_ha.errors import ConfigurationError
from nova_ha.settings.options import (
    COMPUTE,
    EVACUATE,
    FENCE,
    OPTIONS,
    PROGRAMS,
    for_program,
    resolve,
    unknown_names,
)

#: Parameters of the agents that nova-ha replaces (openstack-resource-agents, fence-agents).
OLD_NAMES = {
    FENCE: (
        "auth_url auth-url login username passwd password passwd_script password_script tenant_name "
        "tenant-name user-domain project-domain endpoint_type endpoint-type region_name region-name insecure "
        "domain compute-domain record_only record-only instance_filtering no_shared_storage port plug"
    ),
    EVACUATE: (
        "auth_url username password tenant_name user_domain project_domain domain endpoint_type region_name "
        "insecure no_shared_storage verbose debug_file evacuate_delay"
    ),
    COMPUTE: (
        "auth_url username password tenant_name domain endpoint_type region_name insecure no_shared_storage "
        "evacuation_delay verbose debug_file"
    ),
}


@pytest.mark.parametrize("program", OLD_NAMES)
def test_old_names_are_known(program):
    """Every parameter of a replaced agent is accepted by the one that replaces it."""
    assert () == unknown_names(program, dict.fromkeys(OLD_NAMES[program].split(), "1"))


def test_unknown_names_are_found():
    """A mistyped name is no option."""
    assert ("auth_ulr",) == unknown_names(FENCE, {"auth_ulr": "x", "auth_url": "y"})


def test_names_are_unique():
    """No name or alias belongs to two options, and no letter to two options of a program."""
    names = [name for option in OPTIONS for name in (option.name, *option.aliases)]
    assert sorted(set(names)) == sorted(names)
    for program in PROGRAMS:
        letters = [option.short for option in for_program(program) if option.short]
        assert sorted(set(letters)) == sorted(letters)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_default_is_a_valid_value(option):
    """Each default means something, and each option has a summary and whole sentences about it."""
    option.parse(option.default or "")
    assert not option.summary.endswith(".")
    assert option.description.endswith(".")
    assert option.used_by <= set(PROGRAMS)


@pytest.mark.parametrize(
    ("text", "value"),
    [(t, True) for t in ["1", "yes", "on", "true", "True"]] + [(t, False) for t in ["0", "no", "Off"]],
)
def test_booleans(text, value):
    """A yes or no may be written in every usual way."""
    assert value is resolve(FENCE, {"insecure": text}, {})["insecure"]


@pytest.mark.parametrize(("text", "seconds"), [("90", 90.0), ("90s", 90.0), ("2min", 120.0), ("1500ms", 1.5)])
def test_durations(text, seconds):
    """A duration may have a unit."""
    assert seconds == resolve(EVACUATE, {"api_timeout": text}, {})["api_timeout"]


@pytest.mark.parametrize("text", ["publicURL", "PUBLICURL", "public", "Public"])
def test_interfaces(text):
    """An interface may be written as novaclient does, and in upper case as fencing's library makes it."""
    assert "public" == resolve(FENCE, {"endpoint_type": text}, {})["interface"]


@pytest.mark.parametrize(
    ("name", "text", "fix"),
    [
        ("insecure", "maybe", "use true or false"),
        ("max_in_flight", "-1", "whole number of at least 1"),
        ("max_in_flight", "0", "whole number of at least 1"),
        ("threshold", "two", "whole number"),
        ("api_timeout", "soon", "write seconds"),
        ("api_timeout", "0", "at least 1 seconds"),
        ("endpoint_type", "privateURL", "internal, public, admin"),
        ("record_only", "2", "servers were lost"),
        ("record-only", "Disabled", "servers were lost"),
    ],
)
def test_bad_values_are_refused(name, text, fix):
    """A value that means nothing is refused with the option's name, the value and what to write instead."""
    with pytest.raises(ConfigurationError) as caught:
        resolve(FENCE, {name: text}, {})
    assert str(caught.value).startswith(f"{name.replace('-', '_')}={text}: ")
    assert fix in str(caught.value)


def test_names_that_contradict_each_other():
    """Two names of one option with different values are refused; with the same value they are fine."""
    with pytest.raises(ConfigurationError, match="project_name and tenant_name mean the same"):
        resolve(FENCE, {"tenant_name": "a", "project_name": "b"}, {})
    assert "a" == resolve(FENCE, {"tenant_name": "a", "project_name": "a"}, {})["project_name"]


def test_no_shared_storage_is_the_opposite():
    """The old flag for local disks switches shared_storage off, and "false" leaves it on."""
    assert resolve(FENCE, {"no_shared_storage": "false"}, {})["shared_storage"] is True
    assert resolve(FENCE, {"no_shared_storage": "1"}, {})["shared_storage"] is False


def test_empty_means_default():
    """An empty value, which old configurations have, counts as none."""
    assert (
        resolve(FENCE, {"endpoint_type": "", "api_timeout": " "}, {"OS_INTERFACE": "admin"})["interface"]
        == "admin"
    )
    assert 30.0 == resolve(FENCE, {"api_timeout": " "}, {})["api_timeout"]


def test_environment_is_a_fallback():
    """A variable counts when nothing else says, and an option outranks it."""
    environ = {"OS_AUTH_URL": "http://env", "OS_USERNAME": "env"}
    settings = resolve(FENCE, {"username": "given"}, environ)
    assert ("http://env", "given") == (settings["auth_url"], settings["username"])


@pytest.mark.parametrize("given", [{"cloud": "lab"}, {}])
def test_environment_does_not_mend_a_cloud(given):
    """The credentials of a cloud of clouds.yaml are not mixed with those of the environment."""
    settings = resolve(
        FENCE, given, {"OS_CLOUD": "lab", "OS_PASSWORD": "env", "OS_CLIENT_CONFIG_FILE": "/c.yaml"}
    )
    assert ("lab", None, "/c.yaml") == (settings["cloud"], settings["password"], settings["clouds_yaml"])


def test_cloud_of_the_environment_yields_to_a_url():
    """Whoever gives a URL does not mean the cloud that the environment names."""
    settings = resolve(FENCE, {"auth_url": "http://x"}, {"OS_CLOUD": "lab", "OS_PASSWORD": "env"})
    assert (None, "env") == (settings["cloud"], settings["password"])


def test_compute_node_has_no_secret_of_its_own():
    """NovaCompute accepts its predecessor's credentials only, and says that it ignores them."""
    cloud = [o for o in for_program(COMPUTE) if o.environment and o.environment.startswith("OS_")]
    assert cloud
    assert all("ignores" in option.description for option in cloud)
    assert "application_credential_secret" not in resolve(COMPUTE, {}, {})
