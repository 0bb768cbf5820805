"""Certificates that have ended, are a stranger's or are missing, and codes that are wrong, used or too old."""

import sqlite3
from collections.abc import Iterator

import grpc
import grpc.aio
import pytest

from deploy.demo.network import Device, Gateway, Network
from deploy.demo.processes import TRY_AGAIN
from fieldmesh.service import tls
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import session_pb2, session_pb2_grpc
from gateway.serving.discovery import announce
from tests.kit.certificates import authority_key, ended, of_tomorrow, signed_by, stranger_key
from tests.kit.network import orders_at_hub, patiently, two_ticks
from tests.kit.standing import Standing, refused, standing_network, told

pytestmark = pytest.mark.chosen

LINES = 2
REFUSED = 1


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A network whose devices don't wait long for a gateway."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDMESH_DEVICE_PATIENCE_S", "1")
        with standing_network(tmp_path_factory.mktemp("certificates")) as made:
            yield made


def test_a_device_is_told_what_is_wrong_with_its_certificate_and_enrols_again_with_its_data(
    standing: Standing,
) -> None:
    """Promise 1: the order that was waiting under the ended certificate arrives under the new one."""

    async def work(network: Network) -> None:
        device, other = network.devices[:2]
        before, _ = await orders_at_hub(network)
        await device.ask("order", "--lines", str(LINES))
        file = device.folder / "identity" / "certificate.der"
        good = file.read_bytes()
        for bad, expected in (
            (b"no certificate", "device_home_damaged"),
            (signed_by(good, stranger_key()), "foreign_certificate"),
            (ended(good, authority_key(network.hub.folder)), "certificate_expired"),
        ):
            file.write_bytes(bad)
            error = await refused(device.sync("fast"))
            code, text = told(error)
            assert (error.code, code) == (REFUSED, expected), error
            assert str(file) in text
            assert "new code" in text
        await patiently(other, "fast")
        await _enrol_again(network, device)
        await two_ticks(device)
        assert (await orders_at_hub(network))[0] == before + 1

    standing.run(work)


async def _enrol_again(network: Network, device: Device) -> None:
    gateway = network.gateways[0]
    foreign = await network.hub.ask("device", "code", network.devices[1].code)
    error = await refused(device.enroll(str(foreign["code"]), gateway))
    assert told(error)[0] == "code_of_another"
    made = await network.hub.ask("device", "code", device.code)
    await device.enroll(str(made["code"]), gateway)
    error = await refused(device.enroll(str(made["code"]), gateway))
    assert told(error)[0] == "already_enrolled"


def test_devices_name_the_gateway_whose_certificate_is_no_good_and_it_enrols_again(
    standing: Standing,
) -> None:
    """The device is not told to enrol itself; the gateway's own status says what to do, and that works."""

    async def work(network: Network) -> None:
        device, gateway = network.devices[0], network.gateways[0]
        before, _ = await orders_at_hub(network)
        await device.ask("order", "--lines", str(LINES))
        file = gateway.folder / "identity" / "certificate.der"
        good = file.read_bytes()
        for bad, words in (
            (signed_by(good, stranger_key()), "not from this network"),
            (ended(good, authority_key(network.hub.folder)), "has expired"),
        ):
            await gateway.service.stop()
            file.write_bytes(bad)
            await gateway.start()
            async with announce(bytes(15) + b"\x01", port=1, enrolment_port=1):
                error = await refused(device.sync("fast"))
            code, text = told(error)
            assert (error.code, code) == (REFUSED, "peer_certificate_bad"), error
            assert f"gateway {gateway.address}" in text
            said = str((await gateway.ask("status"))["certificate"])
            assert words in said
            assert "new code" in said
        await gateway.service.stop()
        file.write_bytes(b"no certificate")
        await gateway.service.start()
        assert gateway.service.process is not None
        assert await gateway.service.process.wait() == REFUSED
        assert f"{file}: A key file can't be read." in gateway.service.log.read_text("utf-8")
        await _gateway_enrols_again(network, gateway)
        await two_ticks(device)
        assert (await orders_at_hub(network))[0] == before + 1

    standing.run(work)


