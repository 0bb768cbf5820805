"""The bus over a real broker: once, in order, over breaks, and for nobody else."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.service import nats_identity as identity
from fieldmesh.service.bus import Bus
from fieldmesh.service.bus_pull import MOST_PULLED_BYTES
from fieldmesh.service.nats_server import NatsServer
from hub.trust.authority import Authority
from tests.integration.service.conftest import World, new_seed

OWN = b"g" * 16
CONSUMER = f"gw_{OWN.hex()}"


@pytest.fixture
async def hub(world: World) -> AsyncIterator[Bus]:
    """The hub's line, with both streams and the gateway's consumer made."""
    bus = world.bus(new_seed("user"), identity.ALL)
    streams = await bus.jetstream()
    await streams.add_stream(StreamConfig(name="UP", subjects=["up.>"]))
    await streams.add_stream(StreamConfig(name="DOWN", subjects=["down.>"]))
    consumer = ConsumerConfig(
        durable_name=CONSUMER,
        ack_policy=AckPolicy.EXPLICIT,
        filter_subjects=["down.mark", "down.1"],
        max_ack_pending=-1,
    )
    await streams.add_consumer("DOWN", consumer)
    yield bus
    await bus.close()


@pytest.fixture
async def gateway(world: World) -> AsyncIterator[Bus]:
    """A gateway's line, with a gateway's rights."""
    bus = world.bus(
        new_seed("user"),
        identity.gateway_permissions(OWN),
        inbox_prefix=identity.gateway_inbox(OWN.hex()),
    )
    yield bus
    await bus.close()


async def test_a_message_published_twice_is_there_once(hub: Bus, gateway: Bus) -> None:
    """A gateway that got no answer publishes again."""
    assert hub.is_connected
    subject = f"up.0.{OWN.hex()}"
    first = await gateway.publish(subject, b"x", "m1")
    again = await gateway.publish(subject, b"x", "m1")
    assert (first.sequence, first.duplicate) == (1, False)
    assert (again.sequence, again.duplicate) == (1, True)


async def test_messages_come_in_order_and_at_once(hub: Bus, gateway: Bus) -> None:
    """A mark that waits for a full batch would make every sync slow."""
    for number in range(5):
        await hub.publish("down.1", b"%d" % number, f"d{number}")
    await hub.publish("down.2", b"of another gateway", "other")
    await hub.publish("down.mark", b"", "mark")
    found = []
    began = asyncio.get_running_loop().time()
    while len(found) < 6:
        found += await gateway.pull("DOWN", CONSUMER, 500, 30.0)
    assert asyncio.get_running_loop().time() - began < 20
    assert [message.consumer_sequence for message in found] == [1, 2, 3, 4, 5, 6]
    assert [message.data for message in found] == [b"0", b"1", b"2", b"3", b"4", b""]
    assert found[-1].stream_sequence == 7
    for message in found:
        await message.ack()
    assert await gateway.pull("DOWN", CONSUMER, 500, 0.1) == []


async def test_large_messages_come_in_portions_and_none_waits_for_a_time_out(
    hub: Bus, gateway: Bus
) -> None:
    """More than a line may hold was dropped on its way, and came again two minutes later."""
    size, count = 4 << 20, 10
    for number in range(count):
        await hub.publish("down.1", bytes([number]) * size, f"d{number}")
    found = await gateway.pull("DOWN", CONSUMER, 500, 30.0)
    for number in range(4):  # As long as this takes the broker could have sent everything.
        await hub.publish("down.2", bytes(size), f"other{number}")
    info = await (await hub.jetstream()).consumer_info("DOWN", CONSUMER)
    assert 1 <= (info.num_ack_pending or 0) <= MOST_PULLED_BYTES // size
    async with asyncio.timeout(20):
        while len(found) < count:
            found += await gateway.pull("DOWN", CONSUMER, 500, 30.0)
    assert [message.data[0] for message in found] == list(range(count))
    assert {message.deliveries for message in found} == {1}


async def test_requests_are_answered_both_ways(hub: Bus, gateway: Bus) -> None:
    """The hub asks gateways, gateways ask the hub."""

    async def hub_answers(subject: str, data: bytes) -> bytes:
        if data == b"break":
            raise ValueError(data)
        return subject.split(".")[2].encode() + data

    async def gateway_answers(data: bytes) -> bytes:
        return b"gateway " + data

    async with asyncio.TaskGroup() as group:
        answering = [
            group.create_task(hub.respond_all("rpc.hub.*.*", hub_answers, inbox_of=own_inbox)),
            group.create_task(gateway.respond(f"rpc.gateway.{OWN.hex()}.command", gateway_answers)),
        ]
        assert await asked(gateway, f"rpc.hub.hello.{OWN.hex()}", b"!") == b"hello!"
        assert await asked(hub, f"rpc.gateway.{OWN.hex()}.command", b"?") == b"gateway ?"
        with pytest.raises(Retry):
            await gateway.request(f"rpc.hub.hello.{OWN.hex()}", b"break", timeout_s=0.3)
        assert await asked(gateway, f"rpc.hub.lease.{OWN.hex()}", b"") == b"lease"
        for task in answering:
            task.cancel()


def own_inbox(subject: str) -> str:
    """Where the gateway that asks is answered."""
    return identity.gateway_inbox(subject.rpartition(".")[2])


async def asked(bus: Bus, subject: str, data: bytes) -> bytes:
    """The answer, as soon as somebody listens."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await bus.request(subject, data, timeout_s=2.0)
            except Retry:
                await asyncio.sleep(0.05)


