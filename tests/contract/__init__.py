# SPDX-License-Identifier: Apache-2.0
"""What Nova promises to nova-ha: asked of a real Nova and of the simulated one, which must answer alike."""
