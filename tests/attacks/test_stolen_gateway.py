"""A stolen gateway: its real keys on the real bus and at the real hub, and everything it must not reach with them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from deploy.demo.network import Network
from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import partition_id
from fieldmesh.service import tls
from fieldmesh.wire.v1 import replication_pb2
from gateway.app.home import Home
from gateway.trust.certificates import load
from tests.attacks.stolen_bus import StolenLine, stolen_line
from tests.kit.network import eventually, orders_at_hub, patiently, two_ticks
from tests.kit.raw_session import raw_device
from tests.kit.standing import Standing, standing_network

WHO = "SELECT lower(hex(position_id)) AS id FROM fm_device"
PUBLISH = (
    "up.0.{other}", "down.mark", "down.1", "rpc.hub.hello.{other}", "rpc.hub.renew.{other}",
    "rpc.gateway.{other}.command", "rpc.gateway.{own}.command", "_INBOX.x", "_INBOX_{other}.x",
    "$JS.API.INFO", "$JS.API.STREAM.LIST", "$JS.API.STREAM.INFO.DOWN", "$JS.API.STREAM.CREATE.X",
    "$JS.API.STREAM.UPDATE.DOWN", "$JS.API.STREAM.PURGE.UP", "$JS.API.STREAM.DELETE.UP",
    "$JS.API.STREAM.MSG.GET.DOWN", "$JS.API.STREAM.MSG.DELETE.DOWN", "$JS.API.DIRECT.GET.DOWN",
    "$JS.API.STREAM.SNAPSHOT.DOWN", "$JS.API.CONSUMER.CREATE.DOWN", "$JS.API.CONSUMER.LIST.DOWN",
    "$JS.API.CONSUMER.CREATE.DOWN.evil.down.mark", "$JS.API.CONSUMER.DURABLE.CREATE.DOWN.gw_{own}",
    "$JS.API.CONSUMER.INFO.DOWN.gw_{own}", "$JS.API.CONSUMER.DELETE.DOWN.gw_{other}",
    "$JS.API.CONSUMER.MSG.NEXT.DOWN.gw_{other}", "$JS.API.CONSUMER.MSG.NEXT.UP.ingest_0",
    "$JS.ACK.DOWN.gw_{other}.1.1.1.1.0", "$JS.ACK.UP.ingest_0.1.1.1.1.0", "$KV.gateway_config.x",
    "$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.PING.CONNZ",
)  # fmt: skip
SUBSCRIBE = (
    ">", "*", "up.>", "up.*.{own}", "down.>", "down.mark", "rpc.>", "rpc.hub.>", "rpc.hub.*.{own}",
    "rpc.gateway.*.command", "rpc.gateway.{other}.command", "_INBOX.>", "_INBOX_{other}.>",
    "$JS.>", "$JS.API.>", "$JS.EVENT.>", "$SYS.>", "$KV.>",
)  # fmt: skip


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Two gateways, each with a device; the first one is stolen."""
    with standing_network(tmp_path_factory.mktemp("stolen"), gateways=2) as made:
        yield made


@asynccontextmanager
async def thief(network: Network) -> AsyncIterator[tuple[StolenLine, str]]:
    """The first gateway's line, and the second one's id in hex."""
    stolen, other = (load(Home(one.folder).identity) for one in network.gateways)
    async with stolen_line(stolen) as line:
        yield line, other.gateway_id.hex()


async def code_of(asked: StolenLine, method: str, payload: bytes) -> str:
    """The problem that the hub answers with; empty when it did what was asked."""
    reply = replication_pb2.Reply.FromString(await asked.ask(method, payload))
    return reply.problem.code


def test_the_broker_hears_nothing_outside_a_gateways_rights(standing: Standing) -> None:
    """Promise 6: a stolen gateway stays one stolen gateway; every other subject is closed to it."""

    async def work(network: Network) -> None:
        async with thief(network) as (line, other):
            for pattern in PUBLISH:
                subject = pattern.format(own=line.own, other=other)
                assert await line.refused(partial(line.client.publish, subject, b"x"), subject)
            line.refusals.clear()
            for pattern in SUBSCRIBE:
                subject = pattern.format(own=line.own, other=other)
                assert await line.refused(partial(line.client.subscribe, subject), subject)

    standing.run(work)


