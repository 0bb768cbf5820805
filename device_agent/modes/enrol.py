"""A device gets its identity, and an empty database to begin with."""

from collections.abc import Callable
from dataclasses import dataclass

from device_agent.config import APP_VERSION
from device_agent.link.enrolment import Enrolled, EnrolmentAsked, PersonKnown, enrol
from device_agent.storage import schema
from device_agent.storage.gateways import GatewayRow, replace_hub_list
from device_agent.storage.home import Home, write_durably
from device_agent.storage.identity import save_facts, save_private_key
from device_agent.storage.keyring import Keyring
from device_agent.storage.sealed import new_key
from device_agent.storage.state import DeviceState
from fieldmesh.basics.codes import parse_code
from fieldmesh.basics.errors import Rejected
from fieldmesh.service import tls


@dataclass(frozen=True, slots=True)
class EnrolmentWish:
    """What a person gives to enrol a device."""

    code: str
    gateway_address: str
    """host:port of a gateway's enrolment door."""
    login: str
    password: str
    hardware_id: str = ""


Check = Callable[[list[PersonKnown]], str]
"""Checks the person's password against those whom head office knows; digest of the verifier."""


async def take_in(home: Home, wish: EnrolmentWish, check: Check) -> DeviceState:
    """The device has its identity and an empty database; it may sync.

    The database is named current last, so a crash in between leaves a device that is not enrolled;
    the one-time code is used up then, and a new one is needed.

    Raises:
        Rejected: `already_enrolled`, `bad_code`, `sign_in_refused`, or the hub's refusal.
        Retry: the gateway or the hub cannot be reached now.
    """
    if home.is_enrolled:
        raise Rejected("already_enrolled", place=str(home.folder))
    code = parse_code(wish.code)
    host, _, port = wish.gateway_address.rpartition(":")
    if not host or not port.isdigit():
        raise Rejected("bad_address", place=wish.gateway_address)
    authority = await tls.fetch_authority(host.strip("[]"), int(port), code.authority)
    private_key = tls.make_key()
    enrolled = await enrol(
        wish.gateway_address,
        tls.certificate_pem(authority),
        EnrolmentAsked(
            code=wish.code,
            csr=tls.make_csr(private_key, "fieldmesh-device"),
            hardware_id=wish.hardware_id,
            app_version=APP_VERSION,
        ),
    )
    verifier_sha256 = check(enrolled.people)
    key = new_key()
    save_private_key(home, key, private_key)
    write_durably(home.authority, enrolled.authority)
    write_durably(home.hub_key, enrolled.hub_public_key)
    write_durably(home.certificate, enrolled.certificate)
    Keyring(home).add(wish.login, wish.password, key, verifier_sha256=verifier_sha256)
    return _make_database(home, key, enrolled)


def _make_database(home: Home, key: bytes, enrolled: Enrolled) -> DeviceState:
    state = DeviceState(
        device_id=enrolled.device_id,
        position_id=enrolled.position_id,
        spare=int(enrolled.spare),
        document_prefix=enrolled.document_prefix,
    )
    gateways = [
        GatewayRow(address, known.gateway_id, known.name, known.enrolment_address)
        for known in enrolled.gateways
        for address in known.addresses
    ]
    path = home.next_database()
    save_facts(home, state, gateways)
    schema.create_database(path, key, state, lambda found: replace_hub_list(found, gateways))
    home.make_current(path)
    return state
