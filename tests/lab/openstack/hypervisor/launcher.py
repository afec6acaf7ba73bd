# SPDX-License-Identifier: Apache-2.0
"""Start nova-compute with the lab's hypervisor driver; runs on the interpreter of the virtual environment."""

from __future__ import annotations

import sys


def main(drivers: str) -> int:
    """Run nova-compute; `drivers` is the folder whose packages become drivers of Nova."""
    # Before anything else of Nova: it decides between threads and eventlet for good.
    from nova import monkey_patch

    monkey_patch.patch(backend="threading")
    import nova.virt
    from nova.cmd import compute
    from nova.scheduler.client import report

    # Nova loads its driver from below nova.virt only.
    nova.virt.__path__.append(drivers)
    # Nova >= 33 asks Placement for the allocations of all of the node's instances at each claim, in case
    # the driver reshapes its inventory. This one never does; without the requests a boot costs a third less.
    report.SchedulerReportClient.get_allocations_for_provider_tree = lambda *_args, **_kwargs: {}
    sys.argv[0] = "nova-compute"
    return int(compute.main() or 0)
