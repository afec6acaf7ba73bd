# SPDX-License-Identifier: Apache-2.0
"""The files of the lab's cloud say what the lab promises."""

from __future__ import annotations

import configparser
import json
from pathlib import Path

import pytest
import yaml

from tests.lab.openstack import names, tables
from tests.lab.openstack.audit_status import AuditStatus, read_status, write_status
from tests.lab.openstack.client import Server
from tests.lab.openstack.config import nova_compute, write_ini
from tests.lab.openstack.hypervisor.control import CONTROL_FILE
from tests.lab.openstack.judgement import Finding, Kind
from tests.lab.openstack.neutron_standin import answer
from tests.lab.openstack.nodes import NodeFiles


@pytest.fixture
def nodes(tmp_path: Path) -> NodeFiles:
    """Return the writer of the nodes' files, with a run folder that has the cloud's authority only."""
    written = NodeFiles(tmp_path, Path("/cache/venv"))
    written.authority.parent.mkdir(parents=True)
    written.authority.write_text("-----BEGIN CERTIFICATE-----")
    return written


def test_a_compute_node_has_its_name_and_no_database(nodes: NodeFiles, tmp_path: Path) -> None:
    """nova-compute refuses to run with a database, and must not know its password."""
    nodes.configure("compute-1")
    path = tmp_path / "nodes" / "compute-1" / "disk" / "etc" / "nova" / "nova.conf"
    parser = configparser.RawConfigParser(default_section="none")
    parser.read(path)
    assert parser["DEFAULT"]["host"] == "compute-1"
    assert parser["DEFAULT"]["my_ip"] == "10.77.0.101"
    assert names.DATABASE_PASSWORD not in path.read_text()
    assert names.ADMIN["password"] not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_controller_knows_the_cloud(nodes: NodeFiles, tmp_path: Path) -> None:
    """The product finds cloud `lab` in a file that root alone can read, and the authority beside it."""
    nodes.configure("controller-0")
    disk = tmp_path / "nodes" / "controller-0" / "disk"
    path = disk / "etc" / "nova-ha" / "clouds.yaml"
    cloud = yaml.safe_load(path.read_text())["clouds"]["lab"]
    assert cloud["auth"]["auth_url"].startswith("https://")
    assert (disk / cloud["cacert"].lstrip("/")).read_bytes() == nodes.authority.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_nodes_get_an_executable_nova_compute(nodes: NodeFiles, tmp_path: Path) -> None:
    """It runs on the interpreter of the virtual environment, and is valid Python."""
    nodes.shared_files()
    executable = tmp_path / "overlay" / "bin" / "nova-compute"
    text = executable.read_text()
    compile(text, str(executable), "exec")
    assert text.startswith("#!/cache/venv/bin/python\n")
    assert executable.stat().st_mode & 0o111
    assert json.loads((tmp_path / "shared" / CONTROL_FILE).read_text())["spawn_seconds"] == 2.0


def test_passwords_with_percent_signs_are_kept(tmp_path: Path) -> None:
    """oslo.config does not interpolate, and neither does the writer."""
    write_ini(tmp_path / "a.conf", {"database": {"connection": "mysql://a:50%@b/c"}})
    assert "connection = mysql://a:50%@b/c" in (tmp_path / "a.conf").read_text()


def test_every_node_of_the_lab_shares_one_configuration() -> None:
    """Two nodes differ in name and address only."""
    one, two = (nova_compute(f"compute-{i}", f"10.77.0.10{i}", Path("/shared")) for i in range(2))
    differing = {name for name in one["DEFAULT"] if one["DEFAULT"][name] != two["DEFAULT"][name]}
    assert differing == {"host", "my_ip"}


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/v2.0/ports?device_id=1", 200, {"ports": []}),
        ("/v2.0/security-groups.json", 200, {"security_groups": []}),
        ("/", 200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": []}]}),
    ],
)
def test_neutron_has_nothing(path: str, status: int, body: dict[str, object]) -> None:
    """What Nova asks is answered with empty collections."""
    assert answer(path) == (status, body)


def test_neutron_does_not_invent() -> None:
    """What the stand-in does not know is an error, so that Nova's log shows it."""
    assert answer("/v2.0/trunks")[0] == 404


def test_tables_show_absence_as_a_dash() -> None:
    """Columns are aligned, and nothing is shown as a dash."""
    shown = tables.servers_table([Server("u1", "vm-1", "ACTIVE", "", "compute-0", "running")])
    assert shown.splitlines() == [
        "ID  Name  Status  Task  Host       Power",
        "u1  vm-1  ACTIVE  -     compute-0  running",
    ]


def test_the_auditors_answer_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Findings survive the file; an auditor that never wrote is not clean."""
    assert not read_status(tmp_path).clean
    status = AuditStatus(5.0, 20, 19, 4.5, (Finding(Kind.LOST, "u1", 3.0, "gone"),))
    write_status(tmp_path, status)
    assert read_status(tmp_path) == status


def test_a_dead_auditor_is_not_clean() -> None:
    """Silence proves nothing."""
    assert not AuditStatus(time=1.0, nova_time=1.0).clean
