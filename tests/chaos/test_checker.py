"""The checker finds each violation that is planted in a small campaign, and nothing in one that kept its promises."""

from dataclasses import replace

import pytest

from tests.chaos.checker.facts import Aside, Decided
from tests.chaos.small_case import (
    AREA,
    DEVICE,
    FIRST,
    GATEWAY,
    LINE_ROW,
    ORDER,
    OTHER_AREA,
    POSITION,
    ROW,
    SECOND,
    WORK,
    SmallCase,
    pair,
)


@pytest.fixture
def small() -> SmallCase:
    """All promises were kept."""
    return SmallCase()


def test_a_campaign_that_kept_its_promises_has_no_violation(small: SmallCase) -> None:
    """A checker that cries wolf would be switched off."""
    assert small.found() == set()


def test_a_saved_row_that_head_office_has_not_is_found(small: SmallCase) -> None:
    """Promise 1: whatever the ticks say."""
    del small.facts.hub.written[LINE_ROW]
    assert "lost_row" in small.found()


def test_a_batch_with_ticks_that_head_office_never_decided_on_is_found(small: SmallCase) -> None:
    """Promise 1: a batch that only changes rows leaves no new row to miss."""
    small.event("packed", 1)["rows"] = []
    del small.facts.hub.inbox[SECOND]
    assert "lost_batch" in small.found()


def test_a_document_that_is_there_twice_is_found(small: SmallCase) -> None:
    """Promise 2: under another id it would pass for another document."""
    small.facts.hub.comments["D01 step 1"] = 2
    assert small.found() == {"doubled"}


def test_a_batch_that_overtook_another_is_found(small: SmallCase) -> None:
    """Promise 3."""
    small.facts.hub.inbox[SECOND] = Decided("f2", "applied", 11)
    assert small.found() == {"overtaken"}


def test_a_batch_that_was_applied_without_the_one_before_is_found(small: SmallCase) -> None:
    """Promise 3: a gap is waited for."""
    small.facts.hub.inbox[DEVICE, 1, 4] = Decided("f4", "quarantined", 25)
    assert "gap" not in small.found()
    small.facts.hub.inbox[DEVICE, 1, 5] = Decided("f5", "applied", 26)
    assert "gap" in small.found()


def test_a_batch_that_still_waits_is_found(small: SmallCase) -> None:
    """Promise 3: at rest nothing may be missing that others wait for."""
    small.facts.hub.waiting.append((DEVICE, 1, 3))
    assert small.found() == {"waits"}


@pytest.mark.parametrize(
    "shown",
    [
        [pair(2)[0], pair(1)[1], pair(1)[2]],
        [pair(2)[0], pair(2)[1], '["pair 1", "pair 2"]'],
        ["[]", pair(2)[1], pair(2)[2]],
        ["[]", "[]", "[]"],
    ],
)
def test_a_torn_transaction_that_a_reader_saw_is_found(small: SmallCase, shown: list[str]) -> None:
    """Promise 4: parts of two states at once."""
    small.event("seen", 1)["pair"] = shown
    assert small.found() == {"torn_transaction"}


def test_a_cursor_that_is_ahead_of_its_rows_is_found(small: SmallCase) -> None:
    """Promise 4: a whole state, but an older one than the cursor says: it will never be asked for again."""
    small.event("seen", 2)["pair"] = pair(1)
    assert small.found() == {"torn_transaction"}


def test_a_whole_state_that_is_later_than_the_cursor_is_no_violation(small: SmallCase) -> None:
    """A repair brings what its gateway has now; the rest comes again with the next delta."""
    small.event("seen", 0)["pair"] = pair(2)
    assert small.found() == set()


def test_a_lost_future_counts_only_for_who_stands_in_it(small: SmallCase) -> None:
    """A change that a restored hub no longer has must not be asked of a device in the new epoch."""
    small.facts.hub.epochs = [(0, 0), (1, 15)]
    late = small.event("seen", 2)
    late["cursor"], late["pair"] = (1 << 32) + 5, pair(1)
    assert "torn_transaction" not in small.found()
    late["pair"] = pair(2)
    assert "torn_transaction" in small.found()


