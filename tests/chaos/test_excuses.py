"""A fault excuses what it did, on the device, batch and time that it struck, and nothing beside it."""

from dataclasses import replace

import pytest

from tests.chaos.checker.facts import Aside, Reject
from tests.chaos.small_case import (
    DEVICE,
    FIRST,
    GATEWAY,
    LINE_ROW,
    ORDER,
    ROW,
    SECOND,
    SmallCase,
)

RESTORED = ("device_restored",)
TWO_PASTS = ("cloned_device", "late_batch")
NEW_EPOCH = 1 << 32


@pytest.fixture
def small() -> SmallCase:
    """All promises were kept."""
    return SmallCase()


def _take_away_the_order(small: SmallCase) -> None:
    del small.facts.hub.written[ROW], small.facts.hub.written[LINE_ROW]
    small.facts.hub.lines.clear()


def _unticked(small: SmallCase) -> None:
    small.event("seen", 0)["gateways"] = {}


def test_what_only_a_restored_device_had_may_be_gone(small: SmallCase) -> None:
    """What nobody else has goes with the device; that is not promised."""
    _take_away_the_order(small)
    _unticked(small)
    assert "lost_row" in small.found()
    small.strike(1.5, 5.0, "D01", effects=RESTORED)
    assert "lost_row" not in small.found()


@pytest.mark.parametrize(("begin", "end"), [(0.5, 1.5), (2.5, 3.5)])
def test_what_stands_on_the_image_or_came_after_it_is_not_gone(
    small: SmallCase, begin: float, end: float
) -> None:
    """An order that was saved before the image was taken is on it; one that was saved later is on the device."""
    _take_away_the_order(small)
    _unticked(small)
    small.strike(begin, end, "D01", effects=RESTORED)
    assert "lost_row" in small.found()


def test_what_had_one_tick_survives_the_loss_of_its_device(small: SmallCase) -> None:
    """Promise 1, word for word; but for a gateway that burns down later with the only other copy."""
    _take_away_the_order(small)
    del small.facts.hub.inbox[FIRST]
    small.event("seen", 1)["hub"] = small.event("seen", 2)["hub"] = [0, 0]
    small.strike(1.5, 5.0, "D01", effects=RESTORED)
    assert {"lost_row", "lost_batch"} <= small.found()
    small.strike(3.5, 4.5, "GW1", effects=("gateway_disk_lost",))
    assert not {"lost_row", "lost_batch"} & small.found()


def test_of_two_batches_of_one_number_neither_may_vanish(small: SmallCase) -> None:
    """The one that is not applied is put aside, with its bytes."""
    other = dict(small.event("packed", 0), t=3.2, sha="f3", rows=[])
    small.events.insert(small.events.index(small.event("packed", 0)) + 1, other)
    assert "lost_batch" in small.found()
    small.put_aside(FIRST, "f3", "cloned_device")
    small.strike(2.0, 3.5, "D01", explains=TWO_PASTS)
    assert small.found() == set()
    small.facts.hub.aside.clear()
    small.facts.hub.rejects.pop()
    other["copied"] = True
    assert small.found() == set()


def test_a_batch_that_was_put_aside_in_silence_is_found(small: SmallCase) -> None:
    """Promise 7: its device hears of it."""
    small.put_aside(FIRST, "f1", "cloned_device")
    small.strike(2.5, 3.5, "D01", explains=TWO_PASTS)
    assert small.found() == set()
    small.facts.hub.rejects.pop()
    assert small.found() == {"put_aside_in_silence"}


def test_only_what_was_packed_is_put_aside_with_its_rows(small: SmallCase) -> None:
    """Bytes that a gateway made of a batch are no copy of its rows."""
    _take_away_the_order(small)
    small.facts.hub.aside.append(Aside(FIRST, "f9", "signature_invalid", GATEWAY))
    small.strike(1.0, 5.0, "GW1", explains=("signature_invalid",))
    assert "lost_row" in small.found()


def test_a_quarantine_is_explained_by_a_fault_of_its_device(small: SmallCase) -> None:
    """Not by a clone of another one, and not where the device had shown two ticks before."""
    small.put_aside(FIRST, "f1", "cloned_device")
    small.strike(2.5, 3.5, "D02", explains=TWO_PASTS)
    assert small.found() == {"unexplained_quarantine"}
    small.strike(8.5, 9.5, "D01", explains=TWO_PASTS)
    assert small.found() == {"unexplained_quarantine"}
    small.strike(2.5, 3.5, "D01", explains=TWO_PASTS)
    assert small.found() == set()


def test_forged_bytes_are_explained_by_a_fault_of_the_gateway_that_brought_them(
    small: SmallCase,
) -> None:
    """Bytes that the device did pack are not forged."""
    small.strike(1.0, 5.0, "GW1", explains=("signature_invalid",))
    small.facts.hub.aside = [Aside(FIRST, "f9", "signature_invalid", GATEWAY)]
    assert small.found() == set()
    small.facts.hub.aside = [Aside(FIRST, "f9", "signature_invalid", "02" * 16)]
    assert small.found() == {"unexplained_quarantine"}
    small.facts.hub.aside = [Aside(FIRST, "f1", "signature_invalid", GATEWAY)]
    assert small.found() == {"unexplained_quarantine"}


