"""The one publisher of DOWN, on a broker in memory."""

from typing import cast

import pytest

from fieldmesh.basics.errors import Retry
from fieldmesh.service.bus import Bus
from fieldmesh.service.metrics import Registry
from hub.metrics import RelayFigures
from hub.relay.publish import Relay
from tests.kit.company import SmallCompany
from tests.model.broker import Broker, Line


def relay_of(company: SmallCompany, line: Line) -> Relay:
    """It publishes what waits in the company's database."""
    figures = RelayFigures(Registry("hub"), company.clock)
    return Relay(company.database, cast("Bus", line), company.clock, figures)


async def test_a_line_that_breaks_is_no_unforeseen_error(company: SmallCompany) -> None:
    """It stood in the log with a long trace at each break, and the time to wait was not kept."""
    line = Line(Broker())
    line.lose_words = 1
    with pytest.raises(Retry):
        await relay_of(company, line).run()
