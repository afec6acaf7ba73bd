# SPDX-License-Identifier: Apache-2.0
"""The command ``nova-ha``, also without its script: ``python3 -m nova_ha``."""

from __future__ import annotations

from nova_ha.command import entry

if __name__ == "__main__":
    entry()
