# SPDX-License-Identifier: Apache-2.0
"""The OpenStack half of the lab: a real control plane, a hypervisor driver with real guests, and an auditor."""
