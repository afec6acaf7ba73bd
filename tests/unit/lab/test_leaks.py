# SPDX-License-Identifier: Apache-2.0
"""The search for secrets in the processes of a lab's nodes hides nothing but nodes that are off."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.errors import LabError
from tests.lab.leaks import SECRETS, leaks


@pytest.fixture
def lab(mocker: Any, tmp_path: Any) -> Any:
    """Return a lab with one node, which is on when it is looked for and then does not answer once."""
    lab = mocker.Mock(nodes=["compute-0"], logs=tmp_path)
    lab.disk.return_value = tmp_path
    lab.conditions.side_effect = [{"compute-0": "on"}, {"compute-0": "off"}]
    lab.run.side_effect = [LabError("node 'compute-0' is off"), mocker.Mock(stdout=SECRETS[0].decode())]
    return lab


def test_a_node_that_goes_off_has_no_processes(lab: Any) -> None:
    """A node that loses its power between the two questions tells nothing."""
    assert [] == leaks(lab)


def test_a_node_that_is_back_is_asked_again(lab: Any) -> None:
    """A node that was off for a moment is searched."""
    lab.conditions.side_effect = [{"compute-0": "on"}] * 2
    assert ["processes on compute-0"] == leaks(lab)


def test_a_node_that_is_on_must_answer(lab: Any) -> None:
    """What a node that is on does not say is no proof."""
    lab.conditions.side_effect = [{"compute-0": "on"}] * 2
    lab.run.side_effect = LabError("'sh' on compute-0 did not end within 60 s")
    with pytest.raises(LabError, match="did not end"):
        leaks(lab)
