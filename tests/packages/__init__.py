# SPDX-License-Identifier: Apache-2.0
"""The packages, built from this checkout and installed into throw-away roots."""
