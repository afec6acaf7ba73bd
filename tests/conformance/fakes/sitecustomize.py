# SPDX-License-Identifier: Apache-2.0
"""Loaded by each Python that has this folder in its path: finds Pacemaker's tools where a test put them."""

from __future__ import annotations

import os

import nova_ha.runner

if "PCMK_FAKE" in os.environ:
    nova_ha.runner._PATH = os.environ["PCMK_FAKE"]
