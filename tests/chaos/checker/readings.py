"""What people saw. Promise 4 (Whole), 6 (Scope), and that nothing goes back (5)."""

import json
from collections.abc import Iterator
from typing import Any

from fieldmesh.basics.epochs import hub_epoch_of
from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import partition_id
from tests.chaos.checker import excuses
from tests.chaos.checker.case import (
    COPIES_SPOILT,
    DEVICE_RESTORED,
    GATEWAY_DISK_LOST,
    Case,
    Violation,
    counts_at,
)
from tests.chaos.reader import FIRST_AMOUNT, WORD

_MOST_WORDS = 5
_HUB_CLOCK = "clock_hub"
TICK_OF = "tick of "
_FORGED = "signature_invalid"


def nothing_is_torn(case: Case) -> Iterator[Violation]:
    """Promise 4: of a hub transaction a device shows all or nothing, and all of those up to its cursor.

    A repair may bring a device further than its cursor, which then waits for the rest of what it asks for: still one
    state of the hub, and a later one.
    """
    states: dict[int, frozenset[int]] = {}
    for code, events in case.seen.items():
        for event in events:
            numbers, cursor = _numbers(event["pair"]), int(event["cursor"])
            if cursor not in states:
                states[cursor] = _states(case, cursor)
            gone = not numbers and 0 not in states[cursor]
            if gone or (numbers and (len(numbers) > 1 or not numbers <= states[cursor])):
                yield Violation(
                    4, "torn_transaction", f"{code} at cursor {cursor} showed {event['pair']}; changes"
                    f" {sorted(states[cursor])[:_MOST_WORDS]} fit that cursor", code,
                    _before(events, event), float(event["t"]),
                )  # fmt: skip
            if event["torn"]:
                yield Violation(
                    4, "torn_document", f"{code} showed {len(event['torn'])} orders whose lines do not add up", code,
                    _before(events, event), float(event["t"]),
                    rows=tuple(f"sales_order/{one}" for one in event["torn"][:_MOST_WORDS]),
                )  # fmt: skip


def _numbers(pair: list[str]) -> set[int]:
    """The numbers of the changes whose parts were seen; 0 stands for a part that is as before all changes."""
    amounts, names, codes = (json.loads(one) for one in pair)
    found = {int(one) - FIRST_AMOUNT for one in amounts}
    found |= {int(str(one).removeprefix(WORD)) for one in (*names, *codes)}
    missing = not amounts or not names
    return found | ({0} if found and missing else set())


def _states(case: Case, cursor: int) -> frozenset[int]:
    """The newest change of the state at a cursor, and those that came after it in the same hub epoch."""
    counted, later = (0, 0), set()
    for event in case.pairs:
        lsn, number = int(event["lsn"]), int(event["n"])
        if counts_at(case.facts.hub, lsn, cursor):
            counted = max(counted, (lsn, number))
        elif lsn > cursor and hub_epoch_of(lsn) == hub_epoch_of(cursor):
            later.add(number)
    return frozenset({counted[1]} | later)


def nothing_goes_back(case: Case) -> Iterator[Violation]:
    """Promise 5: cursors and ticks of a device only grow, but for what a fault took away and a cleared spare.

    A device that is restored goes back once, with all that it shows, by the time it is first seen again; the first
    ticks of a gateway that lost its disk go back once on each device, and once for each batch that it spoilt.
    """
    for code, events in case.seen.items():
        before: dict[str, Any] = {}
        setbacks = Setbacks(case, code, events)
        for event in events:
            now, at = (
                {
                    **_of_device(case, code, event),
                    **_of_gateways(case, event),
                    **_of_orders(case, code, event),
                },
                float(event["t"]),
            )
            back = [name for name, value in now.items() if name in before and value < before[name]]
            back = [name for name in back if not setbacks.of_gateway(name, before[name], at)]
            if back and setbacks.of_device(at):
                before, back = {}, []
            for name in back:
                yield Violation(
                    5, "went_back", f"{code}: {name} went from {before[name]} to {now[name]}", code,
                    _before(events, event), at,
                )  # fmt: skip
            before |= now


def nothing_needs_repair(case: Case) -> Iterator[Violation]:
    """Promise 5: what a sync brought leaves a device as its gateway means it, without a second look.

    Not judged: on days of a restore of head office, and a device that was restored.
    """
    for event in case.events:
        if event["k"] == "synced" and event.get("repaired"):
            code, at = str(event["d"]), float(event["t"])
            restored = any(one.begin <= at for one in case.struck(DEVICE_RESTORED, code))
            if not restored and not excuses.is_day_of_restore(case, at):
                yield Violation(
                    5, "repaired", f"{code} differed from {event['gateway'] or 'its gateway'} after a sync, and was"
                    " repaired", code, at, at,
                )  # fmt: skip


