"""What went up. Promise 1 (No loss), 2 (Once), 3 (Order), and that nobody but a device makes its rows (7)."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.chaos.checker import excuses
from tests.chaos.checker.case import (
    Case,
    Packed,
    Violation,
)
from tests.chaos.checker.facts import Place

APPLIED = "applied"
_TWO = 2


def rows_are_there(case: Case) -> Iterator[Violation]:
    """Promise 1: a row that a device said it had saved is at head office, or refused or put aside there in words."""
    refused = {one.name for one in case.facts.hub.rejects}
    put_aside = excuses.put_aside(case)
    for code, events in case.wrote.items():
        for event in events:
            at = float(event["t"])
            names = [f"{table}/{row}" for table, row in event["rows"]]
            lost = [
                one
                for one in names
                if one not in case.facts.hub.written
                and one not in refused
                and one not in put_aside
                and one not in case.removed
                and not excuses.went_with_device(case, code, one, at)
            ]
            if lost:
                yield Violation(
                    1, "lost_row", f"{code} saved {event['deed']} of step {event['n']}, and head office has not"
                    f" {len(lost)} of its {len(names)} rows", code, at, case.end,
                    _place_of(case, lost[0]), tuple(lost),
                )  # fmt: skip


def batches_are_there(case: Case) -> Iterator[Violation]:
    """Promise 1: a batch that showed one tick or two was decided at head office, or put aside, as it was packed."""
    hub = case.facts.hub
    kept = {(one.place, one.sha) for one in hub.aside}
    kept |= {(place, held.sha) for place, held in hub.inbox.items()}
    for place, packings in case.packed.items():
        for packed in packings:
            if packed.copied or (place, packed.sha) in kept or _renumbered(case, packed):
                continue
            ticks, at = excuses.ticks_that_bind(case, packed)
            if ticks:
                yield Violation(
                    1, "lost_batch", f"a batch of {packed.code} showed {'two ticks' if ticks == _TWO else 'one tick'}"
                    " and head office never decided on it", packed.code, at, case.end, place,
                    tuple(sorted(packed.rows)),
                )  # fmt: skip


def first_ticks_are_kept(case: Case) -> Iterator[Violation]:
    """Promise 1: a batch with a gateway's first tick and no second is in that gateway's inbox as it was packed.

    A batch that head office may have decided by then is not asked for: a gateway hears of that, and counts it in.
    Not judged: what was shown on a day on which head office was restored, and batches that the gateway may have lost
    or rewritten.
    """
    codes = case.facts.hub.gateway_codes
    asked: set[tuple[str, Place, str]] = set()
    for code, events in case.seen.items():
        mine = _packed_by(case, code)
        for event in events:
            at = float(event["t"])
            if excuses.is_day_of_restore(case, at):
                continue
            for gateway, tick in event["gateways"].items():
                held = case.facts.gateways.get(codes.get(gateway, ""))
                if held is None:
                    continue
                for one in _between(mine, max(tuple(event["hub"]), (tick[0], 0)), tuple(tick)):
                    if (gateway, one.place, one.sha) in asked or not _is_due(case, one, at):
                        continue
                    if excuses.may_be_lost(case, held.code, one, at):
                        continue
                    asked.add((gateway, one.place, one.sha))
                    if one.sha not in held.inbox.get(one.place, set()) and not _renumbered(
                        case, one
                    ):
                        yield Violation(
                            1, "first_tick_without_batch", f"{code} showed the first tick of {held.code} for a batch"
                            " that is not there", code, one.at, at, one.place, tuple(sorted(one.rows)),
                        )  # fmt: skip


def _packed_by(case: Case, code: str) -> list[Packed]:
    """The device's batches in its order."""
    device = case.facts.hub.devices.get(code, code)
    found = [one for place, held in case.packed.items() if place[0] == device for one in held]
    return sorted(found, key=_number)


def _number(batch: Packed) -> tuple[int, ...]:
    return batch.place[1:]


def _between(batches: list[Packed], after: tuple[int, ...], to: tuple[int, ...]) -> list[Packed]:
    return batches[
        bisect_right(batches, after, key=_number) : bisect_right(batches, to, key=_number)
    ]


def _is_due(case: Case, batch: Packed, at: float) -> bool:
    """Whether only the gateway's own inbox can have stood behind a first tick of that moment."""
    decided = case.facts.hub.inbox.get(batch.place)
    may_be_decided = decided is not None and at >= case.was_not_before(decided.lsn)
    packed_anew = any(
        other.sha != batch.sha and batch.at < other.at <= at for other in case.packed[batch.place]
    )
    return batch.at <= at and not (batch.copied or may_be_decided or packed_anew)


