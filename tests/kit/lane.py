"""One lane of the ingest without a broker: messages that remember what became of them."""

from fieldmesh.basics.clock import ManualClock
from fieldmesh.service.bus import Bus
from fieldmesh.service.metrics import Registry
from hub.ingest.consume import Consumer
from hub.metrics import IngestFigures
from tests.kit.company import GATEWAY_ID, SmallCompany


class Delivered:
    """A message of the bus that remembers what was said of it."""

    def __init__(self, data: bytes, gateway: bytes = GATEWAY_ID) -> None:
        """It carries ``data``; ``gateway`` has published it."""
        self.data = data
        self.subject = f"up.0.{gateway.hex()}"
        self.acknowledged = self.refused = False
        self.waits = 0

    async def working(self) -> None:
        """Its turn comes; nobody need deliver it again."""
        self.waits += 1

    async def refuse(self, _delay_s: float = 0.0) -> None:
        """It is delivered again."""
        self.refused = True

    async def ack(self) -> None:
        """It is not delivered again."""
        self.acknowledged = True


def consumer_of(company: SmallCompany) -> Consumer:
    """The loop over one shard, whose bus is never asked."""
    figures = IngestFigures(Registry("hub"), ManualClock())
    bus: Bus = object()  # type: ignore[assignment]
    return Consumer(bus, company.ingest, company.verifier, 0, figures)
