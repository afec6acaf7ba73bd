# SPDX-License-Identifier: Apache-2.0
"""Nova and Keystone, and what it takes to be let in."""
