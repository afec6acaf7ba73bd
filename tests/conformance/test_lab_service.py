# SPDX-License-Identifier: Apache-2.0
"""What other programs say about ocf:lab:Service, the lab's stand-in for a service of a compute node."""

from __future__ import annotations

import subprocess

import pytest

from tests.conformance.installed import CHECKOUT
from tests.conformance.test_ocf_agents import DTD, SCHEMAS

pytestmark = pytest.mark.conformance

AGENT = str(CHECKOUT / "tests/lab/cluster/Service")
UNIMPLEMENTED, CONFIGURED = 3, 6


def call(action, **environ):
    """Call the agent as Pacemaker does, with these parameters and no others."""
    environ = {f"OCF_RESKEY_{name}": value for name, value in environ.items()}
    return subprocess.run([AGENT, action], env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("check", [("--relaxng", schema) for schema in SCHEMAS] + [("--dtdvalid", DTD)])
def test_metadata(tmp_path, check):
    """The metadata is valid by everybody's schema."""
    path = tmp_path / "metadata.xml"
    path.write_text(call("meta-data").stdout, encoding="utf-8")
    command = ["/usr/bin/xmllint", "--noout", "--nonet", *check, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stdout)


def test_refusals():
    """Without the name of a service, or for an unknown action, it says so with OCF's own codes."""
    nameless = call("start")
    assert CONFIGURED == nameless.returncode
    assert "ocf-exit-reason:service is not set: give the name of the service\n" == nameless.stderr
    assert UNIMPLEMENTED == call("promote", service="libvirtd").returncode
