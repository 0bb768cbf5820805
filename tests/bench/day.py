"""A rep's day on a device: 30 visits with an order, a questionnaire and a track; 630 rows."""

import random
from decimal import Decimal

from device_agent.app import DeviceAgent
from device_agent.work.documents import NewOrder, NewVisit, TrackPoint
from device_agent.work.lines import OrderLine
from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.data.types import Value

VISITS = 30
ROWS = {
    "visit": VISITS,
    "sales_order": VISITS,
    "order_line": 12 * VISITS,
    "survey_response": VISITS,
    "answer": 4 * VISITS,
    "gps_point": 2 * VISITS,
}
"""What a day adds, by table."""
TOTAL = sum(ROWS.values())
_LINES = ROWS["order_line"] // VISITS
_MINUTE_US = 60_000_000


async def day_of_work(agent: DeviceAgent, choose: random.Random) -> None:
    """The day is on the device, not sent."""
    found = await agent.sql("SELECT id FROM outlet ORDER BY code")
    outlets = choose.sample([_binary(row[0]) for row in found.rows], VISITS)
    found = await agent.sql(
        "SELECT DISTINCT p.product_unit_id FROM price AS p JOIN product_unit AS u"
        " ON u.id = p.product_unit_id WHERE u.is_order_unit = 1"
    )
    units = [_binary(row[0]) for row in found.rows]
    found = await agent.sql("SELECT template_id, id FROM question ORDER BY order_number")
    questions = [(_binary(row[0]), _binary(row[1])) for row in found.rows]
    new = IdentifierMaker(SystemClock(), choose).new
    start = SystemClock().now() - 9 * 60 * _MINUTE_US
    responses: list[tuple[Value, ...]] = []
    answers: list[tuple[Value, ...]] = []
    for number, outlet in enumerate(outlets):
        visit = await _visit(agent, choose, outlet, start + number * 16 * _MINUTE_US)
        lines = [
            OrderLine(unit, Decimal(choose.randint(1, 24))) for unit in choose.sample(units, _LINES)
        ]
        await agent.place_order(NewOrder(outlet, lines, visit_id=visit))
        response = new()
        responses.append((response, visit, questions[0][0]))
        answers += [
            (new(), response, question, choose.choice(("yes", "no", str(choose.randint(1, 90)))))
            for _, question in questions
        ]
    await _insert(agent, "survey_response (id, visit_id, template_id)", responses)
    await _insert(agent, "answer (id, response_id, question_id, value)", answers)


async def _visit(agent: DeviceAgent, choose: random.Random, outlet: bytes, at: int) -> bytes:
    latitude = Decimal(42_000_000 + choose.randint(0, 999_999)).scaleb(-6)
    longitude = Decimal(23_000_000 + choose.randint(0, 999_999)).scaleb(-6)
    for minutes in (0, 8):
        point = TrackPoint(at + minutes * _MINUTE_US, latitude, longitude, choose.randint(3, 40))
        await agent.record_track_point(point)
    return await agent.record_visit(
        NewVisit(outlet, at, at + 12 * _MINUTE_US, latitude, longitude, "order")
    )


async def _insert(agent: DeviceAgent, target: str, rows: list[tuple[Value, ...]]) -> None:
    marks = ", ".join("(" + ", ".join("?" * len(row)) + ")" for row in rows)
    values = tuple(value for row in rows for value in row)
    await agent.sql(f"INSERT INTO {target} VALUES {marks}", values)


def _binary(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return value
