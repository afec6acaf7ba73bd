# SPDX-License-Identifier: Apache-2.0
"""What is made once is complete or made anew, and never pulled away from under another version's lab."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lab.openstack.cache import COMPLETE, UNUSED_SECONDS, fingerprint, made_once


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a cache of its own."""
    monkeypatch.setenv("NOVA_HA_CACHE", str(tmp_path))
    return tmp_path


def test_it_is_made_once() -> None:
    """The second call finds what the first one made."""
    made: list[Path] = []
    assert made_once("venv", "a", made.append) == made_once("venv", "a", made.append)
    assert len(made) == 1


def test_an_interrupted_making_leaves_nothing_half_done(cache: Path) -> None:
    """After an interruption the next call begins with an empty folder."""

    def interrupted(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made_once("venv", "a", interrupted)
    found: list[list[Path]] = []
    made_once("venv", "a", lambda folder: found.append(list(folder.iterdir())))
    assert found == [[]]


def test_a_version_that_is_in_use_is_kept(cache: Path) -> None:
    """Making another version removes only what nobody has used for a week."""
    fresh, old = (made_once("venv", mark, lambda _folder: None) for mark in ("fresh", "old"))
    long_ago = (old / COMPLETE).stat().st_mtime - UNUSED_SECONDS - 1
    os.utime(old / COMPLETE, (long_ago, long_ago))
    made_once("venv", "new", lambda _folder: None)
    assert (fresh.exists(), old.exists()) == (True, False)


def test_a_fingerprint_follows_files_and_words(tmp_path: Path) -> None:
    """Any change of content or version gives another fingerprint."""
    file = tmp_path / "constraints.txt"
    file.write_text("nova==34.0.0")
    first = fingerprint([file], "11")
    assert fingerprint([file], "11") == first
    assert fingerprint([file], "12") != first
    file.write_text("nova==34.0.1")
    assert fingerprint([file], "11") != first