def test_an_order_whose_lines_do_not_add_up_is_found(small: SmallCase) -> None:
    """Promise 4: where a reader saw it, and at head office."""
    small.event("seen", 1)["torn"] = [ORDER]
    assert small.found() == {"torn_document"}
    small.event("seen", 1)["torn"] = []
    small.facts.hub.lines[ORDER] = set()
    assert "torn_order" in small.found()


@pytest.mark.parametrize(
    ("name", "value"),
    [("cursor", 9), ("hub", [0, 9]), ("gateways", {GATEWAY: [1, 0]}), ("epoch", 0), ("newest", 6)],
)
def test_what_goes_back_is_found(small: SmallCase, name: str, value: object) -> None:
    """Promise 5: what a person has been shown stays true."""
    late = small.event("seen", 2)
    late[name] = value
    if name == "cursor":
        late["pair"] = ["[]", "[]", "[]"]
    assert "went_back" in small.found()


def test_ticks_of_gateways_may_go_back_on_the_day_of_a_restore(small: SmallCase) -> None:
    """A gateway counts from what head office has; what that has lost, other gateways hold and send again."""
    small.events.insert(0, {"t": 0.0, "k": "day"})
    small.event("seen", 2)["gateways"] = {GATEWAY: [1, 1]}
    assert small.found() == {"went_back"}
    small.strike(8.2, 8.5, "hub", effects=("hub_restored",))
    assert small.found() == set()
    small.events.insert(-2, {"t": 8.8, "k": "day"})
    assert small.found() == set()
    small.event("seen", 2)["hub"] = [0, 9]
    assert small.found() == {"went_back"}


def test_rows_outside_the_scope_of_the_moment_are_found(small: SmallCase) -> None:
    """Promise 6: also when they are gone again at the end."""
    small.event("seen", 1)["areas"] = [AREA, OTHER_AREA]
    assert small.found() == {"leaked"}
    small.events.insert(
        1, {"t": 0.5, "k": "scope", "lsn": 15, "positions": {POSITION: [AREA, OTHER_AREA]}}
    )
    assert small.found() == {"areas"}, "and at rest it has that area"
    device, hub = small.facts.devices["D01"], small.facts.hub
    device.areas.add(OTHER_AREA)
    device.shelves[OTHER_AREA] = dict(hub.shelves[OTHER_AREA])
    assert small.found() == set()


def test_areas_of_another_day_are_no_violation(small: SmallCase) -> None:
    """Head office's clock jumped: assignments of another day held for a while."""
    small.event("seen", 1)["areas"] = [AREA, OTHER_AREA]
    both = {POSITION: [AREA, OTHER_AREA]}
    small.events.insert(-1, {"t": 9.4, "k": "scope", "lsn": 25, "positions": both})
    small.events.insert(-1, {"t": 9.5, "k": "scope", "lsn": 28, "positions": {POSITION: [AREA]}})
    assert small.found() == {"leaked"}
    small.strike(6.0, 7.0, "hub")
    for event in small.events:
        event.update({"name": "clock_hub"} if event["k"] == "fault" else {})
    assert small.found() == set()


def test_areas_that_a_gateway_should_not_have_are_found(small: SmallCase) -> None:
    """Promise 6: head office says what a gateway holds."""
    small.facts.gateways["GW1"].areas[OTHER_AREA] = "ready"
    assert "areas" in small.found()


