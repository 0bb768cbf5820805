"""How it ends. Promise 5 (Convergence), 6 (Scope), 7 (Authority), 9 (Audit)."""

import hashlib
from collections.abc import Iterator

from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import partition_id
from tests.chaos.checker import excuses, readings
from tests.chaos.checker.case import GATEWAY_DISK_LOST, Case, Violation
from tests.chaos.checker.facts import Link, Shelf

BEGINNING = "0" * 64
_MOST_WORDS = 3
_SOON_S = 10.0
"""A refused row is of interest for so long after it was made."""
_SEEN_S = 60.0
"""A session is seen so long after it ended at the latest: its device may have been killed, or put down."""
_NOBODY_IS_TOLD = frozenset(
    {
        "signature_invalid", "altered_batch", "foreign_batch", "foreign_certificate",
        "device_unknown", "device_revoked",
    }
)  # fmt: skip
"""Why a batch is put aside that its device did not make, or may not hear of any more."""


def everybody_rests(case: Case) -> Iterator[Violation]:
    """Promise 5: left alone, devices and gateways come to stand where head office stands, with nothing that waits."""
    rest = next((one for one in reversed(case.events) if one["k"] == "rest"), None)
    for code, told in (rest["devices"] if rest else {}).items():
        if not told["at_rest"]:
            yield Violation(
                5, "no_rest", f"{code} did not come to rest: {told}", code, case.end, case.end
            )
    for device in case.facts.devices.values():
        if device.waiting:
            yield Violation(
                5,
                "no_rest",
                f"{device.waiting} changes or batches wait on {device.code}",
                device.code,
            )
    for gateway in case.facts.gateways.values():
        left = {state for state in gateway.areas.values() if state != "ready"}
        if gateway.unsent or gateway.provisional or left or gateway.mark != case.facts.hub.lsn:
            yield Violation(
                5, "no_rest", f"{gateway.code} stands at {gateway.mark} of {case.facts.hub.lsn}, {gateway.unsent}"
                f" entries without receipt, {gateway.provisional} provisional batches, areas {sorted(left)}",
                until=case.end,
            )  # fmt: skip


def all_tiers_are_equal(case: Case) -> Iterator[Violation]:
    """Promise 5: row by row, with hashes worked out from content, device = gateway = hub in each area that it has."""
    hub = case.facts.hub
    for gateway in case.facts.gateways.values():
        meant = {area: hub.shelves.get(area, {}) for area in gateway.areas}
        yield from _differ(gateway.code, gateway.shelves, meant)
    for device in case.facts.devices.values():
        meant = {
            area: {
                row: held
                for row, held in hub.shelves.get(area, {}).items()
                if row.partition("/")[0] in hub.device_tables
            }
            for area in device.areas
        }
        yield from _differ(device.code, device.shelves, meant)
    misfits = [("head office", hub.misfits)]
    misfits += [
        (one.code, one.misfits)
        for one in (*case.facts.gateways.values(), *case.facts.devices.values())
    ]
    for name, rows in misfits:
        if rows:
            yield Violation(
                5, "damaged", f"{len(rows)} rows of {name} do not have the content that they were hashed with",
                until=case.end, rows=tuple(rows[:_MOST_WORDS]),
            )  # fmt: skip


def _differ(node: str, held: dict[int, Shelf], meant: dict[int, Shelf]) -> Iterator[Violation]:
    for area in held.keys() | meant.keys():
        mine, theirs = held.get(area, {}), meant.get(area, {})
        if mine == theirs:
            continue
        more = sorted(mine.keys() - theirs.keys())
        less = sorted(theirs.keys() - mine.keys())
        other = sorted(row for row in mine.keys() & theirs.keys() if mine[row] != theirs[row])
        promise, what = (6, "leaked") if area not in meant else (5, "differs")
        yield Violation(
            promise, what, f"{node}, area {area}: {len(more)} rows that head office does not have there, {len(less)}"
            f" missing, {len(other)} other ones; such as {(more + less + other)[:_MOST_WORDS]}",
            node, rows=tuple((more + less + other)[:_MOST_WORDS]),
        )  # fmt: skip


