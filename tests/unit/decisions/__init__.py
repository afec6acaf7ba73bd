# SPDX-License-Identifier: Apache-2.0
"""What is decided, from what was seen."""
