"""Where a device may sync: told at the end of every session, kept up to date with the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fieldmesh.wire.v1 import enrol_pb2
from gateway.storage.neighbours import read_neighbours

if TYPE_CHECKING:
    from fieldmesh.service.database import Database
    from gateway.storage.neighbours import Neighbour
    from gateway.storage.signals import Signals

_MOST: Final = 8
_LOOK_S: Final = 60.0
_AGAIN_S: Final = 30.0


class Neighbours:
    """The list, as of a short while ago."""

    def __init__(self, database: Database, signals: Signals, gateway_id: bytes) -> None:
        """Nobody is known yet."""
        self._database = database
        self._signals = signals
        self._gateway_id = gateway_id
        self._rows: list[Neighbour] = []

    def __call__(self, home_id: bytes | None = None) -> list[enrol_pb2.GatewayAddress]:
        """For a device at home there: this gateway, its home, then those beside either. A guest finds its way back."""
        places = {row.gateway_id: row for row in self._rows}
        nearest = [places[one] for one in (self._gateway_id, home_id) if one in places]
        beside = [row for near in nearest for row in self._rows if near.is_beside(row)]
        return [
            enrol_pb2.GatewayAddress(
                gateway_id=row.gateway_id,
                name=row.name,
                addresses=row.addresses,
                enrolment_address=row.enrolment_address,
            )
            for row in list(dict.fromkeys(nearest + beside))[:_MOST]
        ]

    async def refresh(self) -> None:
        """The list is as the cache has it."""
        self._rows = await self._database.read(read_neighbours)

    async def watch(self) -> None:
        """Keep the list up to date, for ever."""
        while True:
            count = self._signals.partitions_changed.count
            await self.refresh()
            known = bool(self._rows)
            await self._signals.partitions_changed.after(
                count, timeout_s=_LOOK_S if known else _AGAIN_S
            )
