# SPDX-License-Identifier: Apache-2.0
"""The password may be what a command prints; of that nothing is ever shown."""

from __future__ import annotations

import pytest

from tests.unit.openstack.test_credentials import PASSWORD, identity_sent, refusal

pytestmark = [pytest.mark.real_subprocess, pytest.mark.real_time]


def test_password_script():
    """The password may be what a command prints."""
    settings = {**PASSWORD, "password": None, "password_script": "echo from-script"}
    assert "from-script" == identity_sent(settings)["identity"]["password"]["user"]["password"]


def test_password_script_that_fails():
    """A command that fails is named with its complaint."""
    settings = {**PASSWORD, "password": None, "password_script": "echo no vault >&2; exit 3"}
    assert "password_script: exit status 3: no vault" == refusal(settings)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("exit 3", "exit status 3: no word about it on its standard error"),
        ("echo no vault >&2; exit 3", "exit status 3: no vault"),
    ],
)
def test_password_script_that_fails_after_the_password(end, expected):
    """What a command has printed before it failed may be the password, and is never told."""
    settings = {**PASSWORD, "password": None, "password_script": f"echo from-script; {end}"}
    assert f"password_script: {expected}" == refusal(settings)


def test_password_script_that_prints_nothing():
    """A command that prints nothing is named as the cause, not the password that it ought to print."""
    settings = {**PASSWORD, "password": None, "password_script": "true"}
    assert "password_script: it printed nothing; what it prints must be the password" == refusal(settings)
