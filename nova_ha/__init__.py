# SPDX-License-Identifier: Apache-2.0
"""Recover the servers of a dead OpenStack compute node, exactly once, with Pacemaker."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
