# SPDX-License-Identifier: Apache-2.0
"""The process of an embedded Nova: python3 -m tests.contract.embedded FOLDER HOST...

It reads requests from its standard input, one JSON object a line, as in ``{"call": "power_off", "arguments":
["host-1"]}``, and answers each with a line ``{"result": ...}`` or ``{"error": ...}``. It ends when its input
ends.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO


def main(folder: str, hosts: list[str]) -> None:
    """Start everything, say so, and obey until the input ends."""
    # The tests read this stream: whatever else Nova's libraries print goes to the error stream.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.argv = ["nova-embedded"]
    # kill -USR1 shows in process.log what every thread is doing.
    faulthandler.register(signal.SIGUSR1)
    from nova import monkey_patch

    monkey_patch.patch(backend="threading")
    from tests.contract.embedded.cloud import Cloud

    _obey(Cloud(Path(folder), hosts), answers)


def _obey(cloud: Any, answers: TextIO) -> None:
    _say(answers, {"result": cloud.addresses()})
    for line in sys.stdin:
        _say(answers, _answer(cloud, json.loads(line)))


def _answer(cloud: Any, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": getattr(cloud, request["call"])(*request["arguments"])}
    except Exception:  # noqa: BLE001 - the test that asked shall show it
        return {"error": traceback.format_exc()}


def _say(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2:])
    except BaseException:  # noqa: BLE001 - a thread of Nova must not keep a failed process alive
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    # Threads of a nova-compute that was killed wait for ever; nothing here needs an orderly end.
    os._exit(0)
