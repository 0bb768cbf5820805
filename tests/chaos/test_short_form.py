"""The campaign in its short form: half a minute of everything that `make chaos` does for hours."""

from pathlib import Path

import pytest

from tests.chaos.campaign import Orders, run
from tests.chaos.shape import company
from tests.chaos.telling import stories
from tests.kit.ready import ready

SEED, SECONDS = 3, 12.0
FAULTS = ("kill", "stop", "cut", "one_way", "reparent", "by_hand")
LEAST = 100


@pytest.mark.long
async def test_a_company_under_fire_keeps_every_promise(tmp_path: Path) -> None:
    """All nine promises, with faults that overlap; a violation tells its story."""
    shape = company(gateways=2, devices=4, crews=2)
    with ready():
        verdict = await run(Orders(tmp_path, shape, SEED, SECONDS, FAULTS), lambda _: None)
    told = "\n".join(stories(verdict, f"make chaos SEED={SEED} FAULTS={','.join(FAULTS)}"))
    assert not verdict.violations, told
    assert verdict.tally.every.operations > LEAST
    assert len(verdict.tally.faults) > 1
    assert verdict.tally.every.modes["full"]["done"]
