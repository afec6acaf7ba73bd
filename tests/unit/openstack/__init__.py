# SPDX-License-Identifier: Apache-2.0
"""The client of Nova, and what it takes to be let in."""
