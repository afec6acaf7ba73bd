# SPDX-License-Identifier: Apache-2.0
"""The tools that run the tiers and look for what they left behind can tell good from bad."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tools"))

import leftovers  # noqa: E402 (from tools/)
import run_tiers  # noqa: E402 (from tools/)

REPORT = '<testsuites><testsuite tests="6" errors="1" failures="2" skipped="1"/></testsuites>'


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Let the tools work in a folder of the test's own, with a tox that does what its argument says."""
    tox = tmp_path / "tox" / "bin" / "tox"
    tox.parent.mkdir(parents=True)
    tox.write_text('#!/bin/sh\nexec sh -c "$4"\n', encoding="utf-8")
    tox.chmod(0o755)
    monkeypatch.setattr(run_tiers, "_HERE", tmp_path)
    monkeypatch.setattr(run_tiers, "_CACHE", tmp_path)
    return tmp_path


def a_report(checkout, tier, text=REPORT):
    """Write what pytest would report of a tier."""
    tier.report.parent.mkdir(parents=True, exist_ok=True)
    tier.report.write_text(text, encoding="utf-8")


def test_tiers_are_toxs_environments():
    """Every tier is an environment of tox, and every environment that tox runs is a tier."""
    line = next(
        line for line in (CHECKOUT / "tox.ini").read_text().splitlines() if line.startswith("env_list")
    )
    assert [name.strip() for name in line.partition("=")[2].split(",")] == [t.name for t in run_tiers.TIERS]


def test_report_is_counted(checkout):
    """Errors count as failures, and skipped tests did not pass."""
    tier = run_tiers.Tier("py", 1)
    a_report(checkout, tier)
    assert run_tiers.Result(2, 3, 1, 5.0) == run_tiers._result(tier, 1, 5.0)


def test_skip_fails_where_nothing_may_be_skipped(checkout):
    """A skipped test of the lab counts as failed, although pytest is content."""
    tier = run_tiers.Tier("lab", 1, may_skip=False)
    a_report(checkout, tier, '<testsuites><testsuite tests="2" skipped="1"/></testsuites>')
    assert run_tiers.Result(1, 1, 0, 5.0) == run_tiers._result(tier, 0, 5.0)


@pytest.mark.parametrize(("status", "expected"), [(0, (1, 0)), (1, (0, 1)), (124, (0, 1))])
def test_tier_without_report_is_one_check(checkout, status, expected):
    """A tier that is not pytest's, or died before its report, passes or fails as a whole."""
    result = run_tiers._result(run_tiers.Tier("lint", 1), status, 0.0)
    assert expected == (result.passed, result.failed)


def test_failure_after_the_tests_is_a_failure(checkout):
    """A tier whose tests passed and whose exit status is bad has failed."""
    tier = run_tiers.Tier("py", 1)
    a_report(checkout, tier, '<testsuites><testsuite tests="2"/></testsuites>')
    assert 1 == run_tiers._result(tier, 1, 0.0).failed


def test_unknown_tier_is_refused():
    """A misspelt tier is an error that names the right ones, not an empty success."""
    with pytest.raises(SystemExit, match=r"'lnit'.*lint"):
        run_tiers._chosen(["lnit"])


@pytest.mark.real_subprocess
@pytest.mark.real_time
@pytest.mark.parametrize(("command", "expected"), [("exit 0", 0), ("exit 3", 3)])
def test_status_of_tox_is_kept(checkout, command, expected):
    """The exit status of tox is the tier's."""
    assert expected == run_tiers._run(["-e", command], 30)


@pytest.mark.real_subprocess
@pytest.mark.real_time
def test_tier_is_ended_when_its_time_is_over(checkout, capsys):
    """A tier that hangs is ended with all that it started."""
    note = checkout / "pid"
    status = run_tiers._run(["-e", f"sleep 60 & echo $! >{note}; wait"], 0.5)
    assert 124 == status
    assert "its time is over" in capsys.readouterr().out
    assert _ends(int(note.read_text()))


@pytest.mark.real_subprocess
@pytest.mark.real_time
def test_tier_that_is_ended_may_clean_up(checkout):
    """What tox has started gets its time to clean up, though tox itself is gone at once."""
    note = checkout / "note"
    cleaning = f"trap 'sleep 0.5; echo clean >{note}; exit' TERM; sleep 60 & wait"
    assert 124 == run_tiers._run(["-e", f"({cleaning}) & wait"], 0.5)
    assert "clean\n" == note.read_text(encoding="utf-8")


@pytest.mark.real_subprocess
@pytest.mark.real_time
def test_no_tier_runs_past_the_deadline(checkout, monkeypatch, capsys):
    """A tier that starts when all the time is used up fails at once."""
    monkeypatch.setenv("NOVA_HA_DEADLINE", str(time.time() - 1))
    assert 1 == run_tiers._section(run_tiers.Tier("sleep 60", 60)).failed
    assert "FAILED" in capsys.readouterr().out


