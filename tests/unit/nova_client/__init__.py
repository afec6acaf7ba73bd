# SPDX-License-Identifier: Apache-2.0
"""NovaClient against a cloud inside of the process."""
