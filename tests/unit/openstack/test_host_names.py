# SPDX-License-Identifier: Apache-2.0
"""Which of Nova's hosts a Pacemaker node is."""

from __future__ import annotations

import pytest

from nova_ha.errors import HostNameError
from nova_ha.openstack.host_names import nova_host


@pytest.mark.parametrize(
    ("node", "hosts", "host"),
    [
        ("c1", ["c1", "c10", "c1.a.example"], "c1"),
        ("c1", ["c1.a.example", "c10.a.example"], "c1.a.example"),
        ("c1.a.example", ["c1", "c2"], "c1"),
        ("C1", ["c1.a.example"], "c1.a.example"),
    ],
)
def test_fitting_host_is_found(node, hosts, host):
    """The same name wins; else the only host with the same short name."""
    assert host == nova_host(node, hosts)


@pytest.mark.parametrize(
    ("node", "hosts", "reason"),
    [
        ("c1", [], "none of Nova's 0 hosts"),
        ("c9", ["c1", "c2", "c3", "c4"], r"none of Nova's 4 hosts \(c1, c2, c3, ...\)"),
        ("c1", ["c1.a.example", "c1.b.example"], "any of Nova's hosts c1.a.example, c1.b.example"),
        ("c1.b.example", ["c1.a.example"], "none of Nova's 1 hosts"),
        ("c", ["c1"], "none of Nova's 1 hosts"),
    ],
)
def test_nothing_is_guessed(node, hosts, reason):
    """No host, or several, is an error that says which there are."""
    with pytest.raises(HostNameError, match=reason):
        nova_host(node, hosts)


@pytest.mark.parametrize("domain", ["b.example", ".b.example"])
def test_domain_decides(domain):
    """The suffix that an old configuration gives decides between hosts of the same short name."""
    assert "c1.b.example" == nova_host("c1", ["c1.a.example", "c1.b.example"], domain)
