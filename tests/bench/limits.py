"""What nothing on this machine could beat: a bare mTLS call with one fsynced commit, and plain executemany."""

import asyncio
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio

from fieldmesh.data import ddl
from fieldmesh.data.model import Tier
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from fieldmesh.service.database import open_connection
from fieldmesh.service.grpc_server import NodeKeys, bind, open_channel, server_credentials

METHOD = "/bench.Bare/Call"


def insert_all(path: Path, rows: dict[str, list[tuple[Value, ...]]]) -> float:
    """Seconds for the rows from memory into SQLite by executemany, one transaction, same columns and indexes."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    connection = open_connection(path)
    for name in rows:
        table = TABLES[name]
        connection.execute(ddl.create_table(table, Tier.GATEWAY, "sqlite"))
        for statement in ddl.create_indexes(table, Tier.DEVICE, "sqlite"):
            connection.execute(statement)
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    for name, lines in rows.items():
        marks = ", ".join("?" * len(lines[0])) if lines else ""
        if lines:
            connection.executemany(f'INSERT INTO "{name}" VALUES ({marks})', lines)
    connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


@asynccontextmanager
async def bare_server(folder: Path, keys: NodeKeys, commits: int) -> AsyncIterator[int]:
    """The port of a server whose one call commits its content ``commits`` times, durable."""
    database = open_connection(folder / "bare.db")
    database.execute("CREATE TABLE IF NOT EXISTS bare (content BLOB)")
    lock = asyncio.Lock()

    async def call(content: bytes, _context: object) -> bytes:
        async with lock:
            for _ in range(commits):
                await asyncio.to_thread(_commit, database, content)
        return b"done"

    handler: Any = grpc.unary_unary_rpc_method_handler(call)
    endpoint = grpc.aio.server()
    endpoint.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("bench.Bare", {"Call": handler}),)
    )
    port = bind(endpoint, "127.0.0.1:0", server_credentials(lambda: keys, ask_for_certificate=True))
    await endpoint.start()
    try:
        yield port
    finally:
        await endpoint.stop(None)
        database.close()


async def one_bare_call(port: int, client: NodeKeys, content: bytes) -> float:
    """Seconds of a new mTLS connection and one call with the content."""
    started = time.perf_counter()
    channel = open_channel(f"127.0.0.1:{port}", client.authority, client)
    method: Any = channel.unary_unary(METHOD)
    assert await method(content) == b"done"
    seconds = time.perf_counter() - started
    await channel.close()
    return seconds


def _commit(database: sqlite3.Connection, content: bytes) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO bare VALUES (?)", (content,))
    database.execute("COMMIT")


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)
