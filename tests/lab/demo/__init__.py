# SPDX-License-Identifier: Apache-2.0
"""A compute node dies in front of your eyes, and its servers come back: `python -m tests.lab.demo`."""
