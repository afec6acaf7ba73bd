# SPDX-License-Identifier: Apache-2.0
"""The OpenStack half of the lab: control plane, hypervisor driver with real guests, auditor."""
