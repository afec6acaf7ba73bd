# SPDX-License-Identifier: Apache-2.0
"""Pacemaker's tools and the CIB, and what stands in for them where there is no Pacemaker."""
