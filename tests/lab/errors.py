# SPDX-License-Identifier: Apache-2.0
"""The one exception a person who uses the lab has to know."""

from __future__ import annotations


class LabError(Exception):
    """Say in one line what went wrong in the lab and what to do about it."""
