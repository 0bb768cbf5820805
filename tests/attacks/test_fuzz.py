"""The short form of the fuzzing: each target for a moment, with the same seed on every machine."""

from pathlib import Path

import pytest

from tests.attacks.fuzz.running import run
from tests.attacks.fuzz.targets import TARGETS

SEED = 20_261_125
SECONDS = 0.4


# An odd certificate is refused or taken in words; that the library also means to refuse it one day is no answer.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("name", sorted(TARGETS))
async def test_nothing_that_a_stranger_sends_breaks_it(name: str, tmp_path: Path) -> None:
    """No crash, no hang, no growth; one clear answer to each input; and what holds afterwards still holds."""
    tally = await run(
        name, TARGETS[name], seed=SEED, seconds=SECONDS, folder=tmp_path / "t", kept=tmp_path
    )
    assert tally.inputs
