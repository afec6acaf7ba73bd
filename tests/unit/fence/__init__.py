# SPDX-License-Identifier: Apache-2.0
"""Decisions and what they stand on."""
