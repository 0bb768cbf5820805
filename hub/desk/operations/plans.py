"""Plans for the field: messages, visits from routes, targets set, split and approved."""

import datetime
from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.money import QUANTITY_SCALE, scaled, unscaled
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from fieldmesh.service.translation import N_, _
from hub.desk.operation import Asked, Done, Input, Kind, Operation
from hub.fleet.facts import position_tree
from hub.fleet.subscriptions import today
from hub.storage.changes import ChangeWriter
from hub.storage.rows import Row, rows_where

MOST_DAYS = 92
MOST_POSITIONS = 2_000
KPIS = (
    ("sales_value", N_("Sales value")), ("visits", N_("Visits")), ("productive_calls", N_("Productive calls")),
    ("active_outlets", N_("Active outlets")), ("distribution", N_("Distribution, %")),
    ("collection", N_("Cash collected")),
)  # fmt: skip
_IN_PER_CENT = frozenset({"distribution"})
_OPEN = {"status": ("active",)}
"""Positions that are not closed."""
_SAME = ("position_id", "outlet_id", "period", "kpi", "product_dimension")
"""Rows of plans that agree in these are versions of one target."""
_POSITION = Input("position", N_("Position"), Kind.LINK, source="positions")


async def _write_message(asked: Asked) -> Done:
    """The message stands at the position, or at it and all below that are not closed."""
    position, office = asked.link("position") or b"", asked.hands.office
    about = {
        "position": asked.text("position"),
        "below": asked.flag("below"),
        "text": asked.text("text"),
    }
    async with asked.acting("record_made", about) as writer:
        readers = {position}
        if asked.flag("below"):
            below = (await position_tree(writer.connection)).subtree(position)
            found = await rows_where(
                writer.connection, "position", ("id",), "id", below, also=_OPEN
            )
            readers = below.intersection(row[0] for row in found)
        if len(readers) > MOST_POSITIONS:
            raise Rejected("form_wrong", place="position", count=1, text=_("too many at once"))
        names = ("id", "position_id", "text", "urgent", "valid_from", "valid_to")
        rows: list[tuple[Value, ...]] = [
            (office.maker.identifiers.new(), one, asked.text("text"), int(asked.flag("urgent")),
             today(office.clock), asked.text("until") or None)
            for one in sorted(readers)
        ]  # fmt: skip
        await writer.insert("message", from_rows("message", names, rows))
    return Done(_("Written to {count} positions.").format(count=len(rows)))


async def _plan_visits(asked: Asked) -> Done:
    """Visits stand for each day on which a route of the position is due; days that are planned already stay."""
    position = asked.link("position") or b""
    since, until = (datetime.date.fromisoformat(asked.text(one)) for one in ("since", "until"))
    if not 0 <= (until - since).days < MOST_DAYS:
        problem = {
            "until": _("ends before it begins, or after more than {most} days").format(
                most=MOST_DAYS
            )
        }
        raise Rejected(
            "form_wrong", place="until", count=1, text=problem["until"], problems=problem
        )
    about: dict[str, object] = dict(asked.texts)
    async with asked.acting("record_made", about, [position]) as writer:
        rows = await _due(writer, asked, position, since, until)
        names = ("id", "position_id", "date", "outlet_id", "sequence_number", "source")
        await writer.insert("visit_plan", from_rows("visit_plan", names, rows))
        about["visits"] = len(rows)
    return Done(_("{count} visits are planned.").format(count=len(rows)))


async def _due(
    writer: ChangeWriter, asked: Asked, position: bytes, since: datetime.date, until: datetime.date
) -> list[tuple[Value, ...]]:
    connection = writer.connection
    columns = ("id", "cycle_weeks", "week_mask", "weekday")
    routes = await rows_where(connection, "route", columns, "position_id", [position])
    stops = await rows_where(
        connection,
        "route_outlet",
        ("route_id", "outlet_id", "sequence_number"),
        "route_id",
        [row[0] for row in routes],
    )
    held = await rows_where(connection, "visit_plan", ("date",), "position_id", [position])
    taken = {row[0] for row in held}
    found: list[tuple[Value, ...]] = []
    for offset in range((until - since).days + 1):
        date = since + datetime.timedelta(days=offset)
        if date.isoformat() in taken:
            continue
        due = {row[0] for row in routes if is_due(date, row[1], row[2], row[3])}
        chosen = sorted(
            (row for row in stops if row[0] in due), key=lambda row: (str(row[0]), row[2] or 0)
        )
        found += [
            (
                asked.hands.office.maker.identifiers.new(),
                position,
                date.isoformat(),
                row[1],
                number,
                "route",
            )
            for number, row in enumerate(chosen)
        ]
    return found


def is_due(date: datetime.date, cycle_weeks: Value, week_mask: Value, weekday: Value) -> bool:
    """Whether a route is driven on that day: its weekday, in a week of its cycle whose bit is set.

    Weeks are counted from Monday, 1 January 2024; bit 0 is the first week of a cycle.
    """
    if date.weekday() != weekday:
        return False
    weeks = (date - datetime.date(2024, 1, 1)).days // 7
    cycle = cycle_weeks if isinstance(cycle_weeks, int) and cycle_weeks > 0 else 1
    mask = week_mask if isinstance(week_mask, int) else 1
    return bool(mask >> (weeks % cycle) & 1)


