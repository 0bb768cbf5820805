"""The broker: restarted, robbed of its store, forgetful, and what reaches it twice and in another order."""

import asyncio
import random
import signal
from contextlib import closing

from nats.errors import Error as NatsError
from typing_extensions import override

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.database import connect
from gateway.replication.uplink import to_message
from gateway.storage.outbox import Waiting
from hub.relay.consumers import MARK_SUBJECT, consumer_name
from hub.relay.streams import DOWN
from tests.chaos.arena import Arena
from tests.chaos.faults.fault import (
    Effect,
    NothingStruckError,
    OfGateways,
    OfHub,
    registered,
)
from tests.chaos.ground import Need
from tests.kit.broker import lose_store

_AWAY_S = (1.0, 4.0)
"""How long a gateway is away before DOWN has forgotten what it missed."""
_MOST_AGAIN = 24
_UPSETS = (FieldmeshError, NatsError, OSError, TimeoutError)
"""What the bus may say while its own faults are in force."""
_SENT = (
    "SELECT outbox_number, kind, payload, device_id, attempts FROM fm_outbox"
    " WHERE kind = 'batch' AND published_at IS NOT NULL ORDER BY outbox_number DESC LIMIT ?"
)


class _OfBroker(OfHub):
    """The hub looks after its broker; a hub that ended all the same is started again."""

    needs = frozenset({Need.OWN_BROKER})

    @override
    async def heal(self, network: Arena) -> None:
        await network.switch_on("hub")


@registered
class RestartBroker(_OfBroker):
    """The broker is restarted in good order, as for its new version, until that works."""

    name = "restart_broker"
    lasts_s = (2.0, 6.0)
    again_s = 1.5

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        network.signal("broker", signal.SIGTERM)
        return "the broker is restarted again and again"


@registered
class LoseStore(_OfBroker):
    """The broker is killed and its disk is lost: it comes back with no stream at all."""

    name = "lose_store"
    effects = frozenset({Effect.BROKER_STORE_LOST})

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        await asyncio.to_thread(lose_store, network.hub.folder)
        return "the broker has lost its store"


class _OnTheBus(OfGateways):
    """It strikes what a gateway says to head office, or hears of it."""

    @property
    @override
    def holds(self) -> frozenset[str]:
        return frozenset({self.node, f"bus:{self.node}"})


@registered
class Forgotten(_OnTheBus):
    """A gateway is away for longer than DOWN keeps: what the others have heard meanwhile is there no more."""

    name = "forgotten"

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        network.lines[f"bus:{self.node}"].cut()
        await asyncio.sleep(choose.uniform(*_AWAY_S))
        try:
            dropped = await self._drop(network)
        except _UPSETS as error:
            raise NothingStruckError(f"DOWN keeps everything: {type(error).__name__}") from error
        return f"{self.node} is cut off; DOWN has dropped {dropped} messages"

    async def _drop(self, network: Arena) -> int:
        """Everything is gone that all other gateways have acknowledged. Returns how many messages."""
        own = consumer_name(await network.office.gateway_id(self.node))
        async with network.bus() as bus:
            stream = await bus.jetstream()
            heard = [
                one.ack_floor.stream_seq
                for one in await stream.consumers_info(DOWN)
                if one.name != own and one.ack_floor is not None
            ]
            before = (await stream.stream_info(DOWN)).state.messages
            await stream.purge_stream(DOWN, seq=min(heard, default=0) + 1)
            return int(before - (await stream.stream_info(DOWN)).state.messages)

    @override
    async def heal(self, network: Arena) -> None:
        await network.lines[f"bus:{self.node}"].clear()


@registered
class RepeatedDown(OfHub):
    """What head office has sent lately comes again in its order, under ids that nobody has seen.

    So it is when a hub is killed between sending and noting that it sent, and comes back after the broker has
    forgotten the ids.
    """

    name = "repeated_down"
    again_s = 0.7

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        try:
            async with network.bus() as bus:
                stream = await bus.jetstream()
                last = (await stream.stream_info(DOWN)).state.last_seq
                sent = [
                    message
                    for number in range(max(last - _MOST_AGAIN, 0) + 1, last + 1)
                    if (message := await stream.get_msg(DOWN, number)).subject != MARK_SUBJECT
                ]
                for message in sent:
                    again = f"again.{choose.getrandbits(64):x}"
                    await bus.publish(str(message.subject), message.data or b"", again)
        except _UPSETS as error:
            raise NothingStruckError(f"nothing came again: {type(error).__name__}") from error
        if not sent:
            raise NothingStruckError("nothing was sent lately")
        return f"{len(sent)} messages of head office came once more"

    @override
    async def heal(self, network: Arena) -> None:
        """What came, came."""
        await network.switch_on("hub")


@registered
class Repeated(_OnTheBus):
    """What a gateway has sent lately comes again: twice each, the newest first, under ids that nobody has seen."""

    name = "repeated"
    again_s = 0.7

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        sent = await asyncio.to_thread(self._sent, network)
        try:
            gateway = await network.office.gateway_id(self.node)
            shards = (await network.office.opened()).settings.ingest.shards
            async with network.bus() as bus:
                for entry in [one for one in sent for _ in range(2)]:
                    subject = f"up.{entry.device_id[-1] % shards}.{gateway.hex()}"
                    again = f"again.{choose.getrandbits(64):x}"
                    await bus.publish(subject, to_message(entry, gateway), again)
        except _UPSETS as error:
            raise NothingStruckError(f"no batch came again: {type(error).__name__}") from error
        if not sent:
            raise NothingStruckError(f"{self.node} has sent no batch")
        return f"{len(sent)} batches of {self.node} came twice more, backwards"

    def _sent(self, network: Arena) -> list[Waiting]:
        path = network.gateway(self.node).folder / "data" / "gateway.db"
        with closing(connect(path, read_only=True)) as found:
            return [Waiting(*row) for row in found.execute(_SENT, (_MOST_AGAIN,))]

    @override
    async def heal(self, network: Arena) -> None:
        """What came, came."""
