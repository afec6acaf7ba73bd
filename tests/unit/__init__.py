# SPDX-License-Identifier: Apache-2.0
"""Fast tests: no network, no other process, no waiting."""
