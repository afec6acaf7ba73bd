# SPDX-License-Identifier: Apache-2.0
"""What the fence agent does for each action; no word of fencing's own library, and only ports to the world.

Pacemaker calls ``off`` when the node's power is off, and ``on`` before the node may run anything again.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from nova_ha.clock import Clock, format_time
from nova_ha.errors import (
    ClusterError,
    HostNameError,
    NovaHaError,
    NovaUnavailable,
    RecoveryOpen,
    Retriable,
)
from nova_ha.model import Service
from nova_ha.openstack.credentials import Settings
from nova_ha.openstack.host_names import HostNames, nova_host
from nova_ha.ports import ClusterPort, NovaPort

_log = logging.getLogger(__name__)

#: Seconds between two tries.
_PAUSE = 1.0

#: Seconds that the monitor waits for Nova; less than the 20 that Pacemaker gives an operation by default.
_MONITOR_PATIENCE = 10.0

#: Brings the recovery of a node to its end, at the latest at a moment of the monotonic clock.
Recover = Callable[[str, float], None]


class FenceActions:
    """The actions of fence_compute.

    Args:
        cluster: Pacemaker.
        connect: opens Nova; called only by actions that need Nova.
        clock: time.
        settings: resolved options of fence_compute.
        recover: recovers a node's servers, for ``record_only=0``.
        why_power_may_be_on: returns why a node must not be recorded as fenced, or None; asked by `off`.
        nova_may_be_away: whether the monitor succeeds without Nova, as it must for Pacemaker.
    """

    def __init__(
        self,
        cluster: ClusterPort,
        connect: Callable[[], NovaPort],
        clock: Clock,
        settings: Settings,
        recover: Recover,
        why_power_may_be_on: Callable[[str], str | None] = lambda _node: None,
        *,
        nova_may_be_away: bool = False,
    ) -> None:
        self._nova_may_be_away = nova_may_be_away
        self._why_power_may_be_on = why_power_may_be_on
        self._cluster = cluster
        self._connect = connect
        self._clock = clock
        self._settings = settings
        self._recover = recover

    def off(self, node: str) -> str:
        """Record that the node was fenced and tell Nova; return a sentence about it.

        Succeeds as soon as the record is durable, whatever Nova does (rule R4); with ``record_only=0`` when
        the node's servers are recovered.

        Raises:
            ClusterError: the record could not be written.
            NovaHaError: with ``record_only=0``, the recovery was not finished.
        """
        begin = self._clock.monotonic()
        fenced_at = format_time(self._clock.now())
        self._patiently(self._seconds("cluster_wait"), lambda: self._record(node, fenced_at))
        budget = self._nova_budget(begin)
        trouble = self._within(budget, lambda: self._tell_nova(node, fenced_at, budget))
        if trouble is not None:
            _log.warning("fencing of node '%s' is recorded; Nova will be told later: %s", node, trouble)
        if not self._settings.get("record_only", True):
            limit = self._seconds("recover_wait")
            self._recover(node, begin + limit if limit else float("inf"))
            return f"node '{node}' is recorded as fenced {fenced_at} and its servers are recovered"
        return f"node '{node}' is recorded as fenced {fenced_at}"

    def _record(self, node: str, fenced_at: str) -> None:
        """Record a fencing, unless the node's power may be on."""
        reason = self._why_power_may_be_on(node)
        if reason is not None:
            raise ClusterError(f"not recorded as fenced: {reason}")
        self._cluster.write_record(node, fenced_at)

    def on(self, node: str) -> str:
        """Let the node return; changes nothing, and needs no Nova.

        While a recovery of the node is open nova-compute stays down by a constraint on the record, and by
        NovaCompute's own look at it. With hold_unfencing=1 all that requires unfencing stays down, too.

        Raises:
            RecoveryOpen: unfencing is refused, after all of the patience.
            ClusterError: Pacemaker does not know the node, or did not answer.
        """
        if not self._settings.get("hold_unfencing"):
            return f"node '{node}' may return; nova-compute waits there while a recovery is open"
        self._patiently(self._seconds("on_wait"), lambda: self._refuse_while_open(node))
        return f"no recovery of node '{node}' is open"

    def status(self, node: str) -> str:
        """Return ``off`` if a recovery of the node is open or Nova was told that it is down, else ``on``."""
        found = self._cluster.view().node(node)
        if found is not None and found.recovery_is_open:
            return "off"
        return _power(self._service(self._connect(), node))

    def monitor(self) -> str:
        """Ask Pacemaker and Nova; for Pacemaker, only warn of what Nova and Keystone say.

        What `off` needs is Pacemaker alone, and no monitor takes its resource down because Nova is down (rule
        R7). Seen on 2.1.5 when it did: within 20 s the device was stopped on every controller, for good, as
        a start is a monitor as well; Pacemaker goes on to call such a device, and promises that nowhere. What
        is wrong on this controller is an error all the same: another one may be better.

        Raises:
            ClusterError: Pacemaker gives no good answer.
            ConfigurationError: an option, or a file that it names, is wrong.
            NovaHaError: Nova or Keystone gives no good answer, and somebody has called by hand.
        """
        self._cluster.view()
        nova = self._connect()
        if not self._nova_may_be_away:
            return f"Pacemaker and Nova answer; Nova has {len(nova.services())} nova-compute services"
        trouble = self._within(_MONITOR_PATIENCE, lambda: _trouble(nova.services))
        if trouble is None:
            return "Pacemaker and Nova answer"
        _log.warning("fencing works, but Nova could be told of none now: %s", trouble)
        return "Pacemaker answers"

    def validate(self) -> None:
        """Check the settings, and the files that they name, without asking anybody."""
        self._connect()

    def hosts(self) -> dict[str, str]:
        """Return every name of a host that may be fenced, with ``on`` or ``off``.

        That is Nova's name, and the short name when it means just one host: Pacemaker may use either.
        """
        services = {service.host: service for service in self._connect().services()}
        names, found = HostNames(services, self._domain), {}
        for short in dict.fromkeys(host.partition(".")[0] for host in services):
            with suppress(HostNameError):
                found[short] = _power(services[names.host_of(short)])
        return {**found, **{host: _power(service) for host, service in services.items()}}

    @property
    def _domain(self) -> str:
        """Return the DNS suffix of the hosts, for nodes with short names."""
        return str(self._settings.get("domain") or "")

    def _seconds(self, name: str) -> float:
        """Return a setting that is a duration."""
        return float(self._settings.get(name) or 0.0)

    def _nova_budget(self, begin: float) -> float:
        """Return the seconds left for Nova: recording and telling share the time of one fencing."""
        left = self._seconds("cluster_wait") - (self._clock.monotonic() - begin)
        return min(self._seconds("nova_wait"), max(_PAUSE, left))

    def _tell_nova(self, node: str, fenced_at: str, seconds: float) -> str | None:
        """Tell Nova, patiently; return what prevented it."""
        return _trouble(lambda: self._patiently(seconds, lambda: self._tell_nova_once(node, fenced_at)))

    def _tell_nova_once(self, node: str, fenced_at: str) -> None:
        """Force the service down and disable it; a person's own disable keeps its reason (rule R5)."""
        nova = self._connect()
        service = self._service(nova, node)
        nova.tell_down(service, service.reason_when_fenced(fenced_at))

    def _service(self, nova: NovaPort, node: str) -> Service:
        """Return the node's service, of which Nova must know the state."""
        services = {service.host: service for service in nova.services()}
        service = services[nova_host(node, services, self._domain)]
        if not service.is_known:
            raise NovaUnavailable(f"host '{service.host}': Nova cannot reach the database of its cell")
        return service

    def _refuse_while_open(self, node: str) -> None:
        """Raise `RecoveryOpen` while a recovery of the node is open, an old agent's included."""
        found = self._cluster.view().node(node)
        if found is None:
            raise ClusterError(f"Pacemaker knows no node '{node}'")
        if found.recovery_is_open:
            state = f" ({found.state})" if found.state else ""
            raise RecoveryOpen(f"node '{node}': the recovery of {found.fenced_at} is not complete{state}")
        if found.legacy not in (None, "", "no"):
            raise RecoveryOpen(f"node '{node}': the attribute evacuate of the old agents is '{found.legacy}'")

    def _patiently(self, seconds: float, work: Callable[[], object]) -> None:
        """Work again and again while trying again makes sense, then let the last error through."""
        deadline = self._clock.monotonic() + seconds
        while True:
            try:
                work()
                return
            except NovaHaError as error:
                if not isinstance(error, Retriable) or self._clock.monotonic() + _PAUSE > deadline:
                    raise
            self._clock.sleep(_PAUSE)

    def _within(self, seconds: float, work: Callable[[], str | None]) -> str | None:
        """Return what the work returns, or a sentence when that takes too long; it goes on in the background.

        A request's time limit does not cover a slow name server or an answer that comes byte by byte, and
        fencing must not wait for those (rule R4).
        """
        outcome: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()

        def run() -> None:
            try:
                outcome.put(work())
            except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
                outcome.put(error)

        threading.Thread(target=run, daemon=True).start()
        try:
            result = outcome.get(timeout=seconds)
        except queue.Empty:
            return f"no answer within {seconds:g} s"
        if isinstance(result, BaseException):
            raise result
        return result


def _trouble(ask: Callable[[], object]) -> str | None:
    """Ask Nova something; return what went wrong, whatever it was: it must not make fencing fail."""
    try:
        ask()
    except NovaHaError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - as above
        return f"unexpected {type(error).__name__}: {error}"
    return None


def _power(service: Service) -> str:
    """Return what counts as the state of a host's power: whether Nova was told that it is down."""
    return "off" if service.forced_down else "on"


def recover_inline(
    nova: NovaPort, cluster: ClusterPort, clock: Clock, node: str, deadline: float, settings: Settings
) -> None:
    """Recover the servers of one node with the evacuator's own loop, and return when that is complete.

    Raises:
        OutOfTime: the deadline (of the monotonic clock) has passed.
    """
    from nova_ha.fence.fence_inline import run

    run(nova, cluster, clock, node, deadline, settings)
