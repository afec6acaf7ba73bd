#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run the tiers of tests through tox, each within its time, and say at the end what passed and what failed.

Without arguments all tiers run, otherwise the named ones. A tier without a report of pytest counts as one
check. A skipped test of a tier that promises to fail rather than skip counts as failed. Everything ends by
NOVA_HA_DEADLINE (seconds since 1970), if that is set.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import leftovers

_HERE = Path(__file__).resolve().parent.parent
_CACHE = Path(os.environ.get("NOVA_HA_CACHE") or "~/.cache/nova-ha").expanduser().absolute()
#: Seconds until what was asked to end is killed; pytest takes its labs down meanwhile.
_PATIENCE = 15.0
_TAIL = 30
#: Lines of what a failed test complains of first, of what it complains of last, and of what it said.
_COMPLAINT = 8
#: What pytest puts before the failed line and its complaint; and a place, such as ``a_test.py:7: Error``.
_HEART = re.compile(r"[>E]  |\S+\.py:\d+: ")
#: Where labs run: the one that a person brings up, and those of the tests.
_LOGS = (".lab", ".tox/lab/tmp")


@dataclass(frozen=True)
class Tier:
    """A tox environment, the seconds it may take, whether a skipped test is a failure, its own arguments."""

    name: str
    seconds: float
    tests: str | None = None
    may_skip: bool = True
    arguments: tuple[str, ...] = ()

    @property
    def report(self) -> Path:
        """Where pytest leaves its report."""
        return _HERE / ".tox" / self.name / "report.xml"

    @property
    def is_empty(self) -> bool:
        """Tell whether the checkout has no test of this tier."""
        return self.tests is not None and not any((_HERE / self.tests).rglob("test_*.py"))


@dataclass(frozen=True)
class Result:
    """What became of a tier, in numbers of tests and in seconds."""

    passed: int
    failed: int
    skipped: int = 0
    seconds: float = 0.0


TIERS = (
    Tier("lint", 180),
    Tier("type", 300),
    Tier("py", 1200),
    Tier("py-debian12", 300),
    Tier("bench", 180, arguments=("--", "--quick")),
    Tier("contract", 600, "tests/contract"),
    Tier("conformance", 360, "tests/conformance", may_skip=False),
    Tier("packages", 240, "tests/packages", may_skip=False),
    Tier("lab", 2040, "tests/lab", may_skip=False),
)


def main(names: list[str]) -> int:
    """Run the named tiers, or all, and return 0 if everything passed."""
    # As Ctrl-C does: end the tier that runs, too, and its labs.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    _keep_downloads()
    before = leftovers.look()
    results = {tier.name: _section(tier) for tier in _chosen(names)}
    results["leftovers"] = _count(leftovers.complain(before))
    _summarise(results)
    return int(any(result.failed for result in results.values()))


def _keep_downloads() -> None:
    """Let pip and whatever else fetches or remembers something do so in the cache folder."""
    os.environ.update(
        NOVA_HA_CACHE=str(_CACHE), PIP_CACHE_DIR=str(_CACHE / "pip"), XDG_CACHE_HOME=str(_CACHE / "other")
    )


def _chosen(names: list[str]) -> list[Tier]:
    """Return the tiers to run; a tier that is still without tests runs when it is asked for by name."""
    known = {tier.name: tier for tier in TIERS}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"nova-ha: no tier is called {unknown[0]!r}: name some of {', '.join(known)}")
    return [known[name] for name in names] or [tier for tier in TIERS if not tier.is_empty]


def _section(tier: Tier) -> Result:
    """Run one tier under a heading, and close it with what came out and the seconds."""
    print(f"\n=== {tier.name}", flush=True)
    tier.report.unlink(missing_ok=True)
    begin, since = time.monotonic(), time.time()
    status = _run(["-e", tier.name, *tier.arguments], min(tier.seconds, _seconds_left()))
    seconds = time.monotonic() - begin
    result = _result(tier, status, seconds)
    if result.failed and tier.name == "lab":
        _show_logs(since)
    print(f"--- {tier.name}: {'FAILED' if result.failed else 'passed'} in {seconds:.0f} s", flush=True)
    return result


