"""Batches that wait for earlier ones: their row goes on after a crash, and is never read as a whole."""

import pytest

from hub.ingest import group
from hub.ingest.group import Group
from hub.ingest.verify import Checked
from tests.kit.company import SmallCompany


async def test_a_long_row_goes_on_after_a_crash_between_two_of_its_transactions(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 3: what the first transaction left was never looked at again, and the device stood still."""
    monkeypatch.setattr(group, "MOST_WAITING", 4)
    device = await company.device()
    batches = [device.pack(device.order(company.outlets[0], number=f"N{n:02}")) for n in range(11)]
    await company.ingest.apply(batches[:0:-1])

    async def killed(_: Group, __: object) -> None:
        raise SystemExit

    with monkeypatch.context() as crash:
        crash.setattr(Group, "run_waiting", killed)
        with pytest.raises(SystemExit):
            await company.ingest.apply(batches[:1])
    assert await company.query("SELECT count(*) FROM fm_waiting") == [(6,)]
    again = await company.ingest.apply(batches[:1])
    assert (again.applied, again.repeated, again.unfinished) == (6, 1, set())
    assert await company.query("SELECT count(*) FROM fm_waiting") == [(0,)]
    assert await company.query("SELECT sequence FROM fm_device_mark") == [(11,)]


async def test_of_a_long_row_only_what_is_due_is_read(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 8: one device can leave gigabytes waiting; read as a whole they end the hub, again at each start."""
    device = await company.device()
    batches = [device.pack(device.order(company.outlets[0], number=f"N{n}")) for n in range(8)]
    await company.ingest.apply(batches[4:])
    read: list[object] = []
    check = company.ingest._check

    def counted(payload: bytes) -> Checked:
        read.append(payload)
        return check(payload)

    monkeypatch.setattr(company.ingest, "_check", counted)
    assert (await company.ingest.apply(batches[2:3])).waiting == 1
    assert (await company.ingest.apply(batches[:1])).applied == 1
    assert read == []
    assert (await company.ingest.apply(batches[1:2])).applied == 2
    assert read == [batches[2].payload]
