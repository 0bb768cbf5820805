"""Seeds outlive the line to the bus, and one whose file is gone is made anew."""

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest

from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.wire.v1 import replication_pb2
from hub.config import HubSettings
from hub.fleet.office import Office, make_office
from hub.relay.requests import MOST_SEEDING, Desk, Responder
from hub.relay.seeds import Seed, Seeds

PARTITION = 7


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A new hub."""
    made = await make_office(tmp_path / "hub", HubSettings(), 'company = "Seeds"\n')
    yield made
    await made.database.close()


@pytest.fixture
def seeds(office: Office) -> Seeds:
    """Its seeds, none yet."""
    made = Seeds(office.database, office.home.spool)
    made.clear()
    return made


async def test_a_seed_is_still_given_after_the_line_to_the_bus_broke(
    office: Office, seeds: Seeds
) -> None:
    """A gateway asks for a seed and then for its chunks: a partition that nobody changes would never be ready again."""

    async def breaks(*_: object, **__: object) -> NoReturn:
        raise Retry("bus_unreachable", url="tls://hub")

    responder = Responder(
        office.database,
        cast("Any", SimpleNamespace(respond_all=breaks)),
        office.clock,
        desk=cast("Desk", None),
        seeds=seeds,
        blobs=cast("Any", None),
        shards=1,
    )
    held = await seeds.seed(PARTITION)
    with pytest.raises(Retry):
        await responder.run()
    assert await seeds.seed(PARTITION) is held
    assert await seeds.chunk(held.seed_id, 0) is not None


async def test_a_seed_whose_file_is_gone_is_made_anew(office: Office, seeds: Seeds) -> None:
    """Somebody emptied the spool: whoever asks again must get another seed, not the same one without its file."""
    held = await seeds.seed(PARTITION)
    for file in office.home.spool.glob("*.seed"):
        file.unlink()
    with pytest.raises(Rejected) as caught:
        await seeds.chunk(held.seed_id, 0)
    assert caught.value.code == "seed_unknown"
    again = await seeds.seed(PARTITION)
    assert again.seed_id != held.seed_id
    assert await seeds.chunk(again.seed_id, 0) is not None


async def test_a_seed_that_is_being_fetched_outlives_those_that_are_not(
    seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All gateways seed at once after a restore: a large one was gone before its last chunk, time and again."""
    monkeypatch.setattr("hub.relay.seeds.MOST_SEEDS", 2)
    fetched, left = await seeds.seed(PARTITION), await seeds.seed(PARTITION + 1)
    await seeds.chunk(fetched.seed_id, 0)
    await seeds.seed(PARTITION + 2)
    assert await seeds.chunk(fetched.seed_id, 0) is not None
    with pytest.raises(Rejected):
        await seeds.chunk(left.seed_id, 0)


async def test_seeds_of_the_whole_network_do_not_stand_before_what_is_short(
    office: Office, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind thousands of waiting seeds each hello was given up, and no seed came to its first chunk in time."""
    responder = Responder(
        office.database, cast("Any", None), office.clock, desk=cast("Desk", None), seeds=seeds,
        blobs=cast("Any", None), shards=1,
    )  # fmt: skip
    may_build = asyncio.Event()

    async def scope(_gateway: bytes, _step: object) -> tuple[set[int], None]:
        await may_build.wait()
        return {PARTITION}, None

    monkeypatch.setattr(responder, "_with_scope", scope)
    request = replication_pb2.SeedRequest(partition=PARTITION).SerializeToString()
    subject = f"rpc.hub.seed.{'0' * 32}"
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        waiting = [
            group.create_task(responder.answer(subject, request)) for _ in range(MOST_SEEDING)
        ]
        await asyncio.sleep(0)
        busy = replication_pb2.Reply.FromString(await responder.answer(subject, request))
        assert busy.problem.code == "hub_busy"
        assert busy.problem.retry_after_ms
        may_build.set()
    for one in waiting:
        reply = replication_pb2.Reply.FromString(one.result())
        begun = replication_pb2.SeedReply.FromString(reply.value)
        assert begun.first_chunk == await seeds.chunk(begun.seed_id, 0)
    again = replication_pb2.Reply.FromString(await responder.answer(subject, request))
    assert not again.HasField("problem")


async def test_a_seed_that_fails_leaves_nothing_on_the_disk(
    office: Office, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each gateway asks again and again: on a full disk every try would have left another half of a file."""
    append = seeds._append

    def half(seed: Seed, content: bytes) -> None:
        append(seed, content)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(seeds, "_append", half)
        with pytest.raises(Retry) as told:
            await seeds.seed(PARTITION)
    assert told.value.code == "disk_full"
    assert list(office.home.spool.glob("*.seed")) == []
    assert await seeds.chunk((await seeds.seed(PARTITION)).seed_id, 0) is not None
