"""What a person's act may reach beyond the database: gateways, waiting batches, signed orders."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fieldmesh.basics.errors import Retry
from hub.fleet.office import Office
from hub.storage.rows import Connection

Command = Callable[[bytes, str, Mapping[str, object]], Awaitable[dict[str, object]]]
"""Gateway, what it is told, options → its answer."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of batches that a person let in: rows applied, rows refused, batches."""

    rows: int
    refused: int
    batches: int


async def _no_gateway(
    _gateway: bytes, _what: str, _options: Mapping[str, object]
) -> dict[str, object]:
    """Without a bus no gateway hears anything.

    Raises:
        Retry: `bus_unreachable`.
    """
    raise Retry("bus_unreachable", place="gateway", delay_s=5.0, url="")


Note = Callable[[Connection], Awaitable[None]]
"""What stands in the journal of an act: written in its transaction; what it raises ends both."""


@dataclass(frozen=True, slots=True)
class Hands:
    """The hub as acts of people need it.

    Attributes:
        office: settings, database, keys.
        command: tells a gateway to do something.
        retry: applies the bytes of a batch in quarantine, and notes it.
        release: lets a device's waiting batches go on without what is missing, and notes it.
        wipe_order: device, reason → the signed order to erase itself.
    """

    office: Office
    retry: Callable[[bytes, Note], Awaitable[Applied]]
    release: Callable[[bytes, Note], Awaitable[Applied]]
    wipe_order: Callable[[bytes, str], bytes]
    command: Command = _no_gateway
