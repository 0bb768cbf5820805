"""Seeds outlive the line to the bus, and one whose file is gone is made anew."""

import errno
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest

from fieldmesh.basics.errors import Rejected, Retry
from hub.config import HubSettings
from hub.fleet.office import Office, make_office
from hub.relay.requests import Desk, Responder
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
