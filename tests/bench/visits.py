"""What a visit brings, for devices that have no database: an order, a questionnaire, a track; 21 rows."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.codec import signature
from fieldmesh.codec.batch import BatchDraft, Change, Operation, encode_batch
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from fieldmesh.wire.v1 import batch_pb2

LINES, ANSWERS, POINTS = 12, 4, 2
VISIT_ROWS = 3 + LINES + ANSWERS + POINTS
Rows = dict[str, list[tuple[Value, ...]]]
NAMES: dict[str, tuple[str, ...]] = {
    "visit": ("id", "outlet_id", "started_at"),
    "sales_order": ("id", "outlet_id", "visit_id", "number", "amount"),
    "order_line": (
        "id", "order_id", "line_number", "product_unit_id", "quantity", "price", "amount",
    ),
    "survey_response": ("id", "visit_id", "template_id"),
    "answer": ("id", "response_id", "question_id", "value"),
    "gps_point": ("id", "at", "latitude", "longitude"),
}  # fmt: skip
"""Columns that are filled, by table; parents first."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What visits refer to."""

    outlets: Sequence[bytes]
    units: Sequence[bytes]
    template: bytes
    questions: Sequence[bytes]


def visit_rows(
    facts: Facts, new: Callable[[], bytes], choose: random.Random, *, count: int, now: int
) -> Rows:
    """Rows of so many visits, by table."""
    rows: Rows = {table: [] for table in NAMES}
    for number in range(count):
        visit, order, response = new(), new(), new()
        outlet = choose.choice(facts.outlets)
        rows["visit"].append((visit, outlet, now))
        rows["sales_order"].append((order, outlet, visit, f"C{now}-{number}", 500 * LINES))
        rows["order_line"] += [
            (new(), order, line + 1, unit, 1000 * choose.randint(1, 24), 500_000, 500)
            for line, unit in enumerate(choose.sample(facts.units, LINES))
        ]
        rows["survey_response"].append((response, visit, facts.template))
        rows["answer"] += [
            (new(), response, one, choose.choice(("yes", "no", "12")))
            for one in facts.questions[:ANSWERS]
        ]
        rows["gps_point"] += [
            (new(), now + point, 42_000_000 + choose.randint(0, 99_999), 23_000_000)
            for point in range(POINTS)
        ]
    return rows


def signed_batch(
    rows: Rows, device_id: bytes, key: ec.EllipticCurvePrivateKey, sequence: int, *, now: int
) -> batch_pb2.SignedBatch:
    """The rows as a device sends them."""
    changes = [
        Change(Operation.INSERT, from_rows(table, NAMES[table], lines), [])
        for table, lines in rows.items()
    ]
    header, body = encode_batch(BatchDraft(device_id, 1, sequence, now), changes)
    return batch_pb2.SignedBatch(header=header, body=body, signature=signature.sign(key, header))