def gateways_have_their_own(case: Case) -> Iterator[Violation]:
    """Promise 6: a gateway holds the areas that head office gave it, and no other."""
    for gateway in case.facts.gateways.values():
        meant = case.facts.hub.gateway_areas.get(gateway.code, set())
        if set(gateway.areas) != meant:
            strange = sorted(set(gateway.areas) ^ meant)
            yield Violation(
                6, "areas", f"{gateway.code} and head office do not agree on {len(strange)} of its areas:"
                f" {strange[:_MOST_WORDS]}", until=case.end,
            )  # fmt: skip


def devices_have_their_own(case: Case) -> Iterator[Violation]:
    """Promise 6: a device holds the areas that its position may see, not fewer."""
    for device in case.facts.devices.values():
        seen = case.seen.get(device.code)
        if not seen:
            continue
        own = partition_id(PartitionKind.DEVICE, bytes.fromhex(case.facts.hub.devices[device.code]))
        meant = readings.may_see(case, str(seen[-1]["position"]), device.cursor) | {own}
        strange = sorted((device.areas ^ meant) - {0})
        if strange:
            yield Violation(
                6, "areas", f"{device.code} and head office do not agree on {len(strange)} of its areas:"
                f" {strange[:_MOST_WORDS]}", device.code, until=case.end,
            )  # fmt: skip


def refusals_are_explained(case: Case) -> Iterator[Violation]:
    """Promise 7: what may not be written is refused in words, and nothing else is refused or put aside."""
    made = {
        f"{table}/{row}": float(event["t"])
        for events in case.wrote.values()
        for event in events
        for table, row in event["rows"]
    }
    for reject in case.facts.hub.rejects:
        if not excuses.refusal(case, reject):
            at = made.get(reject.name, 0.0)
            yield Violation(
                7, "unexplained_reject", f"head office refused {reject.name}: {reject.code}", reject.device,
                at, at + _SOON_S, reject.place, (reject.name,),
            )  # fmt: skip
        if not reject.text:
            yield Violation(
                7, "wordless", f"the refusal of {reject.name} says nothing", reject.device, rows=(reject.name,)
            )  # fmt: skip
    for row in case.forbidden:
        if row in case.facts.hub.written:
            yield Violation(
                7, "not_refused", f"head office took {row}, which a rep may not write", rows=(row,)
            )
    told = {one.place for one in case.facts.hub.rejects if one.code == "batch_put_aside"}
    for aside in case.facts.hub.aside:
        if not excuses.quarantine(case, aside):
            yield Violation(
                7, "unexplained_quarantine", f"a batch was put aside: {aside.code}", aside.place[0],
                until=case.end, place=aside.place,
            )  # fmt: skip
        if aside.code not in _NOBODY_IS_TOLD and aside.place not in told:
            yield Violation(
                7, "put_aside_in_silence", f"a batch was put aside and its device does not hear of it: {aside.code}",
                aside.place[0], place=aside.place,
            )  # fmt: skip


def the_chain_is_whole(case: Case) -> Iterator[Violation]:
    """Promise 9: no entry of the journal was changed, left out or put in."""
    previous = BEGINNING
    for expected, link in enumerate(case.facts.hub.journal, start=1):
        if (link.number, link.previous, link.hash) != (expected, previous, _hash(link)):
            yield Violation(
                9, "broken_chain", f"entry {link.number} of the journal does not fit at {expected}"
            )
            return
        previous = link.hash


def _hash(link: Link) -> str:
    content = (
        f"{link.previous}\n{link.number}\n{link.at}\n{link.kind}\n{link.actor}\n{link.payload}\n"
    )
    return hashlib.sha256(content.encode()).hexdigest()


def sessions_are_noted(case: Case) -> Iterator[Violation]:
    """Promise 9: each session that ended well on a device is in head office's journal."""
    for device in case.facts.devices.values():
        missing = [
            session
            for session, gateway in device.sessions.items()
            if session not in case.facts.hub.sessions and not _went(case, session, gateway)
        ]
        if missing:
            yield Violation(
                9, "session_not_noted", f"{len(missing)} of {len(device.sessions)} sessions of {device.code} are in no"
                f" journal, such as {missing[0]}", device.code, until=case.end,
            )  # fmt: skip


def _went(case: Case, session: str, gateway: str) -> bool:
    """Whether the session was with a gateway that lost its disk afterwards."""
    codes = case.facts.hub.gateway_codes
    at = case.sessions.get(session, case.end)
    return any(
        one.begin <= at <= one.end + _SEEN_S
        for one in case.struck(GATEWAY_DISK_LOST, codes.get(gateway, gateway))
    )
