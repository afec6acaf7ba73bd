# SPDX-License-Identifier: Apache-2.0
r"""A simulated data centre for tests and rehearsals: no network, no waiting, the same run every time.

    world = SimulatedWorld()
    world.add_host("compute-0")
    world.add_host("compute-1")
    world.cloud.add_server("web-1", "compute-0")
    world.machines.switch_off("compute-0", "power cut")
    world.run(60)
    print(world.log.text(), *world.summary(), sep="\n")

`SimulatedNova` and `SimulatedCluster` are the ports that the product sees; `SimulatedWorld` ties them to
hosts with power, guests that are counted, and Pacemaker's fencing. `nova_ha.testing.scenario` runs whole
stories from files.
"""

from nova_ha.testing.clock import VirtualClock
from nova_ha.testing.cluster import SimulatedCluster
from nova_ha.testing.nova import SimulatedNova
from nova_ha.testing.world import SimulatedWorld

__all__ = ["SimulatedCluster", "SimulatedNova", "SimulatedWorld", "VirtualClock"]
