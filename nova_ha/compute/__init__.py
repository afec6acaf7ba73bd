# SPDX-License-Identifier: Apache-2.0
"""nova-compute on its node: run, watched, and kept down while a recovery is open."""
