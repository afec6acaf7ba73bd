# SPDX-License-Identifier: Apache-2.0
"""Every option of every program, and how its text becomes a value."""
