# SPDX-License-Identifier: Apache-2.0
"""What is read from Pacemaker, with samples of several versions."""
