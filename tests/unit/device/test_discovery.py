"""What other machines on the local network announce."""

from typing import cast

import pytest
from zeroconf.asyncio import AsyncZeroconf

from device_agent.link.discovery import _resolve


@pytest.mark.parametrize("name", ["x._http._tcp.local.", "_fieldmesh._tcp.local.", ""])
async def test_a_neighbour_that_announces_something_strange_is_no_gateway(name: str) -> None:
    """One answer of any machine in the network would end each sync with an exception that nobody expects."""
    assert await _resolve(cast("AsyncZeroconf", object()), name) == []
