"""A spare device in the cupboard of a crew: duplicates, works, hands over, as it is wished to."""

from dataclasses import dataclass
from typing import Any

from fieldmesh.basics.clock import SystemClock
from tests.chaos.device import FieldDevice
from tests.chaos.wish import Wish


@dataclass(slots=True)
class Spare:
    """A spare, and what is wished of it. What it is in the middle of stands in its own database."""

    device: FieldDevice
    wish: Wish

    async def stands_in(self) -> bool:
        """One move towards what is wished. True while it stands in and may be worked with."""
        state = (await self.device.opened().status()).state
        if self.wish is Wish.STAND_IN:
            if state.first_device_id:
                return True
            await self.device.sync("duplicate", self.device.post.home)
        elif self.wish is Wish.HAND_OVER and state.first_device_id:
            await self.device.sync("upload", self.device.post.home)
        return False

    async def rest(self, lsn: int, deadline_s: float) -> dict[str, Any]:
        """It lies in the cupboard again, cleared, or stands where a device in use does."""
        if self.wish is Wish.STAND_IN:
            return await self.device.rest(lsn, deadline_s)
        until = SystemClock().monotonic() + deadline_s
        while (await self.device.opened().status()).state.first_device_id:
            if SystemClock().monotonic() > until:
                return {"at_rest": False, "waits": "handover"}
            await self.stands_in()
        return {"at_rest": True}