def test_a_row_that_differs_somewhere_is_found(small: SmallCase) -> None:
    """Promise 5: missing, more, or other content under the same LSN; at a gateway or a device."""
    for node in (small.facts.gateways["GW1"], small.facts.devices["D01"]):
        whole = dict(node.shelves[AREA])
        del node.shelves[AREA][ROW]
        assert small.found() == {"differs"}
        node.shelves[AREA] = {**whole, ROW: (12, 1)}
        assert small.found() == {"differs"}
        node.shelves[OTHER_AREA] = {"outlet/9": (2, 5)}
        assert "leaked" in small.found()
        del node.shelves[OTHER_AREA]
        node.shelves[AREA] = whole
    small.facts.devices["D01"].misfits.append(ROW)
    assert small.found() == {"damaged"}


def test_what_does_not_come_to_rest_is_found(small: SmallCase) -> None:
    """Promise 5: a network that is never equal has not kept it by never being asked."""
    small.facts.gateways["GW1"].unsent = 1
    assert small.found() == {"no_rest"}
    small.facts.gateways["GW1"].unsent = 0
    small.event("rest")["devices"]["D01"] = {"at_rest": False}
    assert small.found() == {"no_rest"}


def test_a_refusal_that_nobody_asked_for_is_found(small: SmallCase) -> None:
    """Promise 7: honest work is not refused, unless a fault explains it."""
    other = replace(small.facts.hub.rejects[0], table="payment", row="55" * 16, code="no_price")
    small.facts.hub.rejects.append(other)
    assert small.found() == {"unexplained_reject"}
    small.strike(5.0, 6.0, "D01", explains=("no_price",))
    assert small.found() == set()


def test_a_forbidden_row_that_was_taken_or_dropped_is_found(small: SmallCase) -> None:
    """Promise 7: refused, and never in silence."""
    refusal = small.facts.hub.rejects.pop()
    assert small.found() == {"lost_row"}
    small.facts.hub.rejects.append(replace(refusal, text=""))
    assert small.found() == {"wordless"}
    small.facts.hub.written[f"service_work/{WORK}"] = (DEVICE, 21)
    assert "not_refused" in small.found()


def test_a_batch_that_was_put_aside_without_a_reason_is_found(small: SmallCase) -> None:
    """Promise 7: quarantine is for what a fault spoilt."""
    small.facts.hub.aside.append(Aside(FIRST, "f9", "signature_invalid", GATEWAY))
    assert small.found() == {"unexplained_quarantine"}


def test_bytes_and_rows_that_no_device_made_are_found(small: SmallCase) -> None:
    """Promise 7: head office applies what devices signed, nothing else."""
    small.facts.hub.inbox[FIRST] = Decided("f7", "applied", 12)
    assert small.found() == {"altered_batch", "lost_batch"}
    small.facts.hub.inbox[FIRST] = Decided("f1", "applied", 12)
    small.facts.hub.written["payment/66"] = (DEVICE, 12)
    assert small.found() == {"invented_row"}


def test_a_journal_that_was_touched_is_found(small: SmallCase) -> None:
    """Promise 9: changed, left out, put in."""
    chain = small.facts.hub.journal
    small.facts.hub.journal = [chain[0], replace(chain[1], actor="nobody"), chain[2]]
    assert small.found() == {"broken_chain"}
    small.facts.hub.journal = [chain[0], chain[2]]
    assert small.found() == {"broken_chain"}


def test_a_session_that_is_in_no_journal_is_found(small: SmallCase) -> None:
    """Promise 9: who was where, and when; only what a gateway's lost disk can have held is not asked for."""
    small.facts.hub.sessions.clear()
    small.strike(4.5, 9.0, "GW1", effects=("gateway_disk_lost",))
    assert "session_not_noted" in small.found()
    small.strike(3.5, 9.0, "GW1", effects=("gateway_disk_lost",))
    assert "session_not_noted" not in small.found()


def test_a_repair_that_nothing_explains_is_found(small: SmallCase) -> None:
    """Promise 5: a repair mends what a defect of the sync left behind."""
    small.event("synced")["repaired"] = True
    assert small.found() == {"repaired"}
    small.strike(7.0, 7.2, "D01", effects=("device_restored",))
    assert small.found() == set()


