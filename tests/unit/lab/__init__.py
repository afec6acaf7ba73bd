# SPDX-License-Identifier: Apache-2.0
"""The lab's own judgement and formats, without a lab."""
