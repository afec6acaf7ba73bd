# SPDX-License-Identifier: Apache-2.0
"""Draw what happens to a cloud: one function for each kind of fault, in the words of ``script.json``."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

_READS = ("services", "servers", "server", "evacuations", "attempts", "server_groups", "conductors_up")
_FAILING = ("evacuate", "stop", "reset_to_error", "tell_down", "clear_forced_down", "enable", "disable")
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
    *("disable", "publish_wedged", "fence"),
)
_FAILS = ("claim-fails", "spawn-fails", "vif-fails", "fails-before-spawn", "fails-after-spawn")

#: Most seconds until an answer is given up; the product's own limit (action_timeout) is 120 by default.
LONGEST_ANSWER = 110

Line = list[Any]
Policy = dict[str, Any]


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
def _lost(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """A node is lost while its power device does not answer; it is back before that does, or not."""
    host, begin = draw(st.sampled_from(hosts)), draw(_moments())
    back = begin + draw(st.integers(1, 90))
    device: list[Line] = [
        [begin - 2, f"bmc {host} dead"],
        [begin + draw(st.integers(5, 150)), f"bmc {host} alive"],
    ]
    return [*device, [begin, f"cut-cable {host}"], [back, f"repair-cable {host}"]]


@st.composite
def _wedge(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """A nova-compute hangs, and perhaps some of its next starts; or it goes on by itself."""
    host, begin = draw(st.sampled_from(hosts)), draw(st.integers(5, 120))
    hang: list[Line] = [[begin, f"wedge {host} {draw(st.integers(0, 2))}"]]
    return hang + ([[begin + draw(st.integers(1, 150)), f"unwedge {host}"]] if draw(st.booleans()) else [])


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


def _slowness(policy: Policy) -> st.SearchStrategy[str]:
    """Draw how long an answer is awaited, and how long after that a request has its effect.

    Only the second is within the time that the policy says: nothing bounds how long a request may hang.
    """
    seconds = st.one_of(st.integers(1, 30), st.integers(1, 30), st.integers(1, LONGEST_ANSWER))
    delay = st.integers(1, policy["settle_time"] - 3)
    return st.builds("seconds={} delay={}".format, seconds, delay)


@st.composite
def _late_request(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """Evacuate requests that nobody answers take effect late, within the time that the policy says."""
    fault = f"fault evacuate timeout-late {draw(_slowness(policy))} last={draw(st.integers(1, 5))}"
    return [[draw(_begins()), fault]]


@st.composite
def _lost_answer(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """A request whose answer is lost; what shows late shows within the time that the policy says."""
    call = draw(st.sampled_from(["evacuate", "evacuate", "evacuate", *_FAILING]))
    kind = draw(st.sampled_from(_LOST))
    if kind.startswith("timeout"):
        kind += f" {draw(_slowness(policy))}"
    return [[draw(_begins()), f"fault {call} {kind} {draw(_extents())}"]]


@st.composite
def _fenced_while_asking(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """A request hangs for longer than the policy says, and its node is fenced again meanwhile."""
    slowness = f"seconds={draw(st.integers(95, LONGEST_ANSWER))} delay={draw(st.integers(1, 5))}"
    again: list[Line] = [[draw(st.integers(18, 30)), f"fence {host}"] for host in hosts[:2]]
    return [[5, f"fault evacuate timeout-late {slowness} last=1"], *again]


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
def _flapping(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    """RabbitMQ or the database comes and goes: attempts fail before their guests are started, then after."""
    begin, change = draw(st.sampled_from([5, 18])), draw(st.integers(18, 40))
    before: list[Line] = [[begin, f"destination {host} fails-before-spawn"] for host in hosts]
    return before + [[change, f"destination {host} fails-after-spawn"] for host in hosts]


@st.composite
def _operator(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    host = draw(st.sampled_from(hosts))
    words = [
        f"disable {host} maintenance",
        f"disable {host}",
        f"nova-ha-disable {host} bad memory",
        f"enable {host}",
        f"clear-forced-down {host}",
    ]
    return [[draw(_anytime()), draw(st.sampled_from(words))]]


@st.composite
def _owner(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    return [[draw(_anytime()), f"delete {draw(st.sampled_from(names))}"]]


@st.composite
def _cluster(draw: st.DrawFn, hosts: list[str], names: list[str], policy: Policy) -> list[Line]:
    word = draw(st.sampled_from(["no-quorum", "no-dc", "cell-down cell1"]))
    return [[draw(_anytime()), f"{word} {draw(st.integers(1, 50))}"]]


HAPPENINGS = {
    "power": _power,
    "hang": _hang,
    "nova_compute": _nova_compute,
    "lost": _lost,
    "wedge": _wedge,
    "broken_fencing": _no_power_device,
    "api": _api,
    "untrue_list": _untrue_list,
    "late_request": _late_request,
    "lost_answer": _lost_answer,
    "fenced_while_asking": _fenced_while_asking,
    "move": _move,
    "killed_asking": _killed_asking,
    "messages": _messages,
    "destination": _destination,
    "flapping": _flapping,
    "operator": _operator,
    "owner": _owner,
    "cluster": _cluster,
}