def _ends(pid):
    """Tell whether a process that is not our child ends within two seconds; a zombie has ended."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_last_lines_of_fresh_logs_are_shown(checkout, capsys):
    """After a failure the ends of the lab's logs are printed, apart from those of earlier runs."""
    for name, changed in (("old", 1000), ("new", 3000)):
        folder = checkout / ".tox" / "lab" / "tmp" / "pytest" / name / "logs" / "compute-0"
        folder.mkdir(parents=True)
        log = folder / "x.log"
        log.write_text("".join(f"{name} {line}\n" for line in range(100)), encoding="utf-8")
        os.utime(log, (changed, changed))
    run_tiers._show_logs(2000)
    shown = capsys.readouterr().out
    assert "new 99\n" in shown
    assert "new 10\n" not in shown
    assert "old" not in shown


def test_failed_test_is_explained_at_the_end(tmp_path, capsys):
    """Where a test failed, what was wrong and what it said last is told; what is around it is not."""
    report = tmp_path / "report.xml"
    text = "    def test_it():\n>       f(1)\n\na_test.py:5: \n_ _ _\n>       raise E\nE       E: why\n\n"
    text += "a_test.py:2: E"
    said = "".join(f"line {number}\n" for number in range(20))
    report.write_text(
        '<testsuites><testsuite><testcase classname="a_test" name="test_it" time="1.5"><failure>'
        f"{text.replace('>', '&gt;')}</failure><system-out>{said}</system-out></testcase>"
        '<testcase classname="a_test" name="test_good" time="0.1"/></testsuite></testsuites>',
        encoding="utf-8",
    )
    run_tiers._explain(report)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == [
        "FAILED a_test::test_it after 1.5 s",
        "    >       f(1)",
        "    a_test.py:5: ",
        "    >       raise E",
        "    E       E: why",
        "    a_test.py:2: E",
    ]
    assert [f"    said: line {number}" for number in range(12, 20)] == lines[6:]


@pytest.mark.real_subprocess
@pytest.mark.real_time
def test_process_left_behind_is_found_and_ended(monkeypatch, capsys):
    """A process that outlives its parent is reported with its command line, is a failure, and is ended."""
    monkeypatch.setenv(leftovers._MARK, uuid.uuid4().hex)
    monkeypatch.setattr(leftovers, "_PATIENCE", 0.2)
    before = leftovers.look()
    started = subprocess.run(
        ["/bin/sh", "-c", "setsid sleep 60 >/dev/null 2>&1 & echo $!"],
        capture_output=True,
        text=True,
        check=True,
    )
    pid = int(started.stdout)
    # A shell at first, which becomes sleep.
    while not Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep"):
        time.sleep(0.02)
    assert [line for line in leftovers.complain(before) if f"process {pid}: sleep 60" in line]
    assert "left behind" in capsys.readouterr().out
    assert _ends(pid)


def test_file_left_behind_fails_in_ci_only(monkeypatch, tmp_path):
    """A new file where litter falls is a failure of the gate; elsewhere somebody else may have made it."""
    monkeypatch.setenv(leftovers._MARK, "none-has-this-mark")
    monkeypatch.setattr(leftovers, "_FOLDERS", (str(tmp_path),))
    before = leftovers.look()
    (tmp_path / "litter").touch()
    monkeypatch.delenv("CI", raising=False)
    assert [] == leftovers.complain(before)
    monkeypatch.setenv("CI", "true")
    assert f"file {tmp_path}/litter" in leftovers.complain(before)


@pytest.mark.parametrize("place", ["nova-ha-0a1b2c", "systemd/nova-ha-0a1b2c"])
def test_control_group_left_behind_fails_in_ci(monkeypatch, tmp_path, place):
    """A control group of a lab is found in the unified hierarchy and in the older layouts."""
    monkeypatch.setenv(leftovers._MARK, "none-has-this-mark")
    monkeypatch.setattr(leftovers, "_GROUPS", tmp_path)
    monkeypatch.setenv("CI", "true")
    before = leftovers.look()
    (tmp_path / place / "compute-0").mkdir(parents=True)
    assert f"control group {tmp_path / place}" in leftovers.complain(before)


@pytest.mark.real_subprocess
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_setup_without_root_is_refused():
    """Without root, the machine's setup says so in one line and touches nothing."""
    command = ["setpriv", "--reuid=65534", "--clear-groups", "/bin/sh", "-s"]
    script = (CHECKOUT / "tools" / "setup-machine").read_text().replace('cd "$(dirname "$0")/.."', "cd /")
    run = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert (1, "nova-ha: the lab needs root: run it with sudo\n") == (run.returncode, run.stderr)
