"""Head office lends a roaming device's rows on the word of the key that it was enrolled with last."""

from functools import partial
from typing import cast

from fieldmesh.codec import signature
from fieldmesh.codec.presence import sign_presence
from fieldmesh.service.bus import Bus
from fieldmesh.service.tls import make_csr, make_key
from fieldmesh.wire.v1 import replication_pb2
from hub.fleet.leases import lease
from hub.fleet.office import Office
from hub.fleet.registry import NewGateway, add_gateway
from hub.relay.blobs import Blobs
from hub.relay.requests import Desk, Responder
from hub.relay.seeds import Seeds
from hub.storage.org_changes import head_office_write
from hub.trust.authority import NodeKind
from hub.trust.enrolment import EnrolmentRequest, enrol, new_code
from hub.trust.renewal import renew
from tests.integration.hub_org.conftest import registered


class _NoBus:
    """Nobody is asked."""


def responder_of(office: Office) -> Responder:
    """What answers gateways."""
    desk = Desk(
        enrol=partial(enrol, office.database, office.trust),
        renew=partial(renew, office.database, office.trust),
        lease=partial(lease, office.database, office.maker),
        authority=office.trust.authority.chain,
    )
    return Responder(
        office.database, cast("Bus", _NoBus()), office.clock, desk=desk,
        seeds=Seeds(office.database, office.home.spool), blobs=Blobs(office.home.blobs), shards=1,
    )  # fmt: skip


async def test_the_key_before_gets_no_rows_at_a_gateway_that_has_not_heard(office: Office) -> None:
    """A gateway far away does not know the device: without it the thief of an old key took the rows there."""
    _, code = await registered(office)
    keys = [make_key(), make_key()]
    grants = []
    for key in keys:
        csr = make_csr(key, "x")
        grants.append(await enrol(office.database, office.trust, EnrolmentRequest(code, csr)))
        async with head_office_write(
            office.database, office.clock, actor="test", kind="code", about={}
        ) as writer:
            device_id = grants[0].node_id
            code = await new_code(writer.connection, office.trust, NodeKind.DEVICE, device_id)
            if key is keys[0]:
                away = await add_gateway(writer, office.maker, NewGateway("G2"))
    responder, codes = responder_of(office), []
    for key, grant in zip(keys, grants, strict=True):
        at = office.clock.now()
        request = replication_pb2.LeaseRequest(
            device_id=device_id,
            presence=sign_presence(device_id, away, at, partial(signature.sign, key)),
            presence_at=at,
            certificate=grant.certificate,
        )
        answer = await responder.answer(f"rpc.hub.lease.{away.hex()}", request.SerializeToString())
        codes.append(replication_pb2.Reply.FromString(answer).problem.code)
    assert codes == ["key_replaced", ""]