def test_a_dependant_is_refused_with_what_it_depends_on_only(small: SmallCase) -> None:
    """Another refusal of the same batch, which is explained itself."""
    refusal = replace(
        small.facts.hub.rejects[0], table="spare_part", row="55" * 16, code="depends_on_refused"
    )
    small.facts.hub.rejects.append(refusal)
    assert small.found() == set()
    small.facts.hub.rejects[-1] = replace(refusal, sequence=1)
    assert small.found() == {"unexplained_reject"}


def test_a_row_is_gone_only_when_it_never_came(small: SmallCase) -> None:
    """A colleague changed what a gateway showed: it is put aside, or gone with device and gateway."""
    table, row = ROW.split("/")
    small.facts.hub.rejects.append(Reject("0b" * 16, table, row, "row_gone", "Gone.", 1, 1, 25))
    small.strike(2.5, 3.5, "D01", explains=TWO_PASTS)
    assert small.found() == {"unexplained_reject"}
    _take_away_the_order(small)
    assert "unexplained_reject" in small.found()
    small.put_aside(FIRST, "f1", "cloned_device")
    assert small.found() == set()


def test_a_change_that_waits_for_a_row_that_came_is_found(small: SmallCase) -> None:
    """It may wait only for what a fault has kept from head office."""
    small.facts.hub.early.append((("0b" * 16, 1, 1), ROW))
    assert small.found() == {"change_waits"}
    _take_away_the_order(small)
    small.put_aside(FIRST, "f1", "cloned_device")
    small.strike(2.5, 3.5, "D01", explains=TWO_PASTS)
    assert small.found() == set()


def test_out_of_a_lost_future_is_what_was_packed_in_it(small: SmallCase) -> None:
    """The device showed a commit that head office has lost when it packed; and was judged after it."""
    made = Reject(DEVICE, "sales_order", ORDER, "outside_scope", "Not yours.", 1, 2, NEW_EPOCH + 5)
    small.facts.hub.rejects.append(made)
    small.facts.hub.epochs.append((1, 5))
    assert small.event("seen", 0)["cursor"] == 10
    assert "unexplained_reject" in small.found()
    small.strike(2.5, 3.5, "hub", effects=("hub_restored",), explains=("outside_scope",))
    assert "unexplained_reject" not in small.found()
    small.facts.hub.rejects[-1] = replace(made, lsn=25)
    assert "unexplained_reject" in small.found()
    small.facts.hub.rejects[-1] = replace(made, epoch=9, sequence=1)
    assert "unexplained_reject" in small.found()
    small.event("wrote", 0)["t"] = 4.5
    assert "unexplained_reject" not in small.found(), "written in it, signed anew later"
    small.facts.hub.rejects[-1] = made
    small.facts.hub.epochs[-1] = (1, 15)
    assert "unexplained_reject" in small.found()


def test_ticks_of_a_gateway_that_lost_its_disk_go_back_once(small: SmallCase) -> None:
    """Then it says what it has now, and is offered everything again: later they grow as ever."""
    small.event("seen", 2)["gateways"] = {GATEWAY: [1, 1]}
    assert small.found() == {"went_back"}
    small.strike(8.2, 8.5, "GW1", effects=("gateway_disk_lost",))
    assert small.found() == set()
    again = dict(small.event("seen", 2), t=9.5, gateways={GATEWAY: [1, 0]})
    small.events.insert(-1, again)
    assert small.found() == {"went_back"}


def test_ticks_of_a_gateway_go_back_once_for_a_batch_that_it_spoilt(small: SmallCase) -> None:
    """Head office says that what came from there is not the device's; the gateway then asks for the batch again."""
    small.event("seen", 2)["gateways"] = {GATEWAY: [0, 0]}
    spoilt = Aside(SECOND, "f9", "signature_invalid", GATEWAY)
    small.facts.hub.aside.append(spoilt)
    small.strike(6.5, 7.5, "GW1", effects=("copies_spoilt",), explains=("signature_invalid",))
    assert small.found() == set()
    small.facts.hub.aside[-1] = replace(spoilt, gateway="a2" * 16)
    assert "went_back" in small.found()
    small.facts.hub.aside[-1] = replace(spoilt, place=(DEVICE, 1, 3))
    assert "went_back" in small.found()
    small.facts.hub.aside[-1] = spoilt
    regrown = dict(small.event("seen", 2), t=9.5, gateways={GATEWAY: [1, 2]})
    small.events[-1:-1] = [regrown, dict(regrown, t=9.6, gateways={GATEWAY: [0, 0]})]
    assert small.found() == {"went_back"}


def test_a_restored_device_goes_back_once(small: SmallCase) -> None:
    """With everything that it shows; from then on its ticks and cursor grow again."""
    small.event("seen", 2).update(cursor=10, hub=[0, 0], pair=small.event("seen", 0)["pair"])
    small.strike(8.2, 8.5, "D01", effects=RESTORED)
    assert "went_back" not in small.found()
    again = dict(small.event("seen", 2), t=9.5, cursor=9, pair=["[]", "[]", "[]"])
    small.events.insert(-1, again)
    assert "went_back" in small.found()


def test_sessions_of_a_restored_device_are_noted_too(small: SmallCase) -> None:
    """What it still knows of ended well, and somebody moved rows."""
    small.strike(8.2, 8.5, "D01", effects=RESTORED)
    small.facts.hub.sessions.clear()
    assert "session_not_noted" in small.found()
