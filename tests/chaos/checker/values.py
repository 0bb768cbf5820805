"""What rows hold, not only that they are there. Promises 1 (No loss), 3 (Order) and 5 (Convergence)."""

from collections.abc import Iterator

from tests.chaos.checker import excuses
from tests.chaos.checker.case import DEVICE_RESTORED, Case, Event, Violation


def contents_are_kept(case: Case) -> Iterator[Violation]:
    """Promise 1: a row at head office says what was written into it."""
    for code, events in case.wrote.items():
        for event in events:
            for (table, row), content in zip(event["rows"], event["contents"], strict=True):
                name = f"{table}/{row}"
                held = case.facts.hub.contents.get(name)
                if content and held and held != content:
                    yield Violation(
                        1, "altered_row", f"head office has {name} with other values than {code} wrote", code,
                        float(event["t"]), case.end, rows=(name,),
                    )  # fmt: skip


def updates_are_kept(case: Case) -> Iterator[Violation]:
    """Promises 1 and 3: what stands in a column is the last that some device wrote there.

    Of two devices either may win; of one device only its last write can, unless that was refused, put aside, or went
    with the device.
    """
    refused = {reject.name for reject in case.facts.hub.rejects} | excuses.put_aside(case)
    for row, by_device in case.changed.items():
        name = f"contact/{row}"
        phone = case.facts.hub.phones.get(row)
        if phone is None or name in refused:
            continue
        may_stand = {
            event["phone"]
            for code, events in by_device.items()
            for event in _last(case, code, events)
        }
        if phone not in may_stand:
            every = [event for events in by_device.values() for event in events]
            yield Violation(
                3, "lost_update", f"{name} says “{phone}” at head office; the last words of devices were"
                f" {sorted(may_stand)}", next(iter(by_device)), min(float(one["t"]) for one in every), case.end,
                rows=(name,),
            )  # fmt: skip


def _last(case: Case, code: str, events: list[Event]) -> list[Event]:
    """The device's last write, and those that are the last if later ones never came about or went with the device."""
    for place, event in enumerate(reversed(events), start=1):
        if event["done"] and not _may_be_gone(case, code, event):
            return events[-place:]
    return [*events, {"phone": ""}]


def _may_be_gone(case: Case, code: str, event: Event) -> bool:
    at = float(event["t"])
    return any(one.begin <= at <= one.end for one in case.struck(DEVICE_RESTORED, code))


def removals_are_kept(case: Case) -> Iterator[Violation]:
    """Promise 5: a deleted row is nowhere, unless its deletion was refused, put aside, or went with its device."""
    refused = {reject.name for reject in case.facts.hub.rejects} | excuses.put_aside(case)
    for name, events in case.removed.items():
        sure = [one for one in events if one["done"] and not _may_be_gone(case, str(one["d"]), one)]
        if name in refused or not sure:
            continue
        nodes = {"head office": case.facts.hub.shelves}
        nodes |= {one.code: one.shelves for one in case.facts.gateways.values()}
        nodes |= {one.code: one.shelves for one in case.facts.devices.values()}
        where = [
            node
            for node, shelves in nodes.items()
            if any(name in shelf for shelf in shelves.values())
        ]
        if where:
            yield Violation(
                5, "came_back", f"{name} was deleted and stands at {', '.join(where)}", str(events[0]["d"]),
                float(events[0]["t"]), case.end, rows=(name,),
            )  # fmt: skip
