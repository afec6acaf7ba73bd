#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Print the Debian packages that the lab needs, one a line."""

from __future__ import annotations

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.lab.prepare import APT_PACKAGES  # noqa: E402 (the checkout is on the path only now)

if __name__ == "__main__":
    print("\n".join(APT_PACKAGES))
