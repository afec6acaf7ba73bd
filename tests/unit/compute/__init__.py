# SPDX-License-Identifier: Apache-2.0
"""nova-compute on its node, with stand-ins for what runs it."""
