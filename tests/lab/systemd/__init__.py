# SPDX-License-Identifier: Apache-2.0
"""Nodes that run systemd: machines as a cluster admin gets them, without a cluster."""
