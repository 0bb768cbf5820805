"""A device gets its identity, and an empty database to begin with."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric import ec

from device_agent.link.enrolment import Enrolled, EnrolmentAsked, PersonKnown, enrol
from device_agent.link.gateways import check_address
from device_agent.storage import schema
from device_agent.storage.gateways import GatewayRow, replace_hub_list
from device_agent.storage.home import Home
from device_agent.storage.identity import (
    load_facts,
    load_private_key,
    save_facts,
    save_private_key,
)
from device_agent.storage.keyring import Keyring
from device_agent.storage.sealed import new_key
from device_agent.storage.state import DeviceState
from fieldmesh.basics.clock import Clock
from fieldmesh.basics.codes import parse_code
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.logins import as_kept
from fieldmesh.basics.release import RELEASE
from fieldmesh.service import tls
from fieldmesh.service.files import write_durably


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


async def take_in(home: Home, wish: EnrolmentWish, check: Check, clock: Clock) -> DeviceState:
    """The device has its identity and an empty database; it may sync.

    The database is named current last, so a crash in between leaves a device that is not enrolled;
    the one-time code is used up then, and a new one is needed. A device whose certificate is no
    good any more gets another one for the same key, and keeps its database.

    Raises:
        Rejected: `already_enrolled`, `bad_code`, `code_of_another`, `sign_in_refused`, or the
            hub's refusal.
        Retry: the gateway or the hub cannot be reached now.
    """
    if home.is_enrolled:
        return await _take_in_again(home, wish, clock)
    private_key = tls.make_key()
    enrolled = await _ask(wish, private_key)
    verifier_sha256 = check(enrolled.people)
    key = new_key()
    save_private_key(home, key, private_key)
    _save_certificates(home, enrolled)
    login = as_kept(wish.login, [person.login for person in enrolled.people])
    # An enrolment that was cut has left whom it took in, with another key.
    home.keyring.unlink(missing_ok=True)
    Keyring(home).add(login, wish.password, key, verifier_sha256=verifier_sha256)
    return _make_database(home, key, enrolled)


async def _take_in_again(home: Home, wish: EnrolmentWish, clock: Clock) -> DeviceState:
    """The same device, key and database, with another certificate."""
    if home.certificate.exists() and home.authority.exists():
        certificate, authority = home.certificate.read_bytes(), home.authority.read_bytes()
        place = str(home.certificate)
        if tls.certificate_problem(certificate, authority, clock.now(), place) is None:
            raise Rejected("already_enrolled", place=str(home.folder))
    keyring = Keyring(home)
    key = keyring.open(as_kept(wish.login, keyring.logins()), wish.password)
    state, _ = load_facts(home)
    enrolled = await _ask(wish, load_private_key(home, key))
    if enrolled.device_id != state.device_id:
        raise Rejected("code_of_another", place="enrolment code")
    _save_certificates(home, enrolled)
    return state


async def _ask(wish: EnrolmentWish, private_key: ec.EllipticCurvePrivateKey) -> Enrolled:
    """What the hub gives for the code."""
    code = parse_code(wish.code)
    check_address(wish.gateway_address or ":")
    host, _, port = wish.gateway_address.rpartition(":")
    authority = await tls.fetch_authority(host.strip("[]"), int(port), code.authority)
    enrolled = await enrol(
        wish.gateway_address,
        tls.certificate_pem(authority),
        EnrolmentAsked(
            code=wish.code,
            csr=tls.make_csr(private_key, "fieldmesh-device"),
            hardware_id=wish.hardware_id,
            app_version=RELEASE,
        ),
    )
    # The gateway passed the answer on: believed is only whom the code's own authority vouches for.
    return replace(enrolled, authority=tls.learn_authorities(authority, enrolled.authority))


def _save_certificates(home: Home, enrolled: Enrolled) -> None:
    write_durably(home.authority, enrolled.authority)
    write_durably(home.hub_key, enrolled.hub_public_key)
    write_durably(home.certificate, enrolled.certificate)


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
