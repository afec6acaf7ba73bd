# SPDX-License-Identifier: Apache-2.0
"""A hypervisor for Nova whose guests are real processes; importable as nova.virt.hypervisor too."""
