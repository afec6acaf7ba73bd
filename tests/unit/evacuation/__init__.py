# SPDX-License-Identifier: Apache-2.0
"""What the evacuator remembers, sends and hears."""
