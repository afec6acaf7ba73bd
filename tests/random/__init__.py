# SPDX-License-Identifier: Apache-2.0
"""Clouds, faults and schedules that nobody has thought of."""
