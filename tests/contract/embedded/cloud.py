# SPDX-License-Identifier: Apache-2.0
"""Starts the parts of Nova in this process, and stops and starts single ones as a test asks."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.contract.embedded import database
from tests.contract.embedded.settings import Layout
from tests.contract.embedded.standins import StandIns
from tests.contract.embedded.web import Web

#: Seconds between heartbeats of conductor and scheduler.
_SELDOM = 20


class Cloud:
    """The whole embedded Nova; every public method can be called by the tests (`__main__`)."""

    def __init__(self, folder: Path, hosts: Sequence[str]) -> None:
        webs = {name: Web() for name in ("compute", "placement", "standins")}
        self._layout = Layout(folder, **{name: web.url for name, web in webs.items()})
        self._standins = StandIns(self._layout.endpoints())
        webs["standins"].serve(self._standins)
        self._layout.write()
        self._cell_door = database.prepare(self._layout)
        self._computes: dict[str, Any] = {}
        self._configure()
        self._start(webs, hosts)

    def _configure(self) -> None:
        from nova import objects
        from nova.api.openstack import wsgi_app
        from nova.servicegroup.drivers import db

        # 1 instead of 5: the first heartbeat of a nova-compute is what some tests wait for.
        db.api.INITIAL_REPORTING_DELAY = 1
        objects.register_all()
        wsgi_app.init_global_data([str(self._layout.folder / "etc" / "nova.conf")], "osapi_compute", "nova")
        database.create_schema(self._layout)
        from tests.contract.embedded import hypervisor, moments

        # nova-compute looks for drivers below nova.virt.
        sys.modules["nova.virt.contract"] = hypervisor
        self._guests = hypervisor.GUESTS
        self._moments = moments.MOMENTS
        moments.install()

    def _start(self, webs: dict[str, Web], hosts: Sequence[str]) -> None:
        from nova import context
        from nova.api.openstack import wsgi_app
        from nova.objects import host_mapping
        from nova.virt import node
        from placement import wsgi as placement_wsgi

        webs["placement"].serve(placement_wsgi.init_application())
        node.get_local_node_uuid()
        self._conductor = _start_service("nova-conductor", "conductor", "control")
        self._scheduler = _start_service("nova-scheduler", "scheduler", "control")
        for host in hosts:
            self.start_compute(host)
        host_mapping.discover_hosts(context.get_admin_context())
        webs["compute"].serve(wsgi_app.init_application("osapi_compute", "nova-api"))

    # --- what a test may ask for --------------------------------------------------------------------------

    def addresses(self) -> dict[str, str]:
        """Return the URLs that a client needs."""
        return {"auth_url": self._layout.auth_url, "compute": self._layout.compute}

    def start_compute(self, host: str) -> None:
        """Start a host's nova-compute, if it does not run."""
        from nova.compute import rpcapi

        if host not in self._computes:
            self._computes[host] = _start_service(
                "nova-compute", rpcapi.RPC_TOPIC, host, rpcapi.RPC_TOPIC_ALT
            )

    def kill_compute(self, host: str) -> None:
        """End a host's nova-compute as SIGKILL would, as far as threads can be ended; its guests go on."""
        service = self._computes.pop(host, None)
        if service is None:
            return
        self._moments.bury(service.manager.driver)
        service.rpcserver.stop()
        service.rpcserver_alt.stop()
        # A heartbeat under way is waited for: it would be written when the host is dead.
        service.tg.stop_timers(wait=True)
        service.tg.stop()

    def power_off(self, host: str) -> None:
        """Cut a host's power: nova-compute and every guest end."""
        self.kill_compute(host)
        self._guests.power_off(host)

    def let_heartbeat_be_old(self, host: str) -> None:
        """Let the last heartbeat of a nova-compute that was killed be a day ago."""
        path = self._layout.folder / "db" / "nova_cell1.sqlite"
        with sqlite3.connect(path, timeout=60) as connection:
            connection.execute(
                "UPDATE services SET last_seen_up = datetime(last_seen_up, '-1 day'),"
                " created_at = datetime(created_at, '-1 day') WHERE host = ?",
                (host,),
            )
        connection.close()

    def stop_conductor(self) -> None:
        """Let no message to the conductor be read, as when RabbitMQ does not deliver."""
        self._conductor.rpcserver.stop()
        self._conductor.rpcserver.wait()

    def start_conductor(self) -> None:
        """Let the conductor read what has waited for it."""
        self._conductor = _start_service("nova-conductor", "conductor", "control")

    def shut_cell(self, shut: bool) -> None:
        """Make the cell a down cell, or reachable again."""
        self._cell_door.is_shut = shut

    def revoke_tokens(self) -> None:
        """Let every token that Keystone gave to users be worth nothing."""
        self._standins.revoke()

    def hold(self, moment: str, server_id: str) -> None:
        """Let every evacuation of that server wait at one of `moments.NAMES`."""
        self._moments.plan_hold(moment, server_id)

    def release(self, moment: str, server_id: str) -> None:
        """Let what waits there go on."""
        self._moments.release(moment, server_id)

    def waiting(self, moment: str, server_id: str) -> int:
        """Return how many evacuations of that server wait there."""
        return self._moments.waiting(moment, server_id)

    def fail(self, moment: str, server_id: str) -> None:
        """Let every evacuation of that server fail at one of `moments.NAMES`."""
        self._moments.plan_failure(moment, server_id)

    def mend(self) -> None:
        """End all failures, holds and cuts."""
        self._moments.mend()
        self._cell_door.is_shut = False

    def running_on(self, server_id: str) -> list[str]:
        """Return the hosts on which that guest runs."""
        return self._guests.running_on(server_id)

    def defined_on(self, server_id: str) -> list[str]:
        """Return the hosts that know that guest, running or not."""
        return self._guests.defined_on(server_id)

    def forget_guests(self) -> None:
        """Forget all guests."""
        self._guests.forget()


def _start_service(binary: str, topic: str, host: str, topic_alt: str | None = None) -> Any:
    from nova import context, service

    # Only of nova-compute does a test look at the heartbeats.
    interval = None if binary == "nova-compute" else _SELDOM
    started = service.Service.create(
        binary=binary, host=host, topic=topic, topic_alt=topic_alt, report_interval=interval
    )
    cells = context.CELL_CACHE
    started.start()
    # Nova forgets its connections to the cells here, for the sake of forked workers. There are none, and with
    # the connections go all compiled queries: a fifth of the time of all tests.
    context.CELL_CACHE = {**cells, **context.CELL_CACHE}
    return started
