# SPDX-License-Identifier: Apache-2.0
"""The manual pages are made from the options, the agents' texts and the command's parser."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import pytest

from nova_ha.agents.ocf import DEGRADED
from nova_ha.command import INTERRUPTED
from nova_ha.settings.options import COMPUTE, EVACUATE, FENCE, for_program

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tools"))

import command_line  # noqa: E402 (from tools/)
import man_pages  # noqa: E402 (from tools/)
import roff  # noqa: E402 (from tools/)

PAGES = {
    FENCE: "fence_compute.8",
    EVACUATE: "ocf_openstack_NovaEvacuate.7",
    COMPUTE: "ocf_openstack_NovaCompute.7",
}


def made(name):
    """Return a page as it would be written now."""
    return man_pages.pages()[man_pages.MAN / name]


def test_pages_are_fresh():
    """The pages in the checkout are those that their sources ask for."""
    assert 0 == man_pages.main(["--check"])


def test_no_page_without_a_source():
    """Every page in the folder is made from a frame."""
    found = {path.name for path in man_pages.MAN.iterdir() if path.suffix != ".in"}
    assert found == {path.name for path in man_pages.pages()}


@pytest.mark.parametrize("program", PAGES)
def test_every_option_is_explained(program):
    """A page names every option of its program, with its default."""
    page = made(PAGES[program])
    for option in for_program(program):
        assert f".TP\n{roff.bold(option.name)}" in page
        if option.default is not None:
            assert f"default {roff.bold(option.default)}" in page


@pytest.mark.parametrize("program", PAGES)
def test_nothing_is_left_of_the_frame(program):
    """Every place of the frame is filled."""
    assert "\n@" not in made(PAGES[program])


def test_examples_of_nova_compute_are_complete():
    """Each example has the thorough monitor, without which a nova-compute that cannot work stays."""
    examples = re.findall(r"^\.EX$(.*?)^\.EE$", made(PAGES[COMPUTE]), re.MULTILINE | re.DOTALL)
    assert 2 == len(examples)
    assert all("op monitor interval=60s timeout=60s OCF_CHECK_LEVEL=10" in example for example in examples)


@pytest.mark.parametrize(
    ("page", "status"),
    [(PAGES[COMPUTE], DEGRADED), (PAGES[EVACUATE], DEGRADED), ("nova-ha.8", INTERRUPTED)],
)
def test_exit_status_is_explained(page, status):
    """The exit statuses that are not everybody's are in the pages."""
    assert f".TP\n.B {status}\n" in made(page)


def test_stale_page_is_reported_and_renewed(tmp_path, monkeypatch, capsys):
    """A page that differs fails the check, stays as it is, and is written by the tool without arguments."""
    for frame in man_pages.MAN.glob("*.in"):
        (tmp_path / frame.name).write_text(frame.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(man_pages, "MAN", tmp_path)
    assert 0 == man_pages.main([])
    stale = tmp_path / "fence_compute.8"
    stale.write_text("old", encoding="utf-8")
    assert 1 == man_pages.main(["--check"])
    assert "stale in man/: fence_compute.8: run tools/man_pages.py" in capsys.readouterr().err
    assert "old" == stale.read_text(encoding="utf-8")
    assert 0 == man_pages.main([])
    assert 0 == man_pages.main(["--check"])


def test_no_frames_are_an_error(tmp_path, monkeypatch):
    """A folder without frames is a mistake, not a project without manual."""
    monkeypatch.setattr(man_pages, "MAN", tmp_path)
    with pytest.raises(ValueError, match="no frame of a page"):
        man_pages.pages()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-k, --auth-url", "\\-k, \\-\\-auth\\-url"),
        (r"C:\x", "C:\\ex"),
        ("'quoted'", "\\(aqquoted\\(aq"),
    ],
)
def test_signs_of_the_formatter(text, expected):
    """What has a meaning to the formatter is shown as it is."""
    assert expected == roff.escape(text)


def test_no_line_is_an_order_by_accident():
    """A line of text that begins with a dot or a quote stays text."""
    assert "\\&.config is read\n.PP\n\\&\\(aqx\\(aq too" == roff.prose(".config is read\n\n'x' too")


def test_a_sentence_is_a_line():
    """Sentences are told apart, abbreviations of versions are not torn."""
    assert "One.\nTwo, as in v1.2.3." == roff.prose("One. Two,\nas in v1.2.3.")


def parser():
    """Return a command line such as that of nova-ha."""
    whole = argparse.ArgumentParser(prog="nova-ha")
    whole.add_argument("--version", action="store_true", help="print the version")
    parts = whole.add_subparsers()
    status = parts.add_parser("status", help="show hosts and recoveries")
    status.add_argument("--json", action="store_true", help="print JSON")
    status.add_argument("--cloud", help="as every command has it")
    status.add_argument("--hidden", help=argparse.SUPPRESS)
    evacuate = parts.add_parser("evacuate", description="Evacuate a host.")
    evacuate.add_argument("host", metavar="HOST", help="name of the host")
    evacuate.add_argument("--width", type=int, default=5, help="at the same time (default %(default)s)")
    return whole


def test_general_arguments():
    """What stands before the subcommand is listed, without the help that every command has."""
    assert ".TP\n\\fB\\-\\-version\\fR\nPrint the version." == command_line.general(parser())


def test_subcommands():
    """Each subcommand has a section with its own arguments, and not those that every one has."""
    text = command_line.commands(parser())
    assert ".SS nova\\-ha status\nShow hosts and recoveries.\n.TP\n\\fB\\-\\-json\\fR\nPrint JSON." in text
    assert "cloud" not in text
    assert "hidden" not in text


def test_subcommand_without_a_short_help():
    """A subcommand that the help does not list is none for the manual either."""
    assert "evacuate" not in command_line.commands(parser())


def test_positional_arguments_and_defaults():
    """Positional arguments stand in the heading and in the list; defaults are filled in."""
    whole = parser()
    sub = whole._subparsers._group_actions[0]
    sub._choices_actions.append(sub._ChoicesPseudoAction("evacuate", (), "Evacuate"))
    text = command_line.commands(whole)
    assert ".SS nova\\-ha evacuate HOST\nEvacuate a host.\n.TP\n\\fIHOST\\fR\nName of the host." in text
    assert "\\fB\\-\\-width\\fR \\fIWIDTH\\fR\nAt the same time (default 5)." in text


def test_command_that_is_not_there(monkeypatch):
    """A checkout without the command has no page about it; another missing module is an error."""
    monkeypatch.setitem(sys.modules, "nova_ha.command", None)

    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(command_line.importlib, "import_module", missing)
    assert command_line.parser() is None
    assert man_pages.MAN / "nova-ha.8" not in man_pages.pages()

    def broken(_name):
        raise ModuleNotFoundError("No module named 'yaml'", name="yaml")

    monkeypatch.setattr(command_line.importlib, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="yaml"):
        command_line.parser()
