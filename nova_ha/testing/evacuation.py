# SPDX-License-Identifier: Apache-2.0
"""What becomes of one accepted evacuate request: conductor, scheduler, destination (nova.md 2.2 to 2.6).

Each step is an event of the virtual clock, so that others can happen in between: a second request, a delete,
the death of the destination, the return of the source. Nova's checks are where Nova has them only: it
does not protect against a second evacuation, and neither does this.
"""

from __future__ import annotations

from typing import Callable

from nova_ha.testing.cloud import Action, Cloud, Compute, Event, Plan, Record, Server
from nova_ha.testing.scheduling import breaks_group, select_host

#: What a plan may let an evacuation come to, with its meaning.
OUTCOMES = {
    "ok": "it succeeds",
    "slow": "the spawn takes `seconds`",
    "late-cast": "the message to the conductor is delivered after `seconds`",
    "cast-lost": "the message to the conductor is lost: `accepted` for ever, no event",
    "conductor-gives-up": "the conductor fails in an unexpected way: `accepted` for ever, event Error",
    "no-valid-host": "the scheduler finds no host: server ERROR, record `error`",
    "claim-fails": "the destination has no room after all: server unchanged, record `failed`",
    "not-supported": "the destination's driver cannot evacuate: server ERROR, record `failed`",
    "spawn-fails": "the guest does not start: server ERROR, record `failed`",
    "vif-fails": "neutron does not plug the guest's port, nova cleans up: server ERROR, record `failed`",
    "fails-before-spawn": "an error before the start: server ERROR, record `failed`; its words tell nothing",
    "fails-after-spawn": "an error after the start: server ERROR, record `failed`, the guest goes on",
}

#: The fault of an error that may come before and after the start of a guest.
_ANY_TIME = "Timed out waiting for a reply to message ID 7"

_CAST_SECONDS = 0.05
_SCHEDULE_SECONDS = 0.1
_STEP_SECONDS = 0.2
#: How long a server is ACTIVE without a task on its old host while its guest runs on the new one (nova.md 0).
_FINISH_SECONDS = 0.5


