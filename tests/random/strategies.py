# SPDX-License-Identifier: Apache-2.0
"""Draw clouds and what happens to them, in the words of ``cloud.json`` and ``script.json``.

Nothing is drawn against which no client of Nova could stand: a request that shows later than ``settle_time``
says, a message that RabbitMQ delivers after ``dead_after``, an operator who confirms a node as off that runs.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.random.happenings import HAPPENINGS, Line, Policy

#: Second at which all faults have ended and every host gets power, if it has none.
MENDED = 220.0

#: What may happen, by subject. Each example is about few of them: many faults at once hide each other.
THEMES = {
    "power": ("power", "power", "hang", "nova_compute"),
    "hangs and broken fencing": ("power", "hang", "broken_fencing", "power"),
    "the API": ("api", "api", "untrue_list", "power"),
    "lists that are not true": ("untrue_list", "untrue_list", "move", "power"),
    "requests with lost answers": (
        *("late_request", "late_request", "lost_answer", "move", "fenced_while_asking"),
    ),
    "the evacuator killed": ("killed_asking", "killed_asking", "move", "lost_answer", "power"),
    "messages and destinations": ("messages", "destination", "flapping", "power", "move"),
    "lost and not fenced": ("lost", "lost", "lost", "move", "api", "operator", "broken_fencing"),
    "wedged": ("wedge", "wedge", "wedge", "move", "messages", "api", "operator", "lost"),
    "operators and owners": ("operator", "owner", "power", "api", "move"),
    "everything": (
        *("power", "hang", "nova_compute", "broken_fencing", "api", "untrue_list", "lost_answer"),
        *("move", "messages", "destination", "operator", "owner", "cluster", "lost", "wedge"),
    ),
}

_OUTCOMES = (
    *("slow", "late-cast", "cast-lost", "conductor-gives-up", "no-valid-host", "claim-fails"),
    *("spawn-fails", "vif-fails", "fails-before-spawn", "fails-before-spawn"),
    *("fails-after-spawn", "fails-after-spawn", "fails-after-spawn"),
)


class Case:
    """A cloud and what happens to it: the content of a scenario's two files."""

    def __init__(self, cloud: dict[str, Any], script: list[Line]) -> None:
        self.cloud = cloud
        self.script = script

    def __repr__(self) -> str:
        """Return next to nothing: a failure shows the files themselves."""
        return f"<{len(self.cloud['servers'])} servers, {len(self.script)} lines>"


@st.composite
def cases(draw: st.DrawFn, theme: str) -> Case:
    """Draw a cloud and a script in which at least one host dies."""
    hosts = [f"compute-{number}" for number in range(draw(st.integers(3, 6)))]
    names = [f"server-{number}" for number in range(draw(st.integers(1, 12)))]
    policy = draw(_policies())
    cloud = draw(_clouds(hosts, names, policy))
    if theme == "lost and not fenced" and draw(st.booleans()):
        cloud["settings"] = {"level": "none"}
    script = [[10, f"power-cut {draw(st.sampled_from(hosts))}"]]
    for happening in draw(st.lists(st.sampled_from(THEMES[theme]), max_size=7)):
        script += draw(HAPPENINGS[happening](hosts, names, policy))
    return Case(cloud, script + _mending(hosts))


def _mending(hosts: list[str]) -> list[Line]:
    """Return how everything comes to be well again; what was lost before stays lost."""
    lines = ["mend", "forget-plans", "conductors up"]
    for host in hosts:
        lines += [f"bmc {host} alive", f"destination {host} ok", f"capacity {host} 50", f"spawn {host} 2"]
        lines += [f"thaw {host}", f"unwedge {host}", f"power-on {host}", f"start-nova-compute {host}"]
    lines += ["start-evacuator controller-0"]
    later = [f"power-on {host}" for host in hosts]
    return [[MENDED, line] for line in lines] + [[MENDED + 150, line] for line in later]


# --- the cloud ----------------------------------------------------------------------------------------------


