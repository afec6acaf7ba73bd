# SPDX-License-Identifier: Apache-2.0
"""Which way nova-compute is run when the admin has left it open, or has not."""

from __future__ import annotations

import pytest

from nova_ha.compute import run_as, units
from nova_ha.compute.plain_process import PlainProcess
from nova_ha.compute.run_as import Way
from nova_ha.settings import option_table

DEBIAN, RDO = units.KNOWN


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Give a machine that systemd runs; it returns how nova-compute is run there."""
    for name in ("booted", "etc", "lib"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(units, "BOOTED", str(tmp_path / "booted"))
    monkeypatch.setattr(units, "FOLDERS", [str(tmp_path / "etc"), str(tmp_path / "lib")])
    monkeypatch.setattr(run_as, "_BINARY", str(tmp_path / "nova-compute"))
    monkeypatch.setenv("NOVA_HA_RUN", str(tmp_path / "run"))
    return tmp_path


def way(**parameters):
    """Return how a resource with these parameters is run."""
    return Way({f"OCF_RESKEY_{name}": text for name, text in parameters.items()}, "nova-compute")


def test_choices():
    """The parameter has the words that mean something."""
    (option,) = (option for option in option_table.OPTIONS if option.name == "run_as")
    assert run_as.CHOICES == option.choices


@pytest.mark.parametrize(
    ("found", "parameters", "chosen"),
    [
        ([DEBIAN], {}, ("systemd", DEBIAN)),
        ([RDO], {}, ("systemd", RDO)),
        ([RDO], {"run_as": "systemd"}, ("systemd", RDO)),
        ([], {"run_as": "systemd"}, ("systemd", DEBIAN)),
        ([], {"unit": "nova-mine"}, ("systemd", "nova-mine.service")),
        ([DEBIAN], {"unit": "nova-mine.service"}, ("systemd", "nova-mine.service")),
        ([DEBIAN], {"binary": "/opt/nova/bin/nova-compute"}, ("process", "")),
        ([DEBIAN], {"additional_parameters": "--debug"}, ("process", "")),
        ([DEBIAN], {"run_as": "process"}, ("process", "")),
        ([DEBIAN, RDO], {}, ("process", "")),
        ([], {}, ("process", "")),
        ([DEBIAN], {"run_as": "podman"}, ("podman", "nova_compute")),
        ([], {"run_as": "Docker", "container": "n"}, ("docker", "n")),
    ],
)
def test_choice(machine, found, parameters, chosen):
    """A unit is chosen where it is clear which one; a container is never chosen by itself."""
    for unit in found:
        (machine / "lib" / unit).touch()
    assert chosen == way(**parameters).chosen()


def test_machine_without_systemd(machine):
    """Where systemd is not process 1, a unit that is installed runs nothing."""
    (machine / "lib" / DEBIAN).touch()
    (machine / "booted").rmdir()
    assert ("process", "") == way().chosen()


def test_two_names_of_one_unit(machine):
    """An alias is no second unit."""
    (machine / "lib" / DEBIAN).touch()
    (machine / "etc" / RDO).symlink_to(machine / "lib" / DEBIAN)
    assert ("systemd", DEBIAN) == way().chosen()


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ([DEBIAN, RDO], f"run_as=auto: there are {DEBIAN} and {RDO} on this node; set unit"),
        ([], f"run_as=auto: neither {DEBIAN} nor {RDO} nor "),
    ],
)
def test_nothing_to_choose(machine, found, line):
    """When it is unclear what to start, the line names the parameter."""
    for unit in found:
        (machine / "lib" / unit).touch()
    assert way().why_none().startswith(line)
    assert way(run_as="process").why_none() is None
    assert way(unit="x").why_none() is None


def test_something_to_choose(machine):
    """One unit, or the program, is enough."""
    (machine / "nova-compute").touch(0o755)
    assert way().why_none() is None
    (machine / "nova-compute").unlink()
    (machine / "lib" / RDO).touch()
    assert way().why_none() is None


def test_what_was_started_is_remembered(machine):
    """Until it is stopped it is known how nova-compute was started."""
    assert way().remembered() is None
    way().remember(("systemd", DEBIAN))
    assert ("systemd", DEBIAN) == way().remembered()
    way().remember(("process", ""))
    assert ("process", "") == way().remembered()
    assert isinstance(way().service(("process", "")), PlainProcess)
    way().forget()
    way().forget()
    assert way().remembered() is None
