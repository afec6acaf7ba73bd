# SPDX-License-Identifier: Apache-2.0
"""Nova's databases in sqlite files, made to stand several threads, and a way to cut off the cell."""

from __future__ import annotations

import sqlite3
from typing import Any

from oslo_db import exception as db_exception
from oslo_db.sqlalchemy import enginefacade
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.contract.embedded.settings import Layout

CELL0 = "00000000-0000-0000-0000-000000000000"
CELL1 = "1b3c2a10-0000-4000-8000-000000000001"


class CellDoor:
    """The way from nova-api and the schedulers into the cell; `is_shut` makes the cell a down cell.

    nova-compute and the cell's conductor reach the same database by another path, and go on.
    """

    def __init__(self, layout: Layout) -> None:
        self._prefix = str(layout.folder / "cell")
        self.is_shut = False
        event.listen(Engine, "do_connect", self._connect)

    def _connect(self, _dialect: Any, _record: Any, arguments: Any, _options: Any) -> None:
        if self.is_shut and str(arguments[0]).startswith(self._prefix):
            raise db_exception.DBConnectionError(sqlite3.OperationalError("the cell is down"))


_READS = "nova_ha_reads"


def _begin(conn: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> tuple[str, Any]:
    """Let who will write take sqlite's lock at once: a lock taken at the first change may find stale data."""
    if statement == "BEGIN" and not conn.get_execution_options().get(_READS):
        statement = "BEGIN IMMEDIATE"
    return statement, parameters


def _mark_readers() -> None:
    """Mark the connections of who only reads: in Placement one reads inside of another's transaction."""
    factory = enginefacade._TransactionFactory
    original = factory._create_session

    def create_session(self: Any, mode: Any, bind: Any = None) -> Any:
        if bind is None and mode is not enginefacade._WRITER:
            self.get_writer_engine()
            bind = self._writer_engine.execution_options(**{_READS: True})
        return original(self, mode, bind)

    factory._create_session = create_session


def prepare(layout: Layout) -> CellDoor:
    """Make sqlite fit for threads; return the way into the cell."""
    for name in ("nova_api", "nova_cell0", "nova_cell1", "placement"):
        with sqlite3.connect(layout.folder / "db" / f"{name}.sqlite") as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
    event.listen(Engine, "before_cursor_execute", _begin, retval=True)
    _mark_readers()
    return CellDoor(layout)


def create_schema(layout: Layout) -> None:
    """Create Nova's tables as its own migrations do, with cell0 and one cell."""
    from nova import context, objects
    from nova.db import migration

    migration.db_sync(database="api")
    migration.db_sync(database="main")
    admin = context.get_admin_context()
    cell0 = _add_cell(admin, CELL0, "cell0", layout.database("nova_cell0"), "none:///")
    _add_cell(admin, CELL1, "cell1", layout.database("nova_cell1", "cell"), "fake:/")
    with context.target_cell(admin, cell0) as inside:
        migration.db_sync(database="main", context=inside)
    del objects


def _add_cell(admin: Any, uuid: str, name: str, database: str, transport: str) -> Any:
    from nova import objects

    cell = objects.CellMapping(
        context=admin, uuid=uuid, name=name, database_connection=database, transport_url=transport
    )
    cell.create()
    return cell