@st.composite
def _policies(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a policy; times are short, so that what takes time passes in little of it."""
    policy = {"settle_time": 60, "dead_after": 120, "retry_first": 5, "retry_longest": 40}
    policy |= {"wedged_after": 20, "ledger": 10}
    optional = {
        "settle_time": st.just(30),
        "max_in_flight": st.integers(1, 4),
        "per_destination": st.integers(1, 3),
        "evacuate_error": st.just(True),
        "reset_states": st.just(True),
        "threshold": st.integers(1, 2),
        "retry_first": st.just(15),
        "disable_lost": st.just(False),
        "wedged_after": st.sampled_from([10, 30, 60]),
        "fence_wedged_after": st.integers(1, 2),
    }
    for name in draw(st.lists(st.sampled_from(sorted(optional)), max_size=2, unique=True)):
        policy[name] = draw(optional[name])
    return policy


@st.composite
def _clouds(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> dict[str, Any]:
    cloud: dict[str, Any] = {
        "hosts": {host: draw(_hosts()) for host in hosts},
        "servers": [{"name": name, **draw(_servers(hosts))} for name in names],
        "policy": policy,
    }
    groups = draw(st.lists(_groups(names), max_size=1))
    plans = draw(st.lists(_plans(names, policy), max_size=4))
    settings = draw(st.lists(st.sampled_from(_SETTINGS), max_size=1))
    cloud.update({"groups": groups} if groups else {}, **({"plans": plans} if plans else {}))
    return {**cloud, "settings": settings[0]} if settings else cloud


_SETTINGS: tuple[dict[str, Any], ...] = (
    {"level": "power"},
    {"level": "watchdog"},
    {"reboots": False},
    {"boot": 3},
    {"boot": 12},
    {"boot": 60},
)


def _hosts() -> st.SearchStrategy[dict[str, Any]]:
    plain: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, {"spawn_seconds": 20}])
    odd = st.fixed_dictionaries(
        {}, optional={"capacity": st.integers(1, 8), "spawn_seconds": st.sampled_from([0.2, 8, 30])}
    )
    return st.one_of(plain, odd)


def _servers(hosts: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a server, mostly one that runs, and mostly on one of the first two hosts."""
    host = st.one_of(st.sampled_from(hosts[:2]), st.sampled_from(hosts))
    state: st.SearchStrategy[dict[str, Any]] = st.one_of(
        st.just({}), st.just({}), st.just({"vm_state": "stopped"}), st.sampled_from(_STATES)
    )
    return st.builds(lambda host, state: {"host": host, **state}, host, state)


_STATES: tuple[dict[str, Any], ...] = (
    {"vm_state": "stopped", "power_state": 4},
    {"vm_state": "error", "power_state": 4},
    {"vm_state": "error", "power_state": 1},
    {"vm_state": "paused"},
    {"vm_state": "suspended"},
    {"vm_state": "rescued"},
    {"vm_state": "resized"},
    {"vm_state": "building", "launched": False},
    {"vm_state": "shelved"},
    {"vm_state": "soft-delete"},
    {"task_state": "deleting"},
    {"task_state": "migrating"},
    {"task_state": "reboot_started"},
    {"task_state": "powering-off"},
    {"refusal": "vTPM is not supported"},
    {"refusal": "server with a share"},
    {"volume_backed": False, "local_disk": True},
)


def _groups(names: list[str]) -> st.SearchStrategy[list[Any]]:
    policy = st.sampled_from(["anti-affinity", "anti-affinity", "affinity", "soft-anti-affinity"])
    members = st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True)
    return st.tuples(policy, members).map(list)


@st.composite
def _plans(draw: st.DrawFn, names: list[str], policy: Policy) -> dict[str, Any]:
    """Draw what becomes of one attempt; a late message comes before it would count as lost."""
    outcome = draw(st.sampled_from(_OUTCOMES))
    plan = {"server": draw(st.sampled_from(names)), "outcome": outcome, "attempt": draw(st.integers(1, 3))}
    if outcome == "slow":
        return {**plan, "seconds": draw(st.sampled_from([10, 40, 90]))}
    if outcome == "late-cast":
        return {**plan, "seconds": draw(st.integers(1, policy["dead_after"] - 20))}
    return plan
