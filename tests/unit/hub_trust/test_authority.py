"""The certificate authority."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import Rejected
from fieldmesh.service.tls import make_csr, make_key
from hub.trust.authority import Authority, NodeKind, csr_key

NODE = b"n" * 16
_DAY_US = 86_400_000_000


@pytest.fixture
def clock() -> ManualClock:
    """A clock that moves when told to."""
    return ManualClock()


@pytest.fixture
def authority(tmp_path: Path, clock: ManualClock) -> Authority:
    """A new authority."""
    return Authority.create(tmp_path, clock, "Acme")


def test_what_it_issued_it_knows_again(authority: Authority) -> None:
    """Without it no device could renew its certificate."""
    issued = authority.issue_node(make_csr(make_key(), "x"), NodeKind.DEVICE, NODE)
    owner = authority.check(issued.der)
    assert (owner.kind, owner.node_id) == (NodeKind.DEVICE, NODE)


def test_a_loaded_authority_is_the_same(authority: Authority, tmp_path: Path) -> None:
    """Without it a restart of the hub would lock everyone out."""
    issued = authority.issue_node(make_csr(make_key(), "x"), NodeKind.GATEWAY, NODE)
    again = Authority.load(tmp_path, ManualClock())
    assert again.check(issued.der).kind is NodeKind.GATEWAY


def test_a_foreign_certificate_is_refused(authority: Authority, tmp_path: Path) -> None:
    """Without it anyone could be a device."""
    other = Authority.create(tmp_path / "other", ManualClock(), "Other")
    issued = other.issue_node(make_csr(make_key(), "x"), NodeKind.DEVICE, NODE)
    with pytest.raises(Rejected) as refused:
        authority.check(issued.der)
    assert refused.value.code == "foreign_certificate"


def test_an_expired_certificate_is_not_renewed(authority: Authority, clock: ManualClock) -> None:
    """Without it a device that was lost for years could come back by itself."""
    issued = authority.issue_node(make_csr(make_key(), "x"), NodeKind.DEVICE, NODE)
    clock.advance(400 * _DAY_US)
    with pytest.raises(Rejected) as refused:
        authority.check(issued.der)
    assert refused.value.code == "certificate_expired"


def test_names_come_from_the_hub_and_not_from_the_request(authority: Authority) -> None:
    """Without it a request could name itself as another node."""
    issued = authority.issue_node(make_csr(make_key(), "hub.fieldmesh"), NodeKind.GATEWAY, NODE)
    certificate = x509.load_der_x509_certificate(issued.der)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = names.get_values_for_type(x509.DNSName)
    assert dns == ["gateway.fieldmesh", f"{NODE.hex()}.gateway.fieldmesh"]


@pytest.mark.usefixtures("authority")
def test_others_may_not_read_its_key(tmp_path: Path) -> None:
    """Without it whoever has an account on the machine could issue certificates."""
    key = tmp_path / "authority_key.pem"
    assert key.stat().st_mode & 0o077 == 0
    key.chmod(0o644)
    with pytest.raises(Rejected) as refused:
        Authority.load(tmp_path, ManualClock())
    assert refused.value.code == "key_file_open_to_others"


@pytest.mark.parametrize("csr", [b"", b"x" * 100, b"x" * 100_000])
def test_a_damaged_request_is_refused(csr: bytes) -> None:
    """Without it a stranger's bytes would reach the signing key."""
    with pytest.raises(Rejected) as refused:
        csr_key(csr)
    assert refused.value.code == "bad_csr"


def test_only_p256_keys_get_a_certificate() -> None:
    """Without it devices could come with keys that others can't verify."""
    weak = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(Rejected):
        csr_key(make_csr(weak, "x"))
