# SPDX-License-Identifier: Apache-2.0
"""The simulation has the traps that it is there for."""
