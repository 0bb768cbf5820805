"""What tests of the hub begin with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.company import SmallCompany


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[SmallCompany]:
    """A company with one rep."""
    made = await SmallCompany.founded(tmp_path)
    yield made
    await made.database.close()