class Evacuation:
    """One request on its way through Nova."""

    def __init__(
        self, cloud: Cloud, server: Server, action: Action, requested: str | None, plan: Plan
    ) -> None:
        self._cloud = cloud
        self._server = server
        self._action = action
        self._requested = requested
        self._plan = plan
        self._record: Record | None = None
        self._was = server.vm_state
        self._target: Compute | None = None
        self._incarnation: int | None = None
        self._event: Event
        self.is_over = False

    @property
    def may_have_effect(self) -> bool:
        """Say whether a guest may still be started because of this; not after its destination died."""
        died = self._incarnation is not None and self._destination.incarnation != self._incarnation
        return not self.is_over and not died and not self._waits_for_a_dead_host

    @property
    def _waits_for_a_dead_host(self) -> bool:
        """Say whether the message lies in the queue of a host that is down; one that only hangs takes it yet.

        When that host returns and the server was evacuated otherwise, Nova refuses the message by its
        task state.
        """
        if self._target is None or self._incarnation is not None:
            return False
        return self._target.alive_since is None and not self._target.frozen

    @property
    def _destination(self) -> Compute:
        if self._target is None:
            raise LookupError("the scheduler has chosen no host yet")
        return self._target

    def cast(self) -> None:
        """Send the message to the conductor."""
        if self._plan.outcome == "cast-lost":
            self.is_over = True
            return
        late = self._plan.seconds if self._plan.outcome == "late-cast" else 0.0
        self._cloud.clock.after(_CAST_SECONDS + late, self._conduct)

    def _conduct(self) -> None:
        """Begin in the conductor, which takes the *oldest* accepted record of the server (nova.md 2.5)."""
        if self._server.deleted:
            self.is_over = True
            return
        if not any(self._cloud.conductors):  # RabbitMQ keeps the message
            self._cloud.clock.after(1.0, self._conduct)
            return
        self._begin_event("rebuild_server", None)
        own = [record for record in self._cloud.records if record.server_id == self._server.id]
        self._record = next((record for record in own if record.status == "accepted"), None)
        self._cloud.clock.after(_SCHEDULE_SECONDS, self._schedule)

    def _schedule(self) -> None:
        if self._plan.outcome == "conductor-gives-up":
            self._end_event("Error", "MessagingTimeout")
            self._cloud.log.add("nova", f"conductor gave up on {self._server.id}")
            self.is_over = True
            return
        target = select_host(self._cloud, self._server, self._requested)
        if target is None or self._plan.outcome == "no-valid-host":
            self._end_event("Error", "NoValidHost")
            self._fail("error", "No valid host was found.")
            return
        self._target = target
        self._cloud.allocations.setdefault(target.host, set()).add(self._server.id)
        self._end_event("Success")
        self._cloud.clock.after(_CAST_SECONDS, self._deliver)

    def _deliver(self) -> None:
        """Hand the message to the destination; RabbitMQ keeps it while no nova-compute runs there."""
        if self._destination.alive_since is None:
            self._destination.inbox.append(self._claim)
        else:
            self._claim()

    def _claim(self) -> None:
        self._incarnation = self._destination.incarnation
        self._was = self._server.vm_state
        self._begin_event("compute_rebuild_instance", self._destination.host)
        if self._server.deleted:
            self._fail_deleted()
            return
        # Nova names itself in the record before it looks whether there is room.
        if self._record is not None:
            self._record.destination = self._destination.host
        if self._outcome == "claim-fails":
            self._set_record("failed")
            self._release("Insufficient compute resources", error=False)
        else:
            self._set_record("pre-migrating")
            self._later(_STEP_SECONDS, self._validate)

    @property
    def _outcome(self) -> str:
        return self._destination.fails or self._plan.outcome

    def _validate(self) -> None:
        if breaks_group(self._cloud, self._server, self._destination.host):
            # The record stays open for a moment, in which the other member's check finds it too.
            refusal = "Anti-affinity instance group policy was violated"
            self._later(_STEP_SECONDS, lambda: self._fail("failed", refusal))
        elif self._outcome == "not-supported":
            self._fail("failed", "Instance evacuate is not supported.")
        elif self._cloud.hypervisors.is_defined(self._destination.host, self._server.id):
            self._fail("failed", f"Instance {self._server.name} already exists.")
        elif self._advance("rebuilding", "rebuild_block_device_mapping"):
            self._later(_STEP_SECONDS, self._attach)

    def _attach(self) -> None:
        if self._outcome == "fails-before-spawn":
            self._fail("failed", _ANY_TIME)
        elif self._advance("rebuild_block_device_mapping", "rebuild_spawning"):
            self._later(self._spawn_seconds / 2, self._spawn)

    @property
    def _spawn_seconds(self) -> float:
        return self._plan.seconds if self._plan.outcome == "slow" else self._destination.spawn_seconds

    def _spawn(self) -> None:
        if self._server.deleted:
            self._fail_deleted()
        elif self._outcome == "spawn-fails":
            self._fail("failed", "Failed to allocate the network(s)")
        elif self._outcome == "vif-fails":
            self._fail("failed", "Virtual Interface creation failed")
        else:
            self._note_lost_data()
            self._cloud.hypervisors.start(self._destination.host, self._server.id, "evacuated")
            self._later(self._spawn_seconds / 2, self._save)

    def _note_lost_data(self) -> None:
        if not self._cloud.shared_storage and (self._server.local_disk or not self._server.volume_backed):
            self._cloud.data_lost.append(self._server.name)
            self._cloud.log.add(
                self._destination.host, f"guest {self._server.id} rebuilt from its image: its data is lost"
            )

    def _save(self) -> None:
        """Save the server ACTIVE, still with its old host; an error from here on leaves the guest running."""
        if self._server.deleted:
            self._fail_deleted()
        elif self._outcome == "fails-after-spawn":
            self._fail("failed", _ANY_TIME)
        elif self._advance("rebuild_spawning", None):
            self._server.vm_state, self._server.power_state, self._server.fault = "active", 1, None
            if self._was == "stopped":
                self._server.vm_state, self._server.power_state = "stopped", 4
                self._cloud.hypervisors.end(self._destination.host, self._server.id, "was off before")
            self._later(_FINISH_SECONDS, self._finish)

    def _finish(self) -> None:
        if self._server.deleted:
            self._fail_deleted()
            return
        self._server.host = self._destination.host
        self._set_record("done")
        self._end_event("Success")
        self.is_over = True

    def _advance(self, expected: str, task_state: str | None) -> bool:
        """Change task_state as Nova's save with ``expected_task_state`` does; fail when another wrote it."""
        if self._server.deleted:
            self._fail_deleted()
            return False
        if self._server.task_state != expected:
            self._fail("failed", f"Conflict updating instance {self._server.name}")
            return False
        self._server.task_state = task_state
        return True

    def _later(self, seconds: float, step: Callable[[], None]) -> None:
        self._cloud.clock.after(seconds, lambda: self._continue(step))

    def _continue(self, step: Callable[[], None]) -> None:
        """Go on at the destination: not if it died meanwhile, and not while it is frozen."""
        if self._destination.incarnation != self._incarnation:
            self.is_over = True
        elif self._destination.frozen:
            self._later(1.0, step)
        else:
            step()

    def _fail(self, status: str, message: str) -> None:
        self._set_record(status)
        self._release(message, error=True)

    def _fail_deleted(self) -> None:
        self._set_record("failed")
        self._release("Instance could not be found", error=False)

    def _release(self, message: str, *, error: bool) -> None:
        """End without success: task None, and for most faults vm_state ERROR."""
        self._server.task_state = None
        self._server.fault = message
        if error:
            self._server.vm_state = "error"
        self._cloud.log.add("nova", f"evacuation of {self._server.id} failed: {message}")
        if self._target is not None and self._server.host != self._target.host:
            self._cloud.allocations[self._target.host].discard(self._server.id)
        if self._event.result is None:
            self._end_event("Error", message)
        self.is_over = True

    def _set_record(self, status: str) -> None:
        if self._record is not None:
            self._cloud.set_record(self._record, status)

    def _begin_event(self, name: str, host: str | None) -> None:
        self._event = Event(name, self._cloud.clock.now(), host=host)
        self._action.events.append(self._event)

    def _end_event(self, result: str, details: str | None = None) -> None:
        self._event.result, self._event.details = result, details
