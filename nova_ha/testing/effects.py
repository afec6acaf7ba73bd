# SPDX-License-Identifier: Apache-2.0
"""Counts the effects of an evacuator, so that something can happen right after any one of them."""

from __future__ import annotations

from typing import Any, Callable

from nova_ha.errors import NovaHaError

#: Methods of the ports that change something outside of the evacuator.
EFFECTS = frozenset(
    {
        "tell_down",
        "clear_forced_down",
        "disable",
        "enable",
        "evacuate",
        "stop",
        "hard_reboot",
        "reset_to_error",
        "write_record",
        "mark_evacuated",
        "clear_record",
        "publish_state",
        "publish_wedged",
        "fence",
        "remember",
        "restart_compute",
        "append",
        "sync",
    }
)


class Watched:
    """A port whose effects are announced, each right after it took place.

    Args:
        port: the port behind; methods that are no effects pass through.
        announce: called with the name of the effect; may raise `nova_ha.testing.clock.Killed`.
    """

    def __init__(self, port: object, announce: Callable[[str], None]) -> None:
        self._port = port
        self._announce = announce

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for any method of the port
        """Return the port's own method, announced if it has an effect."""
        method = getattr(self._port, name)
        if name not in EFFECTS:
            return method

        def announced(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
            try:
                answer = method(*arguments, **named)
            except NovaHaError:
                self._announce(name)
                raise
            self._announce(name)
            return answer

        return announced
