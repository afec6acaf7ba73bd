# SPDX-License-Identifier: Apache-2.0
"""Who types what pcs-examples/README.md says on machines with systemd ends with a deployment that works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.lab import Lab
from tests.lab.layout import checkout
from tests.lab.systemd import site
from tests.lab.systemd.admin import Admin

pytestmark = pytest.mark.lab

README = checkout() / "pcs-examples" / "README.md"
CONTROLLERS = ("controller-0", "controller-1", "controller-2")
COMPUTES = ("compute-0", "compute-1")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("systemd") / "lab", controllers=3, computes=2, systemd=True) as running:
        site.hand_over(running)
        yield running


@pytest.fixture(scope="module")
def admin(lab: Lab) -> Admin:
    return Admin(lab, README)


def prepare(admin: Admin) -> None:
    """Follow the section about what comes before the first step."""
    admin.type("passwd hacluster", *CONTROLLERS, *COMPUTES, answer=f"{site.PASSWORD}\n" * 2)
    admin.type("pcs cluster destroy", *CONTROLLERS)
    admin.type("systemctl disable --now pacemaker_remote", *COMPUTES)
    admin.type(
        "pcs host auth controller-0 controller-1 controller-2 compute-0 compute-1 -u hacluster",
        "controller-0",
        answer=f"{site.PASSWORD}\n",
    )
    admin.type(
        "pcs cluster setup mycloud controller-0 controller-1 controller-2 --enable --start --wait",
        "controller-0",
    )
    admin.type("install -d -m 0700 /etc/nova-ha", *CONTROLLERS)
    admin.type("install -m 0600 clouds.yaml bmc-password /etc/nova-ha/", *CONTROLLERS)
    admin.type(
        "systemctl disable --now neutron-openvswitch-agent libvirtd ceilometer-agent-compute nova-compute",
        *COMPUTES,
    )
