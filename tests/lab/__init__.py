# SPDX-License-Identifier: Apache-2.0
"""A whole cloud on one machine: real Pacemaker, fencing and Nova in nested namespaces (see README.md)."""