def test_answers_and_deliveries_can_not_be_aimed_at_others(standing: Standing) -> None:
    """Promise 7: the broker checks where one speaks, not where one wants the answer; hub and gateways do."""

    async def work(network: Network) -> None:
        async with thief(network) as (line, other):
            aims = (f"rpc.gateway.{other}.command", "down.mark", f"up.0.{other}")
            for aim in aims:
                await line.client.publish(f"rpc.hub.hello.{line.own}", b"", aim)
            await line.client.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.DOWN.gw_{line.own}",
                b'{"batch": 3, "expires": 3000000000}',
                f"rpc.gateway.{other}.command",
            )
            hub, victim = network.hub.service.log, network.gateways[1].service.log

            async def all_said() -> bool:
                texts = [await asyncio.to_thread(one.read_text, "utf-8") for one in (hub, victim)]
                refusals = [text.count("request_refused") for text in texts]
                return refusals[0] >= len(aims) and refusals[1] >= 1

            await eventually("hub and gateway have refused", all_said)
            assert await code_of(line, "hello", b"") == ""  # Its own inbox is answered.
        await network.gateways[0].service.kill()
        await network.gateways[0].start()
        await two_ticks(network.devices[1])

    standing.run(work)


def test_a_gateway_reaches_no_rows_beside_its_own(standing: Standing) -> None:
    """Promise 6: a distributor must not read the customers of another one."""

    async def work(network: Network) -> None:
        there = network.devices[1]
        position = bytes.fromhex(str((await there.rows(WHO))[0]["id"]))
        foreign = partition_id(PartitionKind.POSITION, position)
        guest = await raw_device(network, there, network.gateways[1])
        certificate = tls.certificate_der(guest.identity.certificate_pem)
        lease = replication_pb2.LeaseRequest(device_id=guest.device_id, certificate=certificate)
        range_ = replication_pb2.RepairRequest()
        range_.ranges.add(partition=foreign, table="position", first_byte=0, last_byte=255)
        async with thief(network) as (line, _):
            seed = replication_pb2.SeedRequest(partition=foreign).SerializeToString()
            digests = replication_pb2.DigestsRequest(partitions=[foreign], detail=True)
            assert await code_of(line, "seed", seed) == "scope_denied"
            assert await code_of(line, "repair", range_.SerializeToString()) == "scope_denied"
            reply = await line.ask("digests", digests.SerializeToString())
            value = replication_pb2.Reply.FromString(reply).value
            assert not replication_pb2.DigestsReply.FromString(value).digests
            assert await code_of(line, "lease", lease.SerializeToString()) == "presence_unproven"
            assert await code_of(line, "seed", seed) == "scope_denied"

    standing.run(work)


def test_a_gateway_becomes_nobody_else_by_their_certificates(standing: Standing) -> None:
    """Promise 7: certificates are shown to everyone, so to hold one must not be enough to get another."""

    async def work(network: Network) -> None:
        raw = await raw_device(network, network.devices[0], network.gateways[0])
        other = load(Home(network.gateways[1].folder).identity)
        csr = tls.make_csr(tls.make_key(), "thief")
        async with thief(network) as (line, _):
            for certificate in (
                tls.certificate_der(raw.identity.certificate_pem),
                other.certificate,
            ):
                request = replication_pb2.ForwardedRenew(certificate=certificate, csr=csr)
                assert await code_of(line, "renew", request.SerializeToString()) == "another_key"

    standing.run(work)


def test_messages_that_no_gateway_sends_are_kept_and_hurt_nobody(standing: Standing) -> None:
    """Promise 7: in another's name, spliced, or rubbish: quarantined with its bytes, and the stream goes on."""

    async def work(network: Network) -> None:
        orders, lines = await orders_at_hub(network)
        before = len(await _quarantine(network))
        async with thief(network) as (line, other):
            named = replication_pb2.UpMessage(gateway_id=bytes.fromhex(other), outbox_number=1)
            named.session.mode = "fast"
            for payload in (named.SerializeToString(), b"\xff\xffrubbish", b""):
                await line.client.publish(f"up.0.{line.own}", payload)
            await line.client.flush()

        async def is_kept() -> bool:
            return len(await _quarantine(network)) >= before + 3

        await eventually("what could not be read is in quarantine", is_kept)
        device = network.devices[1]
        await device.ask("order", "--lines", "2")
        await two_ticks(device)
        await patiently(device, "full")
        assert await orders_at_hub(network) == (orders + 1, lines + 2)

    standing.run(work)


async def _quarantine(network: Network) -> list[object]:
    entries = (await network.hub.ask("quarantine", "list"))["entries"]
    assert isinstance(entries, list)
    return entries