async def test_a_gateway_can_do_nothing_in_anothers_name(hub: Bus, gateway: Bus) -> None:
    """A stolen gateway must stay a single stolen gateway."""
    other = (b"o" * 16).hex()
    assert hub.is_connected
    with pytest.raises(Retry):
        await gateway.publish(f"up.0.{other}", b"x", "m1", timeout_s=0.5)
    with pytest.raises(Retry):
        await gateway.request(f"rpc.hub.hello.{other}", b"", timeout_s=0.5)
    assert await gateway.pull("DOWN", f"gw_{other}", 1, 0.5) == []
    streams = await hub.jetstream()
    assert (await streams.stream_info("UP")).state.messages == 0


async def test_what_was_acknowledged_outlives_a_killed_broker(
    world: World, hub: Bus, gateway: Bus
) -> None:
    """Acknowledged means on disk; and both lines come back by themselves."""
    subject = f"up.0.{OWN.hex()}"
    for number in range(20):
        await gateway.publish(subject, b"x", f"m{number}")
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(world.server.watch())
        assert world.server.pid is not None
        os.kill(world.server.pid, signal.SIGKILL)
        await until_published(gateway, subject)
        assert world.server.restarts == 1
        watching.cancel()
    streams = await until_connected(hub)
    assert (await streams.stream_info("UP")).state.messages == 21


async def until_published(bus: Bus, subject: str) -> None:
    """One more message is there."""
    async with asyncio.timeout(30):
        while True:
            try:
                await bus.publish(subject, b"x", "after", timeout_s=2.0)
            except Retry as problem:
                await asyncio.sleep(problem.delay_s or 0.05)
            else:
                return


async def until_connected(bus: Bus):  # noqa: ANN201 - the library's own context
    """The broker's administration, as soon as it answers."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await bus.jetstream()
            except Retry as problem:
                await asyncio.sleep(problem.delay_s or 0.05)


async def test_a_revoked_gateway_is_out_and_the_others_come_back(
    world: World, hub: Bus, gateway: Bus
) -> None:
    """A stolen gateway must be off the bus before it can do harm."""
    await gateway.connect()
    revoked = identity.public_key(gateway._seed)
    await world.server.reload(world.accounts({revoked: SystemClock().now() + 1_000_000}))
    async with asyncio.timeout(30):
        while gateway.is_connected:  # noqa: ASYNC110 - the broker does it in its own time
            await asyncio.sleep(0.02)
        while True:
            try:
                await gateway.connect()
            except Retry as problem:
                if problem.code == "bus_refused":
                    break
            await asyncio.sleep(0.05)
    assert await until_connected(hub)


async def test_a_broker_of_another_authority_is_not_trusted(world: World) -> None:
    """A gateway must not tell its messages to a broker in the middle."""
    folder = world.folder / "foreign"
    folder.mkdir()
    foreign = Authority.create(folder, SystemClock(), "Foreign")
    bus = replace(world, authority=foreign).bus(new_seed("user"), identity.ALL)
    with pytest.raises(Retry) as caught:
        await bus.connect()
    assert caught.value.code == "bus_unreachable"
    await bus.close()


async def test_a_port_in_use_is_said_in_words(world: World) -> None:
    """The administrator must learn which port."""
    second = NatsServer(
        replace(world.server.config, folder=world.folder / "second", port=world.server.port)
    )
    with pytest.raises(Rejected) as caught:
        await second.start()
    assert caught.value.code == "port_in_use"
    assert str(world.server.port) in str(caught.value)


async def test_a_missing_program_is_said_in_words(world: World) -> None:
    """The administrator must learn what to install."""
    second = NatsServer(replace(world.server.config, program="/nonexistent/nats-server"))
    with pytest.raises(Rejected) as caught:
        await second.start()
    assert caught.value.code == "nats_missing"


async def test_a_broker_left_behind_by_a_killed_hub_is_ended_first(world: World) -> None:
    """Otherwise the hub could not start again after a power cut of its process alone."""
    left = world.server.pid
    again = NatsServer(replace(world.server.config, port=world.server.port))
    await again.start()
    assert again.port == world.server.port
    assert again.pid != left
    assert not world.server.is_running or await ended(world.server)
    await again.stop()


async def ended(server: NatsServer) -> bool:
    """Whether the process ends soon."""
    async with asyncio.timeout(5):
        while server.is_running:  # noqa: ASYNC110 - the child's watcher tells in its own time
            await asyncio.sleep(0.02)
    return True


async def test_too_large_a_message_is_refused_here(gateway: Bus) -> None:
    """The broker would cut the line for it."""
    with pytest.raises(Rejected) as caught:
        await gateway.publish("up.0.x", secrets.token_bytes(9 << 20), "large")
    assert caught.value.code == "frame_too_large"