async def _set_target(asked: Asked) -> Done:
    """A new version of the target stands as a draft."""
    position = asked.link("position") or b""
    value = scaled(Decimal(asked.text("value").replace(",", ".")), QUANTITY_SCALE)
    about = dict(asked.texts)
    target: dict[str, Value] = {
        "position_id": position, "period": asked.text("period"), "kpi": asked.text("kpi"),
    }  # fmt: skip
    async with asked.acting("record_made", about, [position]) as writer:
        version = await _draft(writer, asked, target, value)
    return Done(_("The target stands as a draft, version {version}.").format(version=version))


async def _split_target(asked: Asked) -> Done:
    """The target is divided evenly among the open positions right below; what does not divide goes to the first.

    A target in per cent is the same for each of them.
    """
    record = asked.record
    position, value = record.values["position_id"], record.values["value"]
    about: dict[str, object] = {"target": record.row_id.hex()}
    async with asked.acting("record_made", about, [record.row_id]) as writer:
        below = await rows_where(
            writer.connection,
            "position",
            ("id", "code"),
            "parent_position_id",
            [position],
            also=_OPEN,
        )
        if not below or not isinstance(value, int):
            raise Rejected("not_found", place="position", text=_("no position stands right below"))
        is_same = record.values["kpi"] in _IN_PER_CENT
        shares = [value] * len(below) if is_same else split(value, len(below))
        children = [row[0] for row in sorted(below, key=lambda row: str(row[1]))]
        for child, share in zip(children, shares, strict=True):
            target = {name: record.values[name] for name in _SAME} | {"position_id": child}
            await _draft(writer, asked, target, share)
    return Done(_("The target is split among {count} positions.").format(count=len(shares)))


def split(value: int, parts: int) -> list[int]:
    """A quantity (scaled by 10^3) in whole units, as even as can be; the parts add up to the whole."""
    share = (unscaled(value, QUANTITY_SCALE) / parts).quantize(Decimal(1), rounding=ROUND_DOWN)
    even = scaled(share, QUANTITY_SCALE)
    return [value - even * (parts - 1), *([even] * (parts - 1))]


async def _approve_target(asked: Asked) -> Done:
    """This version holds; earlier ones of the same target are past."""
    record = asked.record
    about = {"target": record.row_id.hex(), "version": record.values["version"]}
    async with asked.acting("decided", about, [record.row_id]) as writer:
        await asked.need_same_state(writer.connection, "approved")
        held = await _versions(writer, record.values)
        past: list[tuple[Value, ...]] = [(row[0], "past") for row in held if row[2] == "approved"]
        rows = [*past, (record.row_id, "approved")]
        await writer.update("plan", from_rows("plan", ("id", "state"), rows))
    return Done(_("The target holds."))


async def _draft(
    writer: ChangeWriter, asked: Asked, target: Mapping[str, Value], value: int
) -> int:
    """The next version of the target stands as a draft; returns which one."""
    versions = [row[1] for row in await _versions(writer, target) if isinstance(row[1], int)]
    version = max(versions, default=0) + 1
    names = ("id", *target, "value", "version", "state")
    row = (asked.hands.office.maker.identifiers.new(), *target.values(), value, version, "draft")
    await writer.insert("plan", from_rows("plan", names, [row]))
    return version


async def _versions(writer: ChangeWriter, target: Mapping[str, Value]) -> list[Row]:
    """Id, version and state of all versions of the target."""
    wanted = [target.get(name) or None for name in _SAME]
    column = next(name for name in _SAME if target.get(name))
    rows = await rows_where(
        writer.connection, "plan", ("id", "version", "state", *_SAME), column, [target[column]]
    )
    return [row for row in rows if [one or None for one in row[3:]] == wanted]


OPERATIONS = (
    Operation(
        "write", "messages", N_("Write a message"), "message.change", _write_message,
        (
            _POSITION, Input("below", N_("And to everybody below"), Kind.FLAG, required=False),
            Input("text", N_("Text"), Kind.LONG, most=4_000), Input("urgent", N_("Urgent"), Kind.FLAG, required=False),
            Input("until", N_("Until"), Kind.DATE, required=False),
        ),
        of_record=False,
    ),
    Operation(
        "plan", "visit-plans", N_("Plan from routes"), "route.change", _plan_visits,
        (_POSITION, Input("since", N_("From"), Kind.DATE), Input("until", N_("Until"), Kind.DATE)), of_record=False,
    ),
    Operation(
        "set", "targets", N_("Set a target"), "target.change", _set_target,
        (
            _POSITION,
            Input(
                "period", N_("Period"), pattern=r"[0-9]{4}(-(0[1-9]|1[0-2]|Q[1-4]))?",
                hint=N_("2026-11 for a month, 2026-Q4 for a quarter"),
            ),
            Input("kpi", N_("Figure"), Kind.CHOICE, choices=KPIS), Input("value", N_("Value"), Kind.NUMBER),
        ),
        of_record=False,
    ),
    Operation(
        "split", "targets", N_("Split among those below"), "target.change", _split_target,
        states=("draft", "approved"),
    ),
    Operation("approve", "targets", N_("Approve"), "target.approve", _approve_target, states=("draft",)),
)  # fmt: skip
