# SPDX-License-Identifier: Apache-2.0
"""Options and their values."""