def _seconds_left() -> float:
    """Return how long all tiers together may still take."""
    return max(0.0, float(os.environ.get("NOVA_HA_DEADLINE", "inf")) - time.time())


def _run(arguments: list[str], seconds: float) -> int:
    """Run tox and return its exit status, or 124 when it had to be ended because its time was over."""
    tox = _CACHE / "tox" / "bin" / "tox"
    with subprocess.Popen(
        [tox, "run", "-q", *arguments], cwd=_HERE, stdin=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            print(f"nova-ha: ended after {seconds:.0f} s: its time is over", flush=True)
            _end(process)
            return 124
        except BaseException:
            _end(process)
            raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started in its session, first kindly.

    tox is gone at once, before the tests that it runs: these take their labs down (tests/lab/conftest.py).
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        _tell(process, number)
        deadline = time.monotonic() + _PATIENCE
        while _tell(process, 0) and time.monotonic() < deadline:
            time.sleep(0.1)


def _tell(process: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to all in a process's session, 0 to send none; say whether anybody is there."""
    process.poll()
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def _result(tier: Tier, status: int, seconds: float) -> Result:
    """Count the tests of a tier; one that failed without a failed test counts as one failure."""
    passed, failed, skipped = _counts(tier.report) if tier.report.exists() else (int(not status), 0, 0)
    if not tier.may_skip:
        failed, skipped = failed + skipped, 0
    return Result(passed, max(failed, int(bool(status))), skipped, seconds)


def _counts(report: Path) -> tuple[int, int, int]:
    """Return how many tests passed, failed and were skipped, from pytest's report."""
    suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 (our own report)
    total, errors, failures, skipped = (
        sum(int(suite.get(key, 0)) for suite in suites) for key in ("tests", "errors", "failures", "skipped")
    )
    return max(0, total - errors - failures - skipped), errors + failures, skipped


def _count(complaints: list[str]) -> Result:
    """Count what was left behind: a failure each; nothing left is one passed check."""
    return Result(int(not complaints), len(complaints))


def _show_logs(since: float) -> None:
    """Print the ends of the lab's logs, as far as something was written to them since then."""
    for log in sorted(log for root in _LOGS for log in (_HERE / root).rglob("logs/**/*.log")):
        if log.is_file() and log.stat().st_mtime >= since:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:]
            print(f"--- {log.relative_to(_HERE)}", *lines, sep="\n", flush=True)


def _explain(report: Path) -> None:
    """Print each test that failed, where and why: whoever reads only the end learns of it."""
    for test in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 (our own report)
        for problem in (*test.iterfind("failure"), *test.iterfind("error")):
            print(f"FAILED {test.get('classname')}::{test.get('name')} after {test.get('time')} s")
            said = (test.findtext("system-out") or "").rstrip().splitlines()[-_COMPLAINT:]
            for line in (*_heart(problem), *(f"said: {line}" for line in said)):
                print(f"    {line[:300]}")


def _heart(problem: ET.Element) -> list[str]:
    """Return of a complaint what pytest marks as such, and the places from which it came."""
    lines = [line for line in (problem.text or "").splitlines() if _HEART.match(line)]
    if not lines:
        return [problem.get("message") or ""]
    # The first places are the test's own; the last complaint is what was wrong.
    return lines if len(lines) <= 2 * _COMPLAINT else [*lines[:_COMPLAINT], "...", *lines[-_COMPLAINT:]]


def _summarise(results: dict[str, Result]) -> None:
    """Print what failed, a table of the tiers, and as the last line the sums."""
    failed = [t for t in TIERS if t.name in results and results[t.name].failed and t.report.exists()]
    if failed:
        print("\n=== failures")
    for tier in failed:
        _explain(tier.report)
    print("\n=== summary")
    for name, result in results.items():
        counts = f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped"
        print(f"{name:12} {counts:40} {result.seconds:6.0f} s")
    passed, failed = (
        sum(getattr(result, key) for result in results.values()) for key in ("passed", "failed")
    )
    print(f"{passed} passed, {failed} failed in {sum(r.seconds for r in results.values()):.0f}s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
