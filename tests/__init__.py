# SPDX-License-Identifier: Apache-2.0
"""The tests of nova-ha, from pure decisions up to a cloud on one machine."""
