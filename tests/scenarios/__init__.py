# SPDX-License-Identifier: Apache-2.0
"""Whole stories, each with the log that it must give."""
