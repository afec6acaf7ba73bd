# SPDX-License-Identifier: Apache-2.0
"""The programs that options belong to, and the sets of them that share many options."""

from __future__ import annotations

FENCE, EVACUATE, COMPUTE, COMMAND = "fence_compute", "NovaEvacuate", "NovaCompute", "nova-ha"
PROGRAMS = (FENCE, EVACUATE, COMPUTE, COMMAND)

#: Talk to Nova with credentials, and run the evacuator's loop: fence_compute does so with record_only=0.
CLOUD = frozenset({FENCE, EVACUATE, COMMAND})
#: NovaCompute needs no credentials (rule R6) but accepts what its predecessor required.
ALL = frozenset(PROGRAMS)
