# SPDX-License-Identifier: Apache-2.0
"""The fence agent fence_compute, but for the library of the fence agents."""
