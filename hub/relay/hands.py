"""What acts of people reach through the bus and by the hub's signature."""

import json
from collections.abc import Awaitable, Callable, Mapping

from fieldmesh.service.bus import Bus
from hub.desk.hands import Applied, Hands, Note
from hub.fleet.office import Office
from hub.relay.commands import GatewayCommand, send_command
from hub.relay.wipe_order import signed_wipe_order

Apply = Callable[[bytes, Note], Awaitable[Applied]]


def make_hands(office: Office, bus: Bus, *, retry: Apply, release: Apply) -> Hands:
    """The hub as acts of people need it; ``retry`` and ``release`` are those of ingest."""

    async def command(
        gateway: bytes, what: str, options: Mapping[str, object]
    ) -> dict[str, object]:
        asked = GatewayCommand(
            what,
            repair=bool(options.get("repair")),
            deep=bool(options.get("deep")),
            hours=str(options.get("hours") or ""),
        )
        reply: dict[str, object] = json.loads(await send_command(bus, gateway, asked))
        return reply

    def wipe_order(device: bytes, reason: str) -> bytes:
        now, sign = office.clock.now(), office.trust.signer.sign
        return signed_wipe_order(device, ordered_at=now, reason=reason, sign=sign)

    return Hands(office, retry, release, wipe_order, command)
