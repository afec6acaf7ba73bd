# SPDX-License-Identifier: Apache-2.0
"""The package that the lab installs, without building one."""

from __future__ import annotations

import pytest

from tests.lab import product


@pytest.fixture
def builds(tmp_path, monkeypatch):
    """Count builds, which here only put one file of each kind into the package."""
    seen = []

    def build(checkout, folder):
        seen.append(folder)
        for place in product._PLACES.values():
            (folder / place).mkdir(parents=True)
            (folder / place / "file").write_text((checkout / "setup.py").read_text())

    monkeypatch.setenv("NOVA_HA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(product, "_build", build)
    return seen


@pytest.fixture
def checkout(tmp_path):
    """Give a checkout of which every source exists."""
    folder = tmp_path / "checkout"
    for name in product._SOURCES:
        path = folder / name if "." in name or name.isupper() else folder / name / "file"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    return folder


def test_every_source_is_there():
    """The sources that decide about a new build are in this checkout."""
    from tests.lab import layout

    assert [] == [name for name in product._SOURCES if not (layout.checkout() / name).exists()]


def test_built_once(checkout, builds, tmp_path):
    """The second lab of a checkout takes what the first has built."""
    for number in (1, 2):
        product.install(checkout, tmp_path / f"overlay-{number}")
    assert 1 == len(builds)
    assert "old" == (tmp_path / "overlay-2/ocf/file").read_text()


def test_an_edit_shows(checkout, builds, tmp_path):
    """After an edit, and after a change of a mode, the package is built again."""
    product.install(checkout, tmp_path / "overlay-1")
    (checkout / "setup.py").write_text("new")
    product.install(checkout, tmp_path / "overlay-2")
    assert "new" == (tmp_path / "overlay-2/sbin/file").read_text()
    (checkout / "agents/file").chmod(0o755)
    product.install(checkout, tmp_path / "overlay-3")
    assert 3 == len(builds)


def test_what_tools_leave_is_no_edit(checkout, builds, tmp_path):
    """Compiled modules do not count."""
    product.install(checkout, tmp_path / "overlay-1")
    (checkout / "nova_ha/__pycache__").mkdir()
    (checkout / "nova_ha/__pycache__/x.pyc").write_text("x")
    product.install(checkout, tmp_path / "overlay-2")
    assert 1 == len(builds)
