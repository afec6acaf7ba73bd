# SPDX-License-Identifier: Apache-2.0
"""Corosync, Pacemaker and fencing hardware of the lab."""