def test_a_row_with_other_values_is_found(small: SmallCase) -> None:
    """Promise 1: a row is what was written, not only a row of that name."""
    small.facts.hub.contents[ROW] = "c9"
    assert small.found() == {"altered_row"}


def _change(small: SmallCase, device: str, at: float, phone: str) -> None:
    small.events.insert(
        -1, {"t": at, "k": "changed", "d": device, "row": "77" * 16, "phone": phone, "done": True}
    )


def test_an_update_that_its_own_device_wrote_over_is_found(small: SmallCase) -> None:
    """Promise 3: of two devices either may win, of one only the last write."""
    phones = small.facts.hub.phones
    _change(small, "D01", 4.1, "one")
    _change(small, "D01", 4.2, "two")
    _change(small, "D02", 4.3, "three")
    for phone, found in {
        "two": set(),
        "three": set(),
        "one": {"lost_update"},
        "": {"lost_update"},
    }.items():
        phones["77" * 16] = phone
        assert small.found() == found, phone
    phones["77" * 16] = "one"
    small.event("changed", 1)["done"] = False
    assert "lost_update" not in small.found(), "the later one may never have come about"
    small.event("changed", 1)["done"] = True
    small.strike(4.15, 9.0, "D01", effects=("device_restored",))
    phones["77" * 16] = "one"
    assert "lost_update" not in small.found(), "the later one went with the device"


def test_a_deleted_row_that_stands_somewhere_is_found(small: SmallCase) -> None:
    """Promise 5: a removal reaches everybody, and stays."""
    small.events.insert(-1, {"t": 9.5, "k": "removed", "d": "D01", "row": "outlet/9", "done": True})
    assert small.found() == {"came_back"}
    del small.facts.hub.shelves[OTHER_AREA]["outlet/9"]
    assert small.found() == set()


def test_a_first_tick_for_a_batch_that_the_gateway_has_not_is_found(small: SmallCase) -> None:
    """Promise 1: one tick says that the gateway holds it, also when head office gets it another way."""
    del small.facts.gateways["GW1"].inbox[SECOND]
    assert small.found() == set(), "head office may have decided on it before"
    small.events.insert(-3, {"t": 8.05, "k": "office_step", "n": 3, "change": "price"})
    small.events.insert(-3, {"t": 8.1, "k": "office", "n": 3, "change": "price", "lsn": 20})
    assert small.found() == {"first_tick_without_batch"}
    small.strike(8.5, 9.0, "GW1", effects=("gateway_disk_lost",))
    assert small.found() == {"first_tick_without_batch"}, "it was in the image"
    small.strike(7.2, 7.9, "GW1", effects=("gateway_disk_lost",))
    assert small.found() == set()
    small.events.insert(-3, {**small.event("packed", 1), "t": 8.0})
    assert small.found() == set(), "the device was started again, and noted once more what waits"


def test_a_branch_that_waits_for_head_office_is_found(small: SmallCase) -> None:
    """Promise 8."""
    small.strike(7.1, 7.9, "hub")
    for event in small.events:
        event.update({"name": "kill_hub"} if event["k"] == "fault" else {})
    ended = small.event("synced")
    for outcome, found in {"failed": {"stands_still"}, "done": set()}.items():
        tries = [
            part
            for n in range(20)
            for part in (
                {"t": 7.2 + n / 100, "k": "sync", "d": "D01"},
                {**ended, "t": 7.205 + n / 100, "outcome": outcome},
            )
        ]
        assert (
            SmallCase([*small.events[:-1], *tries, small.events[-1]], small.facts).found() == found
        )


def test_a_program_that_ended_by_itself_is_found(small: SmallCase) -> None:
    """Promise 8: also when somebody starts it again at once."""
    small.events.insert(-1, {"t": 9.5, "k": "ended_by_itself", "node": "GW1", "code": 1})
    assert small.found() == {"ended_by_itself"}
