"""What a person sees on a device at one moment, read in one transaction. A torn state would show here."""

import hashlib
import sqlite3
from collections.abc import Iterable
from typing import Any

from fieldmesh.codec.batch import decode_body, decode_header

FIRST_AMOUNT = 77_000_000
"""Pair number n is a price of this and n, and the word `pair n` in a product's name and in outlets' postal codes."""
WORD = "pair "
_FIND = """
SELECT (SELECT json_group_array(DISTINCT amount) FROM price WHERE amount BETWEEN ?1 AND ?1 + 9999999),
       (SELECT json_group_array(DISTINCT name) FROM product WHERE name LIKE ?2),
       (SELECT json_group_array(DISTINCT postal_code) FROM outlet WHERE postal_code LIKE ?2)
"""
_NEWEST_ORDER = """
SELECT max(o.created_at) FROM sales_order AS o JOIN outlet AS t ON t.id = o.outlet_id WHERE t.code LIKE 'O____-0000'
"""
_TORN_ORDERS = """
SELECT lower(hex(o.id)) FROM sales_order AS o
 WHERE o.amount <> (SELECT coalesce(sum(l.amount), 0) FROM order_line AS l WHERE l.order_id = o.id)
"""


CONTENT = {
    "sales_order": ("outlet_id", "date", "comment", "amount"),
    "order_line": ("order_id", "line_number", "product_unit_id", "quantity", "price", "amount"),
    "visit": ("outlet_id", "started_at", "finished_at"),
    "payment": ("outlet_id", "kind", "amount"),
    "gps_point": ("at", "latitude", "longitude"),
    "contact": ("outlet_id", "name"),
}
"""What people write into a new row, and nobody changes."""


def content(values: Iterable[object]) -> str:
    """What the values of `CONTENT` look like in a history."""
    whole = repr([one.hex() if isinstance(one, bytes) else one for one in values])
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def contents(connection: sqlite3.Connection, rows: Iterable[list[str]]) -> list[str]:
    """The content of rows given as table and id; empty for one that has gone, or whose table has no `CONTENT`."""
    found = []
    for table, row in rows:
        names = CONTENT.get(table, ())
        text = f"SELECT {', '.join(names)} FROM {table} WHERE id = ?"
        values = connection.execute(text, (bytes.fromhex(row),)).fetchone() if names else None
        found.append(content(values) if values else "")
    return found


def newest_order(connection: sqlite3.Connection) -> int:
    """When the newest order was made at the outlet that never leaves its rep; 0 = there is none.

    Of each outlet the newest orders stay, by the time at which they were made: this never goes back.
    """
    return int(connection.execute(_NEWEST_ORDER).fetchone()[0] or 0)


def new_sessions(connection: sqlite3.Connection, known: set[str]) -> list[str]:
    """Sync sessions that ended and are not known yet; from now on they are known."""
    found = [row[0] for row in connection.execute("SELECT lower(hex(session_id)) FROM fm_session")]
    new = sorted(set(found) - known)
    known.update(new)
    return new


def pair(connection: sqlite3.Connection) -> list[str]:
    """The three parts of the newest pair as JSON lists: amounts, names, postal codes. At any node."""
    return [str(one) for one in connection.execute(_FIND, (FIRST_AMOUNT, f"{WORD}%")).fetchone()]


def torn_orders(connection: sqlite3.Connection) -> list[str]:
    """Orders whose lines do not add up to their amount."""
    return [row[0] for row in connection.execute(_TORN_ORDERS)]


def standing(connection: sqlite3.Connection) -> dict[str, Any]:
    """Where a device stands: epoch, cursor, ticks by gateway, areas with rows."""
    state = connection.execute(
        "SELECT device_epoch, next_sequence, cursor_lsn, hub_epoch, hub_sequence, must_initialize,"
        " lower(hex(position_id)) FROM fm_device"
    ).fetchone()
    ticks = connection.execute("SELECT lower(hex(gateway_id)), device_epoch, sequence FROM fm_tick")
    areas = connection.execute("SELECT DISTINCT partition FROM fm_digest WHERE rows > 0")
    waiting = connection.execute("SELECT count(*) FROM fm_outbox").fetchone()[0]
    return {
        "epoch": state[0],
        "next": state[1],
        "cursor": state[2],
        "hub": [state[3], state[4]],
        "fenced": state[5],
        "position": state[6],
        "gateways": {row[0]: [row[1], row[2]] for row in ticks},
        "areas": sorted(row[0] for row in areas),
        "waiting": waiting,
    }


def packed(
    connection: sqlite3.Connection, known: set[tuple[int, int, str]]
) -> list[dict[str, Any]]:
    """Batches that wait and are not known yet, with the rows in their bytes; from now on they are known."""
    found = []
    every = connection.execute(
        "SELECT device_epoch, sequence, lower(hex(sha256)), header, body FROM fm_outbox ORDER BY 1, 2"
    ).fetchall()
    for epoch, sequence, sha256, header, body in every:
        if (epoch, sequence, sha256) in known:
            continue
        known.add((epoch, sequence, sha256))
        held = [
            [change.rows.table, row_id.hex()]
            for change in decode_body(decode_header(header), body)
            for row_id in change.rows.column("id")
            if isinstance(row_id, bytes)
        ]
        found.append({"epoch": epoch, "seq": sequence, "sha": sha256, "rows": held})
    return found
