# SPDX-License-Identifier: Apache-2.0
"""The tests' side of an embedded Nova: starts its process, gives it orders, ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_CHECKOUT = Path(__file__).resolve().parents[3]
_SECONDS_TO_END = 20


class EmbeddedNova:
    """A process with a whole Nova in it.

    Attributes:
        log: what the process wrote to its error stream; Nova's own log lies beside it.
        auth_url: Keystone's URL.
        compute: nova-api's URL, without version.
    """

    def __init__(self, folder: Path, hosts: Sequence[str]) -> None:
        self.log = folder / "process.log"
        with self.log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.contract.embedded", str(folder), *hosts],
                cwd=_CHECKOUT,
                env=_environment(folder),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        addresses = self._answer()
        self.auth_url: str = addresses["auth_url"]
        self.compute: str = addresses["compute"]

    def call(self, name: str, *arguments: object) -> Any:
        """Let the process call a method of `cloud.Cloud`; return its result."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"call": name, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"the embedded Nova has ended:\n{self.log.read_text(encoding='utf-8')[-4000:]}"
            )
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"the embedded Nova failed:\n{answer['error']}")
        return answer["result"]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_SECONDS_TO_END)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment in which the process writes nothing outside of its folder."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
