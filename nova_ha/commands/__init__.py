# SPDX-License-Identifier: Apache-2.0
"""The subcommands of the command ``nova-ha``, one module each, and what they share."""
