# SPDX-License-Identifier: Apache-2.0
"""A real Nova in one process: nova-api, conductor, scheduler, several nova-computes, and Placement.

`client.EmbeddedNova` starts the process (`__main__`) and talks to it. Inside of it, nothing of Nova's own
logic is changed. What surrounds Nova is small and ours: `standins` for Keystone, Glance and Neutron,
`hypervisor` below nova-compute, sqlite files and an in-memory message bus. No root, no network beyond
loopback.
"""
