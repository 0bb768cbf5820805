"""A gateway or device that is set up anew: the one before it is out."""

import nkeys
import pytest

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.tls import make_csr, make_key
from hub.fleet.office import Office
from hub.storage import nodes
from hub.storage.org_changes import head_office_write
from hub.trust.authority import NodeKind
from hub.trust.enrolment import EnrolmentGrant, EnrolmentRequest, enrol, new_code
from hub.trust.renewal import renew
from tests.integration.hub_org.conftest import registered


def bus_key(number: int) -> str:
    """A public key of a user of the bus."""
    seed = nkeys.encode_seed(bytes([number]) * 32, nkeys.PREFIX_BYTE_USER)
    return nkeys.from_seed(seed).public_key.decode("ascii")


async def enrolled(office: Office, csr: bytes, key: str) -> EnrolmentGrant:
    """G1 has enrolled with a new code."""
    clock = office.clock
    assert isinstance(clock, ManualClock)
    clock.advance(1_000_000)
    async with head_office_write(
        office.database, office.clock, actor="test", kind="code", about={}
    ) as writer:
        gateway = await nodes.named_gateway(writer.connection, "G1")
        code = await new_code(writer.connection, office.trust, NodeKind.GATEWAY, gateway.gateway_id)
    return await enrol(office.database, office.trust, EnrolmentRequest(code, csr, bus_key=key))


async def put_out(office: Office) -> set[str]:
    """Users that the bus refuses."""
    async with office.database.read() as connection:
        return await nodes.revoked_bus_keys(connection)


async def test_a_gateway_on_a_new_machine_ends_the_keys_of_the_old_one(office: Office) -> None:
    """Without it the old box, sold or stolen, stays that gateway on the bus and renews itself for ever."""
    await registered(office)
    old, new = make_csr(make_key(), "x"), make_csr(make_key(), "x")
    first = await enrolled(office, old, bus_key(1))
    second = await enrolled(office, new, bus_key(2))
    assert await put_out(office) == {bus_key(1)}
    with pytest.raises(FieldmeshError) as refused:
        await renew(office.database, office.trust, first.certificate, old)
    assert refused.value.code == "key_replaced"
    await renew(office.database, office.trust, second.certificate, new)


async def test_a_gateway_that_enrols_again_in_its_folder_stays_on_the_bus(office: Office) -> None:
    """Its keys are the same: nothing ends. Keys that ended and are used again count again."""
    await registered(office)
    mine, other = make_csr(make_key(), "x"), make_csr(make_key(), "x")
    first = await enrolled(office, mine, bus_key(1))
    await enrolled(office, mine, bus_key(1))
    await renew(office.database, office.trust, first.certificate, mine)
    assert await put_out(office) == set()
    await enrolled(office, other, bus_key(2))
    await enrolled(office, mine, bus_key(1))
    assert await put_out(office) == {bus_key(2)}


async def test_a_new_code_ends_a_used_one(office: Office) -> None:
    """Without it who has a lost device and its old code takes the place of the new device again."""
    _gateway, code = await registered(office)
    lost, new = make_csr(make_key(), "x"), make_csr(make_key(), "x")
    await enrol(office.database, office.trust, EnrolmentRequest(code, lost))
    async with head_office_write(
        office.database, office.clock, actor="test", kind="code", about={}
    ) as writer:
        device = await nodes.named_device(writer.connection, "D1")
        newer = await new_code(writer.connection, office.trust, NodeKind.DEVICE, device.device_id)
    second = await enrol(office.database, office.trust, EnrolmentRequest(newer, new))
    with pytest.raises(FieldmeshError) as refused:
        await enrol(office.database, office.trust, EnrolmentRequest(code, lost))
    assert refused.value.code == "code_unknown"
    await renew(office.database, office.trust, second.certificate, new)
