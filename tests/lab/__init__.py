# SPDX-License-Identifier: Apache-2.0
"""A whole cloud on one machine: real Pacemaker, real fencing, real Nova, in nested namespaces (see README.md)."""
