# SPDX-License-Identifier: Apache-2.0
"""What one entry of Pacemaker's operation history (``lrm_rsc_op`` in the CIB) says."""

from __future__ import annotations

from xml.etree import ElementTree as ET

_SUCCESS = "0"


def call_id(operation: ET.Element) -> int:
    """Return the number of an operation in the order in which they were begun; -1 while it is pending."""
    return int(operation.get("call-id", "-1"))


def succeeded(operation: ET.Element) -> bool:
    """Say whether an operation ended with rc-code 0; one that is pending has another."""
    return operation.get("rc-code") == _SUCCESS