def _renumbered(case: Case, batch: Packed) -> bool:
    """Whether its rows went up under another number of a later epoch, as those of a restored image do."""
    device, epoch, _ = batch.place
    return any(
        other.rows == batch.rows
        for place, others in case.packed.items()
        if place[0] == device and place[1] > epoch
        for other in others
    )


def batches_are_once(case: Case) -> Iterator[Violation]:
    """Promises 2 and 7: head office applied the bytes that the device packed, and each document once."""
    hub = case.facts.hub
    for place, held in hub.inbox.items():
        packings = case.packed.get(place, [])
        if packings and held.decision == APPLIED and held.sha not in {one.sha for one in packings}:
            yield Violation(
                7, "altered_batch", f"head office applied a batch of {packings[0].code} that the device never packed",
                packings[0].code, packings[0].at, case.end, place, tuple(sorted(packings[0].rows)),
            )  # fmt: skip
    for comment, count in hub.comments.items():
        if count > 1:
            yield Violation(2, "doubled", f"{count} orders say “{comment}”", comment.split()[0])
    made: dict[str, set[str]] = defaultdict(set)
    for events in case.wrote.values():
        for event in events:
            orders = [row for table, row in event["rows"] if table == "sales_order"]
            for order in orders:
                made[order] = {row for table, row in event["rows"] if table == "order_line"}
    for order, lines in hub.lines.items():
        if order in made and lines != made[order] and f"sales_order/{order}" in hub.written:
            yield Violation(
                4, "torn_order", f"an order has {len(lines)} lines at head office and {len(made[order])} where it was"
                " made", rows=(f"sales_order/{order}",), until=case.end,
            )  # fmt: skip


def nobody_else_makes_rows(case: Case) -> Iterator[Violation]:
    """Promise 7: every row of a device at head office was seen in a batch that this device packed."""
    packed: dict[str, set[str]] = defaultdict(set)
    for place, packings in case.packed.items():
        for one in packings:
            packed[place[0]] |= one.rows
    strange: Counter[str] = Counter()
    some: dict[str, str] = {}
    for row, (device, _) in case.facts.hub.written.items():
        if row not in packed[device]:
            strange[device] += 1
            some.setdefault(device, row)
    for device, count in strange.items():
        yield Violation(
            7, "invented_row", f"head office has {count} rows of {device} that no batch of it carried",
            device, until=case.end, rows=(some[device],),
        )  # fmt: skip


def batches_are_in_order(case: Case) -> Iterator[Violation]:
    """Promise 3: of one device, no batch was applied before an earlier one; none still waits for another.

    One that comes when its turn has passed, out of the past of a device that was restored, is put aside, not applied.
    """
    by_device: dict[str, list[Place]] = defaultdict(list)
    for place in case.facts.hub.inbox:
        by_device[place[0]].append(place)
    for device, places in by_device.items():
        before: Place | None = None
        newest: Place | None = None
        gap = False
        for place in sorted(places):
            held = case.facts.hub.inbox[place]
            same_epoch = before is not None and before[1] == place[1]
            gap = same_epoch and (gap or place[2] != before[2] + 1)
            if held.decision == APPLIED:
                if newest and held.lsn < case.facts.hub.inbox[newest].lsn:
                    yield Violation(
                        3, "overtaken", f"batch {place[1]}.{place[2]} was applied before {newest[1]}.{newest[2]}",
                        device, until=case.end, place=place,
                    )  # fmt: skip
                newest = place
                if gap:
                    yield Violation(
                        3, "gap", f"batch {place[1]}.{place[2]} was applied without one before it", device,
                        until=case.end, place=place,
                    )  # fmt: skip
            before = place
    for place in case.facts.hub.waiting:
        yield Violation(
            3, "waits", f"batch {place[1]}.{place[2]} still waits for an earlier one", place[0],
            until=case.end, place=place,
        )  # fmt: skip


def nothing_waits_for_a_row(case: Case) -> Iterator[Violation]:
    """Promise 1: a change waits for a colleague's row only while that row can still come."""
    for place, row in case.facts.hub.early:
        if not excuses.never_came(case, row):
            yield Violation(
                1, "change_waits", f"a change of batch {place[1]}.{place[2]} waits for {row}", place[0],
                until=case.end, place=place, rows=(row,),
            )  # fmt: skip


def _place_of(case: Case, row: str) -> Place | None:
    for place, packings in case.packed.items():
        if any(row in one.rows for one in packings):
            return place
    return None