class Setbacks:
    """What may go back on one device, each once."""

    def __init__(self, case: Case, code: str, events: list[dict[str, Any]]) -> None:
        """Nothing has gone back yet."""
        self._restores = [
            (one.begin, next((float(e["t"]) for e in events if float(e["t"]) > one.end), one.end))
            for one in case.struck(DEVICE_RESTORED, code)
        ]
        self._lost = {
            gateway: [(one.begin, one.end) for one in case.struck(GATEWAY_DISK_LOST, gateway)]
            for gateway in case.facts.hub.gateways
        }
        device = case.facts.hub.devices.get(code, code)
        self._spoilt = {
            gateway: sorted(
                (aside.place[1:], min(one.begin for one in struck))
                for aside in case.facts.hub.aside
                if (aside.place[0], aside.gateway, aside.code) == (device, gateway_id, _FORGED)
                and aside.sha not in {one.sha for one in case.packed.get(aside.place, [])}
            )
            for gateway, gateway_id in case.facts.hub.gateways.items()
            if (struck := case.struck(COPIES_SPOILT, gateway))
        }

    def of_device(self, at: float) -> bool:
        """Whether the device was restored, and has not gone back for it yet."""
        fits = [one for one in self._restores if one[0] <= at <= one[1]]
        if fits:
            self._restores.remove(fits[0])
        return bool(fits)

    def of_gateway(self, name: str, before: tuple[int, int], at: float) -> bool:
        """Whether it is a first tick of a gateway that lost what it stood for, and has not gone back for it yet.

        That is its whole disk, or a batch of which head office said that what came from there is not the device's.
        """
        if not name.startswith(TICK_OF):
            return False
        gateway = name.removeprefix(TICK_OF).partition(" ")[0]
        lost = self._lost.get(gateway, [])
        ended = [one for one in lost if one[1] <= at]
        if used := ended or [one for one in lost if one[0] <= at][-1:]:
            self._lost[gateway] = [one for one in lost if one not in used]
            return True
        spoilt = self._spoilt.get(gateway, [])
        fits = [one for one in spoilt if one[0] <= before and one[1] <= at]
        if fits:
            spoilt.remove(fits[0])
        return bool(fits)


def _of_device(case: Case, code: str, event: dict[str, Any]) -> dict[str, Any]:
    """What a device showed of itself; the cursor of a spare begins anew when it is cleared."""
    found = {"epoch": event["epoch"], "two ticks": tuple(event["hub"])}
    return found if code in case.spares else {**found, "cursor": event["cursor"]}


def _of_orders(case: Case, code: str, event: dict[str, Any]) -> dict[str, Any]:
    """Promise 4: what a person sees is never older than their own work, in which their newest order stands.

    Not judged: on days of a restore of head office, on a spare, and where an order was refused or put aside.
    """
    hub = case.facts.hub
    device = hub.devices.get(code, code)
    taken = any(one.place[0] == device for one in hub.aside)
    taken |= any((one.device, one.table) == (device, "sales_order") for one in hub.rejects)
    if taken or code in case.spares or excuses.is_day_of_restore(case, float(event["t"])):
        return {}
    return {f"newest order after restore {_restores(case, event)}": int(event["newest"])}


def _restores(case: Case, event: dict[str, Any]) -> int:
    return sum(one <= float(event["t"]) for one in case.restores)


def _of_gateways(case: Case, event: dict[str, Any]) -> dict[str, Any]:
    """First ticks, as far as they bind.

    On the day of a restore of head office gateways count anew from what head office has; what that has lost, other
    gateways hold and send again, and devices offer again what they hold.
    """
    at = float(event["t"])
    restores = [one for one in case.restores if one <= at]
    if excuses.is_day_of_restore(case, at):
        return {}
    codes = case.facts.hub.gateway_codes
    return {
        f"{TICK_OF}{codes.get(gateway, gateway)} after restore {len(restores)}": tuple(tick)
        for gateway, tick in event["gateways"].items()
    }


def nothing_leaks(case: Case) -> Iterator[Violation]:
    """Promise 6: a device never had rows of an area that its position could not see as of its cursor."""
    scope_at: dict[tuple[str, int], set[int]] = {}
    for code, events in case.seen.items():
        own = partition_id(
            PartitionKind.DEVICE, bytes.fromhex(case.facts.hub.devices.get(code, ""))
        )
        for event in events:
            if not event["cursor"]:
                continue
            at = (str(event["position"]), int(event["cursor"]))
            if at not in scope_at:
                scope_at[at] = may_see(case, *at) | _may_see_soon(case, *at)
            strange = set(event["areas"]) - scope_at[at] - {own, 0}
            if strange:
                yield Violation(
                    6, "leaked", f"{code} at cursor {event['cursor']} had rows of {len(strange)} areas that are not"
                    f" its own: {sorted(strange)[:_MOST_WORDS]}", code, _before(events, event), float(event["t"]),
                )  # fmt: skip


def _may_see_soon(case: Case, position: str, cursor: int) -> set[int]:
    """The areas of the state that was noted next, on a day on which head office's clock jumped.

    With another day other assignments hold; nobody writes down when head office has changed them by itself.
    """
    later = [one for one in case.scopes if int(one["lsn"]) > cursor]
    if not later:
        return set()
    following = min(later, key=lambda one: int(one["lsn"]))
    at = float(following["t"])
    jumped = any(
        one.name == _HUB_CLOCK and case.morning(at) <= one.begin <= at for one in case.forces
    )
    return set(following["positions"].get(position, [])) if jumped else set()


def may_see(case: Case, position: str, cursor: int) -> set[int]:
    """The areas of a position in the state at a cursor."""
    newest: dict[str, Any] | None = None
    for event in case.scopes:
        if counts_at(case.facts.hub, int(event["lsn"]), cursor) and (
            newest is None or int(event["lsn"]) >= int(newest["lsn"])
        ):
            newest = event
    return set(newest["positions"].get(position, [])) if newest else set()


def _before(events: list[dict[str, Any]], event: dict[str, Any]) -> float:
    """When the device showed something for the last time before."""
    place = events.index(event)
    return float(events[place - 1]["t"]) if place else float(event["t"])
