"""One lane of the ingest: what a pull brings is unfolded in portions that a transaction can hold."""

from collections.abc import Sequence

import pytest

from fieldmesh.basics.errors import Retry
from hub.ingest import consume
from hub.ingest.ingest import Ingest
from hub.ingest.result import GroupResult
from hub.ingest.verify import Checked
from tests.kit.company import SmallCompany
from tests.kit.lane import Delivered, consumer_of


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Rows of each batch of each group, as the hub takes them in; a group holds ten rows."""
    taken: list[list[int]] = []
    apply = Ingest.apply

    async def noted(ingest: Ingest, batches: Sequence[Checked], *more: object) -> GroupResult:
        taken.append([one.header.rows if one.header else 0 for one in batches])
        return await apply(ingest, batches, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Ingest, "apply", noted)
    monkeypatch.setattr(consume, "MOST_ROWS", 10)
    return taken


async def delivered(company: SmallCompany, *lines: int) -> list[Delivered]:
    """A batch of one order for each, which has so many lines and takes a row more."""
    device = await company.device()
    made = [device.order(company.outlets[0], lines=one, number=f"N{one}") for one in lines]
    return [Delivered(device.pack(one).payload) for one in made]


async def test_one_transaction_holds_no_more_rows_than_fit(
    company: SmallCompany, groups: list[list[int]]
) -> None:
    """128 batches of a broken program were 7.5 GB at once; the hub died, and the broker brought them again."""
    messages = await delivered(company, 4, 4, 1, 19, 2, 3)
    rubbish = Delivered(b"\xff\xfe rubbish")
    result = await consumer_of(company).take([*messages[:4], rubbish, *messages[4:]])  # type: ignore[list-item]
    assert groups == [[5, 5], [2], [20], [0, 3, 4]]
    assert (result.applied, result.quarantined, result.rows) == (6, 1, 39)
    assert all(one.acknowledged for one in (*messages, rubbish))
    assert [one.waits for one in messages] == [0, 0, 1, 2, 3, 3], (
        "else the broker brings them again"
    )


async def test_what_would_unfold_to_too_much_comes_by_itself(
    company: SmallCompany, groups: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few rows may be large ones."""
    monkeypatch.setattr(consume, "MOST_UNFOLDED_BYTES", 1)
    await consumer_of(company).take(await delivered(company, 1, 1, 1))  # type: ignore[arg-type]
    assert groups == [[2], [2], [2]]


async def test_what_a_database_cannot_take_now_is_given_back_and_what_is_done_is_not(
    company: SmallCompany, groups: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 1: what was not committed must come again."""
    apply = Ingest.apply

    async def busy(ingest: Ingest, *more: object) -> GroupResult:
        if groups:
            raise Retry("database_busy", delay_s=1.0)
        return await apply(ingest, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Ingest, "apply", busy)
    messages = await delivered(company, 9, 4, 9)
    with pytest.raises(Retry):
        await consumer_of(company).take(messages)  # type: ignore[arg-type]
    assert [one.acknowledged for one in messages] == [True, False, False]
    assert [one.refused for one in messages] == [False, True, True]


async def test_large_batches_that_waited_are_decided_in_several_transactions(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five hundred of fifty thousand rows would have been one."""
    device = await company.device()
    first, *others = [
        device.pack(device.order(company.outlets[0], lines=299, number=f"N{n}")) for n in range(4)
    ]
    monkeypatch.setattr("hub.ingest.group.MOST_WAITING", 4)
    await company.ingest.apply(others)
    assert (await company.ingest.apply([first])).applied == 4
    assert await company.query("SELECT count(DISTINCT lsn) FROM fm_inbox") == [(3,)]
