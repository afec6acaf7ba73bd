# SPDX-License-Identifier: Apache-2.0
"""The evacuator: it observes, has decided, and acts, until nothing changes."""
