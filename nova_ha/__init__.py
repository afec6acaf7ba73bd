# SPDX-License-Identifier: Apache-2.0
"""Recover the servers of a dead OpenStack compute node, exactly once, with Pacemaker.

`decisions` says what is to be done, and does nothing; `evacuation` observes, has it decided, and does it.
`openstack` and `pacemaker` are the doors to the two worlds, whose words are in `ports`, `model` and `record`.
`fence`, `agents` and `compute` are what Pacemaker calls, `commands` what an admin calls; `settings` are the
options of all. `testing` is a world to try everything in.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
