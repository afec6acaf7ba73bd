# SPDX-License-Identifier: Apache-2.0
"""What other programs say about the agents."""
