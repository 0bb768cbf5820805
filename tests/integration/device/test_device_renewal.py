"""A certificate that ends soon and its successor."""

import dataclasses
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from device_agent.app import DeviceAgent
from device_agent.modes.renewal import renew_when_due
from device_agent.storage.identity import load_private_key
from fieldmesh.service import tls
from tests.integration.device.company import Authority, identifier
from tests.integration.device.conftest import SETTINGS, opened
from tests.integration.device.gateway_double import GatewayDouble

DUE = dataclasses.replace(SETTINGS, renew_before_s=10_000_000_000)


def _key(device: DeviceAgent) -> ec.EllipticCurvePublicKey:
    return load_private_key(device.home, device.database_key).public_key()


async def test_a_certificate_gets_its_successor(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Else the device would have to be enrolled again each year."""
    device._context.settings = DUE
    uri = tls.device_uri(gateway.device_id)
    gateway.renewed = gateway.authority.issue(_key(device), uri, [])
    assert await renew_when_due(device._context, gateway.address)
    assert device.home.certificate.read_bytes() == gateway.renewed


@pytest.mark.parametrize("wrong", ["empty", "key", "device", "authority"])
async def test_a_gateway_cannot_lock_a_device_by_the_certificate_that_it_hands_on(
    gateway: GatewayDouble, device: DeviceAgent, wrong: str
) -> None:
    """What is no successor is not kept: the device would not even open any more, not offline either."""
    device._context.settings = DUE
    own, key = tls.device_uri(gateway.device_id), _key(device)
    issue, stranger = gateway.authority.issue, ec.generate_private_key(ec.SECP256R1())
    gateway.renewed = {
        "empty": lambda: b"",
        "key": lambda: issue(stranger.public_key(), own, []),
        "device": lambda: issue(key, tls.device_uri(identifier(9)), []),
        "authority": lambda: Authority().issue(key, own, []),
    }[wrong]()
    before = device.home.certificate.read_bytes()
    assert not await renew_when_due(device._context, gateway.address)
    assert device.home.certificate.read_bytes() == before
    async with await opened(Path(device.home.folder)):
        pass
