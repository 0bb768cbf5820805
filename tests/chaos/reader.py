"""What a person sees on a device at one moment, read in one transaction. A torn state would show here."""

import sqlite3
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
_TORN_ORDERS = """
SELECT lower(hex(o.id)) FROM sales_order AS o
 WHERE o.amount <> (SELECT coalesce(sum(l.amount), 0) FROM order_line AS l WHERE l.order_id = o.id)
"""


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
