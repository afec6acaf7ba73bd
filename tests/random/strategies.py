# SPDX-License-Identifier: Apache-2.0
"""Draw clouds and what happens to them, in the words of ``cloud.json`` and ``script.json``.

Nothing is drawn against which no client of Nova could stand: a request that shows later than ``settle_time``
says, a message that RabbitMQ delivers after ``dead_after``, an operator who confirms a node as off that runs.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

#: Second at which all faults have ended and every host gets power, if it has none.
MENDED = 220.0

#: What may happen, by subject. Each example is about few of them: many faults at once hide each other.
THEMES = {
    "power": ("power", "power", "hang", "nova_compute"),
    "hangs and broken fencing": ("power", "hang", "broken_fencing", "power"),
    "the API": ("api", "api", "untrue_list", "power"),
    "lists that are not true": ("untrue_list", "untrue_list", "move", "power"),
    "requests with lost answers": ("late_request", "late_request", "lost_answer", "move"),
    "the evacuator killed": ("killed_asking", "killed_asking", "move", "lost_answer", "power"),
    "messages and destinations": ("messages", "destination", "power", "move"),
    "operators and owners": ("operator", "owner", "power", "api", "move"),
    "everything": (
        *("power", "hang", "nova_compute", "broken_fencing", "api", "untrue_list", "lost_answer"),
        *("move", "messages", "destination", "operator", "owner", "cluster"),
    ),
}

_READS = ("services", "servers", "server", "evacuations", "attempts", "server_groups", "conductors_up")
_FAILING = ("evacuate", "stop", "reset_to_error", "tell_down", "clear_forced_down", "enable")
_CALLS = (*_READS, *_FAILING, "reads", "writes", "*")
_READ_KINDS = ("http-500", "http-503", "http-401", "unreachable", "timeout", "slow")
_ACTION_KINDS = ("http-400", "http-403", "http-404", "http-409", "in-use", "ok-nothing")
_LOST = (
    "timeout",
    "timeout-after",
    "timeout-late",
    "timeout-late",
    "http-500",
    "http-500-after",
    "ok-nothing",
)
_EFFECTS = (
    *("append", "sync", "publish_state", "evacuate", "mark_evacuated", "tell_down", "write_record"),
    *("clear_forced_down", "enable", "clear_record", "stop", "restart_compute", "reset_to_error"),
)
_OUTCOMES = (
    *("slow", "late-cast", "cast-lost", "conductor-gives-up", "no-valid-host", "claim-fails"),
    *("spawn-fails", "fails-after-spawn", "fails-after-spawn", "fails-after-spawn"),
)
_FAILS = ("claim-fails", "spawn-fails", "fails-after-spawn", "fails-after-spawn")

Line = list[Any]
Policy = dict[str, Any]


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
    script = [[10, f"power-cut {draw(st.sampled_from(hosts))}"]]
    for happening in draw(st.lists(st.sampled_from(THEMES[theme]), max_size=7)):
        script += draw(_HAPPENINGS[happening](hosts, names, policy))
    return Case(cloud, script + _mending(hosts))


def _mending(hosts: list[str]) -> list[Line]:
    """Return how everything comes to be well again; what was lost before stays lost."""
    lines = ["mend", "forget-plans", "conductors up"]
    for host in hosts:
        lines += [f"bmc {host} alive", f"destination {host} ok", f"capacity {host} 50", f"spawn {host} 2"]
        lines += [f"thaw {host}", f"power-on {host}", f"start-nova-compute {host}"]
    lines += ["start-evacuator controller-0"]
    later = [f"power-on {host}" for host in hosts]
    return [[MENDED, line] for line in lines] + [[MENDED + 150, line] for line in later]


# --- the cloud ----------------------------------------------------------------------------------------------


@st.composite
def _policies(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a policy; times are short, so that what takes time passes in little of it."""
    policy = {"settle_time": 60, "dead_after": 120, "retry_first": 5, "retry_longest": 40}
    optional = {
        "settle_time": st.just(30),
        "max_in_flight": st.integers(1, 4),
        "per_destination": st.integers(1, 3),
        "evacuate_error": st.just(True),
        "reset_states": st.just(True),
        "threshold": st.integers(1, 2),
        "retry_first": st.just(15),
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


# --- what happens -------------------------------------------------------------------------------------------


def _moments() -> st.SearchStrategy[Any]:
    """Draw a second; most recoveries are under way in the first ones."""
    return st.one_of(st.integers(11, 40), st.integers(5, 160))


def _begins() -> st.SearchStrategy[int]:
    """Draw the second at which a fault begins: often before the first host dies."""
    return st.one_of(st.just(5), st.integers(5, 160))


def _anytime() -> st.SearchStrategy[Any]:
    """Draw a second, or the moment right after an effect of the evacuator."""
    after = st.builds(lambda effect, count: f"{effect} {count}", st.sampled_from(_EFFECTS), st.integers(1, 8))
    return st.one_of(_moments(), after)


@st.composite
def _power(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    word = draw(st.sampled_from(["power-cut", "reset", "power-on", "fence"]))
    return [[draw(_anytime()), f"{word} {draw(st.sampled_from(hosts))}"]]


@st.composite
def _hang(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    host, begin = draw(st.sampled_from(hosts)), draw(_moments())
    bad, good = draw(st.sampled_from([("freeze", "thaw"), ("cut-cable", "repair-cable")]))
    return [[begin, f"{bad} {host}"], [begin + draw(st.integers(1, 60)), f"{good} {host}"]]


@st.composite
def _nova_compute(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    host, begin = draw(st.sampled_from(hosts)), draw(_moments())
    end = begin + draw(st.integers(1, 30))
    return [[begin, f"stop-nova-compute {host}"], [end, f"start-nova-compute {host}"]]


@st.composite
def _no_power_device(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """A power device does not answer; an operator looks: a node that is off is confirmed as off."""
    host, begin = draw(st.sampled_from(hosts)), draw(st.integers(1, 40))
    end = begin + draw(st.integers(10, 150))
    word = draw(st.sampled_from([f"bmc {host} alive", f"confirm {host}"]))
    return [[begin, f"bmc {host} dead"], [end, word]]


@st.composite
def _api(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    call = draw(st.sampled_from(_CALLS))
    return [[draw(_begins()), f"fault {call} {draw(_kinds(call))} {draw(_extents())}"]]


@st.composite
def _kinds(draw: st.DrawFn, call: str) -> str:
    kinds = list(_READ_KINDS)
    if call in _FAILING:
        kinds += _ACTION_KINDS
    kind = draw(st.sampled_from(kinds))
    return f"{kind} seconds={draw(st.integers(1, 40))}" if kind in {"timeout", "slow"} else kind


@st.composite
def _extents(draw: st.DrawFn) -> str:
    """Draw which calls of that name are hit: some in a row, or all for some time."""
    if draw(st.booleans()):
        return f"for={draw(st.integers(1, 100))}"
    first = draw(st.integers(1, 6))
    return f"first={first} last={first + draw(st.integers(0, 4))}"


@st.composite
def _untrue_list(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """A list is empty, once or twice in a row, because a cell's database was away for a moment; or worse."""
    call = draw(st.sampled_from(["servers", "servers", "evacuations", "services", "attempts"]))
    worse = ["unfiltered", "no-host"] if call == "servers" else []
    kind = draw(st.sampled_from(["empty", *worse]))
    first = draw(st.integers(1, 30))
    return [[draw(_begins()), f"fault {call} {kind} first={first} last={first + draw(st.integers(0, 1))}"]]


@st.composite
def _late_request(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """Evacuate requests that nobody answers take effect late, within the time that the policy says."""
    longest = policy["settle_time"] // 2 - 3
    seconds, delay = draw(st.integers(1, longest)), draw(st.integers(1, longest))
    fault = f"fault evacuate timeout-late seconds={seconds} delay={delay} last={draw(st.integers(1, 5))}"
    return [[draw(_begins()), fault]]


@st.composite
def _lost_answer(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """A request whose answer is lost; what shows late shows within the time that the policy says."""
    call = draw(st.sampled_from(["evacuate", "evacuate", "evacuate", *_FAILING]))
    kind = draw(st.sampled_from(_LOST))
    if kind.startswith("timeout"):
        longest = policy["settle_time"] // 2 - 3
        kind += f" seconds={draw(st.integers(1, longest))} delay={draw(st.integers(1, longest))}"
    return [[draw(_begins()), f"fault {call} {kind} {draw(_extents())}"]]


@st.composite
def _move(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """The evacuator is killed, and started here or on another controller."""
    delay = draw(st.sampled_from([0.5, 3, 15, 60]))
    return [[draw(_anytime()), f"move-evacuator controller-{draw(st.integers(0, 2))} {delay}"]]


@st.composite
def _killed_asking(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """The evacuator is killed while it waits for answers, and the requests have their effect all the same."""
    ((begin, fault),) = draw(_late_request(hosts, names, policy))
    ((_, move),) = draw(_move(hosts, names, policy))
    return [[begin, fault], [max(begin, 16) + draw(st.integers(1, 25)), move]]


@st.composite
def _messages(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """Nova's conductors are down; or RabbitMQ is, and with it the answer to each request."""
    begin = draw(_moments())
    end = begin + draw(st.integers(1, 100))
    lines: list[Line] = [[begin, "conductors down"], [end, "conductors up"]]
    if draw(st.booleans()):
        lines.append([begin, f"fault evacuate http-500-after for={end - begin}"])
    return lines


@st.composite
def _destination(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    host, begin = draw(st.sampled_from(hosts)), draw(st.integers(5, 60))
    words = [f"destination {host} {outcome}" for outcome in _FAILS]
    words += [f"spawn {host} {seconds}" for seconds in (0.2, 10, 30)]
    words += [f"capacity {host} {room}" for room in (0, 1, 3)]
    return [[begin, draw(st.sampled_from(words))]]


@st.composite
def _operator(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    host = draw(st.sampled_from(hosts))
    words = [f"disable {host} maintenance", f"disable {host}", f"enable {host}", f"clear-forced-down {host}"]
    return [[draw(_anytime()), draw(st.sampled_from(words))]]


@st.composite
def _owner(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    return [[draw(_anytime()), f"delete {draw(st.sampled_from(names))}"]]


@st.composite
def _cluster(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    word = draw(st.sampled_from(["no-quorum", "no-dc", "cell-down cell1"]))
    return [[draw(_anytime()), f"{word} {draw(st.integers(1, 50))}"]]


_HAPPENINGS = {
    "power": _power,
    "hang": _hang,
    "nova_compute": _nova_compute,
    "broken_fencing": _no_power_device,
    "api": _api,
    "untrue_list": _untrue_list,
    "late_request": _late_request,
    "lost_answer": _lost_answer,
    "move": _move,
    "killed_asking": _killed_asking,
    "messages": _messages,
    "destination": _destination,
    "operator": _operator,
    "owner": _owner,
    "cluster": _cluster,
}
