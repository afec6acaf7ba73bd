# SPDX-License-Identifier: Apache-2.0
"""What nova-ha costs: requests, CPU time, memory and time, each against a goal (``make bench``)."""