def test_a_gateway_whose_certificate_begins_tomorrow_gets_another_by_itself(
    standing: Standing,
) -> None:
    """Head office's clock was ahead when it signed: nobody could sync there until then, and nobody travels for it."""

    async def work(network: Network) -> None:
        device, gateway = network.devices[0], network.gateways[0]
        file = gateway.folder / "identity" / "certificate.der"
        await gateway.service.stop()
        file.write_bytes(of_tomorrow(file.read_bytes(), authority_key(network.hub.folder)))
        await gateway.start()
        await patiently(device, "fast", "--gateway", gateway.address)

    standing.run(work)


async def _gateway_enrols_again(network: Network, gateway: Gateway) -> None:
    made = await network.hub.ask("gateway", "code", gateway.code)
    answer = await gateway.ask(
        "enroll", "--code", str(made["code"]), "--hub", f"https://127.0.0.1:{network.hub.https_port}",
        "--address", gateway.address,
        "--enrolment-address", f"127.0.0.1:{gateway.enrolment_port}",
    )  # fmt: skip
    assert answer["name"] == f"Gateway {gateway.code}"
    await gateway.start()
    assert (await gateway.ask("status"))["certificate"] == "ok"


def test_without_a_certificate_nobody_gets_a_word_out_of_the_sync_port(
    standing: Standing,
) -> None:
    """Promise 7: the handshake ends; the next device is served."""

    async def work(network: Network) -> None:
        gateway, device = network.gateways[0], network.devices[0]
        authority = tls.certificate_pem(
            (gateway.folder / "identity" / "authority.der").read_bytes()
        )
        credentials = grpc.ssl_channel_credentials(root_certificates=authority)
        options = (("grpc.ssl_target_name_override", tls.GATEWAY_NAME),)
        async with grpc.aio.secure_channel(
            gateway.address, credentials, options=options
        ) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await session_pb2_grpc.GatewayStub(channel).GetServerInfo(
                    session_pb2.ServerInfoRequest(), timeout=5
                )
        assert from_rpc_error(caught.value).code in {"no_gateway_reachable", "foreign_certificate"}
        await patiently(device, "fast")

    standing.run(work)


def test_codes_that_are_wrong_used_or_too_old_are_told_apart_and_leave_nothing_behind(
    standing: Standing,
) -> None:
    """A code that could not be used is still good; a refused device has no folder with half an identity."""

    async def work(network: Network) -> None:
        hub, gateway = network.hub, network.gateways[0]
        spare = network.device("S1", "rep0001")
        made = await hub.ask("device", "spare", "S1", "--gateway", gateway.code)
        code = str(made["code"])
        first, last = code.rpartition("-")[0], code.rpartition("-")[2]
        for wrong, expected in (
            ("FM-what-ever", "bad_code"),
            (f"{_other(first)}-{last}", "code_unknown"),
            (f"{first}-{_other(last)}", "authority_unknown"),
        ):
            error = await refused(spare.enroll(wrong, gateway))
            assert (error.code, told(error)[0]) == (REFUSED, expected), error
        for address, expected, exit_code in (
            ("nonsense", "bad_address", REFUSED),
            ("127.0.0.1:1", "no_gateway_reachable", TRY_AGAIN),
            (gateway.address, "no_gateway_reachable", TRY_AGAIN),
        ):
            error = await refused(spare.ask("enroll", "--code", code, "--gateway", address))
            assert (error.code, told(error)[0]) == (exit_code, expected), error
            assert address in told(error)[1]
        assert not (spare.folder / "identity").exists()
        _let_codes_expire(network)
        error = await refused(spare.enroll(code, gateway))
        assert (error.code, told(error)[0]) == (REFUSED, "code_expired")
        renewed = str((await hub.ask("device", "code", "S1"))["code"])
        await spare.enroll(renewed, gateway)
        thief = network.device("S1-copy", "rep0001")
        error = await refused(thief.enroll(renewed, gateway))
        assert (error.code, told(error)[0]) == (REFUSED, "code_used")

    standing.run(work)


def _other(text: str) -> str:
    """The text with its last letter changed."""
    return text[:-1] + ("A" if text[-1] != "A" else "B")


def _let_codes_expire(network: Network) -> None:
    """Three days have gone by for codes that nobody used."""
    connection = sqlite3.connect(network.hub.folder / "data" / "hub.db")  # noqa: TID251 - the test turns the clock
    with connection:
        changed = connection.execute("UPDATE fm_code SET expires_at = 1 WHERE used_at IS NULL")
        assert changed.rowcount
    connection.close()
