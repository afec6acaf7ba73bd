# SPDX-License-Identifier: Apache-2.0
"""The command line of nova-ha: options from the one table, no secrets, one line for a mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nova_ha import __version__, command
from nova_ha.commands import run
from nova_ha.errors import NovaUnavailable
from nova_ha.settings.options import COMMAND, for_program


def call(capsys, *arguments):
    """Call the command; return exit status, output and complaint."""
    try:
        status = command.main(arguments)
    except SystemExit as end:
        status = end.code
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.fixture
def seen(monkeypatch):
    """Let a subcommand only note how it is called."""
    calls = []

    def note(here, line):
        calls.append((dict(here.given), line))
        return 7

    monkeypatch.setattr(run, "SUBCOMMANDS", dict.fromkeys(run.SUBCOMMANDS, note))
    return calls


def test_options_before_and_after(capsys, seen):
    """Options of the table may stand on both sides of the subcommand, with hyphens or underscores."""
    line = ("--cloud", "mycloud", "evacuate", "--clouds_yaml=/c", "compute-0", "--insecure")
    assert 7 == call(capsys, *line)[0]
    ((given, parsed),) = seen
    assert {"cloud": "mycloud", "clouds_yaml": "/c", "insecure": "1"} == given
    assert ("evacuate", "compute-0") == (parsed.command, parsed.host)


def test_every_option_is_there(capsys, seen):
    """Each option of the table for the command is understood under its name."""
    for option in for_program(COMMAND):
        if option.secret:
            continue
        is_flag = option.kind == "boolean" and option.default in (None, "0")
        words = [f"--{option.name.replace('_', '-')}"] + ([] if is_flag else ["x"])
        assert 7 == call(capsys, "status", *words)[0], option.name
        assert option.name in seen[-1][0]


@pytest.mark.parametrize("words", [("--password", "hush"), ("--password=hush",), ("--passwd=hush",)])
def test_secrets_are_refused(capsys, seen, words):
    """A secret on the command line is refused without being repeated: everybody could see it there."""
    status, out, complaint = call(capsys, "status", *words)
    assert (64, "", []) == (status, out, seen)
    assert "arguments are for everybody on this machine to see" in complaint
    assert "hush" not in complaint


@pytest.mark.parametrize("words", [(), ("dance",), ("evacuate",), ("status", "--colour")])
def test_mistakes(capsys, words):
    """A mistake is one line and exit status 64."""
    status, out, complaint = call(capsys, *words)
    assert (64, "", 1) == (status, out, complaint.count("\n"))
    assert complaint.startswith("nova-ha: ")


def test_version(capsys):
    """The version is nova-ha's."""
    assert (0, f"nova-ha {__version__}\n", "") == call(capsys, "--version")


def test_help_explains_every_subcommand(capsys):
    """The help names each subcommand; each has a description of its own."""
    shown = call(capsys, "--help")[1]
    for word in run.SUBCOMMANDS:
        assert f"    {word}" in shown
        help_of_word = call(capsys, word, "--help")[1]
        assert help_of_word.startswith(f"usage: nova-ha {word} ")
        assert len(help_of_word.split()) > 30


def test_help_fits_a_screen(capsys, monkeypatch):
    """The options of the table are left to the manual, which the help names; it is short and narrow."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = call(capsys, "--help")[1].splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert "man nova-ha" in "\n".join(lines)
    assert not [line for line in lines if line.lstrip().startswith("--auth")]


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (NovaUnavailable("Nova is\naway"), 1, "nova-ha: Nova is away\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "nova-ha: /x: Permission denied\n"),
        (ValueError("oops"), 1, "nova-ha: defect in nova-ha: ValueError: oops\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_are_one_line(capsys, monkeypatch, error, status, said):
    """Whatever goes wrong an admin reads one line, never a traceback."""

    def fail(_here, _line):
        raise error

    monkeypatch.setattr(run, "SUBCOMMANDS", {"status": fail})
    assert (status, "", said) == call(capsys, "status")


def run_into(output, *words):
    """Run the program with that standard output; return exit status and complaint."""
    program = (sys.executable, "-c", "from nova_ha.command import entry; entry()", *words)
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ended = subprocess.run(
        program, stdout=output, stderr=subprocess.PIPE, text=True, check=False, env=environment
    )
    return ended.returncode, ended.stderr


@pytest.mark.real_subprocess
def test_reader_that_is_gone():
    """Nobody who has closed a pipe early, such as true(1), makes it print a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert (0, "") == run_into(writing, "--version")
    finally:
        os.close(writing)


@pytest.mark.real_subprocess
def test_full_disk():
    """Output that could not be written is a failure, with its reason in one line."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        assert (1, "nova-ha: standard output: No space left on device\n") == run_into(full, "--version")


def test_wiring(commands, monkeypatch, tmp_path):
    """Each subcommand reaches its module with what the command line says."""
    monkeypatch.setattr(run, "LOG_FILE", tmp_path / "nova-ha.log")
    monkeypatch.setattr(command.logging, "basicConfig", lambda **_: None)
    parse = command.parser().parse_args

    def go(*words):
        line = parse(words)
        return run.SUBCOMMANDS[line.command](commands.here(), line)

    assert 0 == go("disable", "compute-1", "--reason", "new memory")
    assert "new memory" in commands.world.cloud.computes["compute-1"].disabled_reason
    assert 0 == go("enable", "compute-1")
    commands.die("compute-0")
    assert 0 == go("evacuate", "compute-0", "--confirm-host-is-off", "Ann pulled the plug")
    assert 0 == go("status")
    assert "evacuated" in (tmp_path / "nova-ha.log").read_text()
    assert 0 == go("return", "compute-1")


def test_doctor_wiring(commands):
    """Doctor prints its findings and ends with their exit status."""
    line = command.parser().parse_args(["doctor", "--json"])
    commands.with_pacemaker(evacuator=True)
    status = run.doctor(commands.here(settings={}), line)
    shown = json.loads(commands.text)
    assert {"compute-2"} == {f["subject"] for f in shown["findings"] if f["check"] == "host-name"}
    assert 2 == status


def test_doctor_on_a_compute_node(commands, capsys):
    """Where there are no credentials doctor says where it is to be run, and finds nothing."""
    line = command.parser().parse_args(["doctor"])
    commands.with_pacemaker(evacuator=True)
    assert 3 == run.doctor(commands.here(settings={}, machine="compute-1"), line)
    assert "nova-ha: compute-1 is a compute node: run doctor on a controller\n" == capsys.readouterr().err
    assert [] == commands.said
