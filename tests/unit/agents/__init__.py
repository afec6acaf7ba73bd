# SPDX-License-Identifier: Apache-2.0
"""The OCF agents, and what they share."""
