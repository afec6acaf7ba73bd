# SPDX-License-Identifier: Apache-2.0
"""What tests of recoveries wait for is not there as long as nobody has said so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lab import lab as lab_module
from tests.lab.deployment import running, service_of
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.recoveries import goal_of, has_reported, wait_for_reports

SINCE = "2026-11-22T22:00:00.500000"
COMPUTE = {"binary": "nova-compute", "host": "compute-0", "state": "up", "updated_at": None}
EARLIER = {**COMPUTE, "updated_at": "2026-11-22T22:00:00.000000"}
LATER = {**COMPUTE, "updated_at": "9026-11-22T22:00:01.000000"}
HISTORY = '<r><fence_event action="reboot" status="success" delegate="c" completed="t"/></r>'


def ask_thrice(_what: str, condition: Callable[[], Any], _timeout: float) -> Any:
    """Be `wait_until` without the time between; return None when it was in vain."""
    return condition() or condition() or condition()


@pytest.fixture
def lab(mocker: Any) -> Any:
    """Return a lab that is asked three times for everything."""
    return mocker.Mock(wait_until=mocker.Mock(side_effect=ask_thrice))


@pytest.mark.parametrize("service", [COMPUTE, EARLIER, {**LATER, "state": "down"}, {**LATER, "binary": "x"}])
def test_no_report(service: dict[str, Any]) -> None:
    """A heartbeat that was never, or before, or is of something else, is no report."""
    assert not has_reported(service, SINCE)
    assert has_reported(LATER, SINCE)


def test_reports_are_waited_for(lab: Any) -> None:
    """A Nova that does not answer, or not of every node, is asked again."""
    services = lab.openstack.client.services
    services.side_effect = [LabError("503"), [EARLIER], [LATER]]
    wait_for_reports(lab, ["compute-0"])
    assert 3 == services.call_count


def test_a_look_without_an_answer_is_repeated(lab: Any, mocker: Any) -> None:
    """Neither servers nor a service nor what runs is taken from an answer that did not come."""
    looks = mocker.patch("tests.lab.recoveries.Watch").return_value.servers
    looks.side_effect = [None, ("server",)]
    assert ("server",) == goal_of(lab, ["compute-0"]).servers
    service = mocker.Mock(host="compute-0")
    mocker.patch("tests.lab.deployment.Watch").return_value.services.side_effect = [None, (), (service,)]
    assert service is service_of(lab, "compute-0")
    lab.cluster_status.side_effect = [None, mocker.Mock(started={"libvirtd": frozenset({"compute-0"})})]
    assert {"libvirtd"} == running(lab, "compute-0")


def test_fencings_are_not_none_when_nobody_answers(tmp_path: Path, mocker: Any) -> None:
    """The history of fencings is asked for until a controller tells it."""
    mocker.patch.object(lab_module, "wait_until", ask_thrice)
    answers = [
        LabError("off"),
        mocker.Mock(returncode=102, stdout=""),
        mocker.Mock(returncode=0, stdout=HISTORY),
    ]
    mocker.patch.object(Lab, "run_on_controller", side_effect=answers)
    assert ["reboot by c at t"] == Lab(tmp_path).fencings("compute-0")
