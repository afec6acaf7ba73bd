# SPDX-License-Identifier: Apache-2.0
"""What is to be done, decided from what was seen and from nothing else: no module here has an effect."""
