# SPDX-License-Identifier: Apache-2.0
"""The words of a scenario's script: what may happen to a simulated world.

A script is a list of ``[when, "word argument ..."]``. `when` is a second, or ``"evacuate 5"``: right after
the fifth effect of that name (`nova_ha.testing.effects.EFFECTS`). Every function below is one word.
"""

from __future__ import annotations

from typing import Callable, Protocol

from nova_ha import record
from nova_ha.testing.faults import ApiError, Fault, TimedOut, Unreachable
from nova_ha.testing.startup import start_compute, stop_compute
from nova_ha.testing.world import SimulatedWorld


class Controllers(Protocol):
    """Where evacuators run."""

    def kill(self) -> None:
        """Kill the evacuator."""

    def start(self, controller: str, delay: float = 0.0) -> None:
        """Start an evacuator on a controller; it finds the journal that was left there."""


class Script:
    """Does what a line of a script says."""

    def __init__(self, world: SimulatedWorld, controllers: Controllers) -> None:
        self._world = world
        self._controllers = controllers
        self._words: dict[str, Callable[..., None]] = {
            name[5:].replace("_", "-"): getattr(self, name) for name in dir(self) if name.startswith("word_")
        }

    def do(self, line: str) -> None:
        """Do one line.

        Raises:
            ValueError: the line has an unknown word.
        """
        word, *arguments = line.split()
        if word not in self._words:
            raise ValueError(f"script: unknown word {word!r}; known: {', '.join(sorted(self._words))}")
        self._words[word](*arguments)

    # --- nodes --------------------------------------------------------------------------------------------

    def word_power_cut(self, node: str) -> None:
        """Cut a node's power."""
        self._world.machines.switch_off(node, "power cut")

    def word_power_on(self, node: str) -> None:
        """Switch a node on by hand."""
        self._world.machines.switch_on(node)

    def word_reset(self, node: str) -> None:
        """Let a node crash and reboot by itself."""
        self._world.machines.reset(node, "crash")

    def word_freeze(self, node: str) -> None:
        """Let a node hang."""
        self._world.machines.hang(node, "hangs")

    def word_thaw(self, node: str) -> None:
        """Let a hung node go on."""
        self._world.machines.recover(node, "goes on")

    def word_cut_cable(self, node: str) -> None:
        """Cut a node off the network."""
        self._world.machines.hang(node, "cable cut")

    def word_repair_cable(self, node: str) -> None:
        """Repair a node's network."""
        self._world.machines.recover(node, "cable repaired")

    def word_start_nova_compute(self, node: str) -> None:
        """Start nova-compute by hand, past NovaCompute's gate."""
        start_compute(self._world.cloud, node)

    def word_wedge(self, node: str, starts: str = "0") -> None:
        """Let nova-compute hang on a node that is well, and as many of its next starts too."""
        self._world.machines.wedge(node, int(starts))

    def word_unwedge(self, node: str) -> None:
        """Let a hung nova-compute go on by itself."""
        self._world.machines.unwedge(node)

    def word_stop_nova_compute(self, node: str) -> None:
        """Stop nova-compute; its guests run on."""
        self._world.log.add(node, "nova-compute stopped")
        self._world.cluster.set_compute(node, None)
        stop_compute(self._world.cloud, node)

    # --- cluster ------------------------------------------------------------------------------------------

    def word_bmc(self, node: str, state: str) -> None:
        """Let a node's power device die (``dead``) or answer again (``alive``)."""
        self._world.log.add("operator", f"power device of {node}: {state}")
        change = self._world.fencing.bmc_dead.add if state == "dead" else self._world.fencing.bmc_dead.discard
        change(node)

    def word_leave(self, node: str) -> None:
        """Take a node out of the cluster in good order (``pcs resource disable``): it is not fenced."""
        self._world.cluster.set_online(node, online=False)

    def word_join(self, node: str) -> None:
        """Let a node that left join again."""
        self._world.cluster.set_online(node, online=True)

    def word_confirm(self, node: str) -> None:
        """Confirm by hand that a node is off."""
        self._world.fencing.confirm(node)

    def word_fence(self, node: str) -> None:
        """Let Pacemaker fence a node, for whatever reason."""
        self._world.fencing.begin(node)

    def word_record(self, node: str) -> None:
        """Call ``fence_compute off`` by hand: no power device is asked."""
        self._world.clock.spawn(lambda: self._world.fencing.actions.off(node))

    def word_remove_record(self, node: str) -> None:
        """Remove a node's record by hand, with its mark, as the evacuator's sentence about it says."""
        cluster, fenced_at = self._world.cluster, self._world.cluster.nodes[node].fenced_at or ""
        self._world.log.add("operator", f"removes the record of {node}")
        self._world.clock.spawn(lambda: cluster.clear_record(node, fenced_at))

    def word_no_quorum(self, seconds: str) -> None:
        """Lose quorum for some time."""
        self._world.cluster.set_quorum(quorate=False)
        self._world.clock.after(float(seconds), lambda: self._world.cluster.set_quorum(quorate=True))

    def word_no_dc(self, seconds: str) -> None:
        """Let the cluster be without a DC for some time."""
        self._world.cluster.change_dc(float(seconds))

    def word_history_cleanup(self) -> None:
        """Let an operator clean up the fencing history (``pcs stonith history cleanup``)."""
        self._world.cluster.forget_fencings()

    def word_cluster_restart(self, controller: str, seconds: str = "60") -> None:
        """Let all controllers lose power; the cluster is back some time later, with the CIB alone."""
        self._controllers.start(controller, float(seconds))
        self._world.cluster.change_dc(float(seconds))
        self._world.cluster.forget_fencings(with_state=True)
        self._controllers.kill()

    def word_forget_records(self, node: str) -> None:
        """Let the cluster lose everything that it knows of a node, as with an old backup of its CIB."""
        self._world.cluster.forget(node)

    def word_evacuate_attribute(self, node: str, value: str) -> None:
        """Set the old agents' attribute."""
        self._world.cluster.set_legacy(node, value)

    # --- the evacuator ------------------------------------------------------------------------------------

    def word_kill_evacuator(self) -> None:
        """Kill the evacuator."""
        self._controllers.kill()

    def word_start_evacuator(self, controller: str, delay: str = "0") -> None:
        """Start the evacuator on a controller."""
        self._controllers.start(controller, float(delay))

    def word_move_evacuator(self, controller: str, delay: str = "15") -> None:
        """Let the evacuator's controller die; Pacemaker starts it elsewhere."""
        self._controllers.start(controller, float(delay))
        self._controllers.kill()

    # --- Nova ---------------------------------------------------------------------------------------------

    def word_fault(self, call: str, kind: str, *options: str) -> None:
        """Let calls fail: ``fault evacuate timeout-after first=2 last=3 for=60 seconds=30 subject=web-1``."""
        given = dict(option.split("=") for option in options)
        now = self._world.clock.monotonic()
        fault = Fault(call, kind, since=now)
        if "for" in given:
            fault.until = now + float(given.pop("for"))
        if "subject" in given:
            fault.subject = self._subject(given.pop("subject"))
        for name, value in given.items():
            setattr(fault, name, float(value))
        self._world.log.add("fault", " ".join((call, kind, *options)))
        self._world.nova.faults.add(fault)

    def _subject(self, name: str) -> str:
        return name if name in self._world.cloud.computes else self._world.cloud.by_name(name).id

    def word_mend(self) -> None:
        """End all faults of the API."""
        self._world.log.add("fault", "mended")
        self._world.nova.faults.clear()

    def word_cell_down(self, cell: str, seconds: str) -> None:
        """Let a cell's database be out of reach for some time."""
        self._world.log.add("fault", f"cell {cell} down for {seconds} s")
        self._world.cloud.cells_down.add(cell)
        self._world.clock.after(float(seconds), lambda: self._world.cloud.cells_down.discard(cell))

    def word_conductors(self, state: str) -> None:
        """Let Nova's conductors be ``down`` or ``up``, as its list of services shows them."""
        self._world.log.add("fault", f"conductors {state}")
        self._world.cloud.conductors[:] = [state == "up"] * len(self._world.cloud.conductors)

    def word_capacity(self, node: str, servers: str) -> None:
        """Change how many servers fit on a host."""
        self._world.log.add("operator", f"{node} has room for {servers} servers")
        self._world.cloud.computes[node].capacity = int(servers)

    def word_destination(self, node: str, outcome: str) -> None:
        """Let every evacuation to a host come to an outcome; ``ok`` mends it."""
        self._world.log.add("fault", f"evacuations to {node}: {outcome}")
        self._world.cloud.computes[node].fails = None if outcome == "ok" else outcome

    def word_forget_plans(self) -> None:
        """Let every evacuation that is asked for from now on go as its destination lets it."""
        self._world.log.add("fault", "evacuations go well from now on")
        self._world.cloud.plans.clear()

    def word_spawn(self, node: str, seconds: str) -> None:
        """Change how long a guest takes to start on a host."""
        self._world.cloud.computes[node].spawn_seconds = float(seconds)

    # --- operators and owners -----------------------------------------------------------------------------

    def word_disable(self, node: str, *reason: str) -> None:
        """Disable a service by hand."""
        self._put(node, {"status": "disabled", "disabled_reason": " ".join(reason)})

    def word_nova_ha_disable(self, node: str, *reason: str) -> None:
        """Disable a service with ``nova-ha disable``."""
        compute = self._world.cloud.computes[node]
        fenced_at = record.marked_at(compute.disabled_reason) if compute.forced_down else None
        self.word_disable(node, record.by_hand_reason("root@admin", " ".join(reason), fenced_at))

    def word_enable(self, node: str) -> None:
        """Enable a service by hand."""
        self._put(node, {"status": "enabled"})

    def word_force_down(self, node: str) -> None:
        """Force a service down by hand."""
        self._put(node, {"forced_down": True})

    def word_clear_forced_down(self, node: str) -> None:
        """Clear forced_down by hand."""
        self._put(node, {"forced_down": False})

    def _put(self, node: str, body: dict[str, object]) -> None:
        api = self._world.nova.api
        self._world.log.add("operator", f"service {node}: {body}")
        self._ask(lambda: api.update_service("disable", self._world.cloud.computes[node].id, body))

    def word_evacuate(self, server: str) -> None:
        """Evacuate a server by hand, unless that is under way already."""
        if self._world.cloud.by_name(server).task_state is not None:
            return
        self._world.log.add("operator", f"evacuates {server}")
        self._ask(lambda: self._world.nova.api.evacuate(self._world.cloud.by_name(server).id, None))

    def _ask(self, request: Callable[[], object]) -> None:
        """Let an operator send a request, who is told when it fails."""

        def run() -> None:
            try:
                request()
            except (ApiError, TimedOut, Unreachable) as error:
                self._world.log.add("operator", f"is told: {error}")

        self._world.clock.spawn(run)

    def word_delete(self, server: str) -> None:
        """Delete a server."""
        self._world.delete_server(server)

    def word_set(self, server: str, *values: str) -> None:
        """Change a server's row: ``set web-1 task_state=deleting``."""
        self._world.log.add("operator", f"server {server}: {' '.join(values)}")
        for value in values:
            name, _, text = value.partition("=")
            setattr(self._world.cloud.by_name(server), name, text or None)
