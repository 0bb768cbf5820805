"""Which authorities a node believes: those it holds, and those that they vouch for."""

from pathlib import Path

import pytest

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import Rejected
from fieldmesh.service import tls
from hub.trust.authority import Authority, NodeKind

DAY_US = 86_400_000_000
NODE = b"n" * 16


@pytest.fixture
def clock() -> ManualClock:
    """Time of the hub."""
    return ManualClock()


@pytest.fixture
def first(tmp_path: Path, clock: ManualClock) -> Authority:
    """A network's first authority."""
    return Authority.create(tmp_path / "trust", clock, "Test")


def newer(authority: Authority, tmp_path: Path, clock: ManualClock) -> Authority:
    """The authority after it, a day later."""
    clock.advance(DAY_US)
    return authority.renewed(tmp_path / "trust", "Test")


def test_a_node_that_slept_through_two_renewals_believes_the_newest(
    first: Authority, tmp_path: Path, clock: ManualClock
) -> None:
    """Each authority vouches for the next; the newest stands first."""
    second = newer(first, tmp_path, clock)
    third = newer(second, tmp_path, clock)
    learnt = tls.learn_authorities(first.certificate, third.chain)
    assert tls.each_certificate(learnt) == [
        third.certificate, second.certificate, first.certificate
    ]  # fmt: skip
    assert tls.learn_authorities(learnt, first.certificate) == learnt  # Nothing is unlearnt.
    assert [one.certificate for one in third.roots] == tls.each_certificate(learnt)


def test_an_authority_that_nobody_vouches_for_is_not_believed(
    first: Authority, tmp_path: Path, clock: ManualClock
) -> None:
    """A gateway that lies can show what it likes, also a bridge between two of its own."""
    foreign = newer(Authority.create(tmp_path / "other", clock, "Test"), tmp_path / "other", clock)
    assert tls.learn_authorities(first.certificate, foreign.chain) == first.certificate
    assert tls.learn_authorities(first.certificate, b"") == first.certificate


def test_a_gateways_own_certificate_vouches_for_nothing(
    first: Authority, tmp_path: Path, clock: ManualClock
) -> None:
    """It is signed by the authority, but it is no authority."""
    key = tls.make_key()
    gateway = first.issue_node(tls.make_csr(key, "liar"), NodeKind.GATEWAY, NODE)
    liar = Authority.create(tmp_path / "liar", clock, "Test")
    shown = liar.certificate + gateway.der
    assert tls.learn_authorities(first.certificate, shown) == first.certificate


def test_certificates_of_the_one_before_are_good_until_it_ends(
    first: Authority, tmp_path: Path, clock: ManualClock
) -> None:
    """And none is issued beyond the end of its authority."""
    issued = first.issue_node(tls.make_csr(tls.make_key(), "node"), NodeKind.DEVICE, NODE)
    second = newer(first, tmp_path, clock)
    assert second.check(issued.der).node_id == NODE
    assert second.is_in_force(issued.der)
    assert tls.check_certificate(issued.der, second.chain).node_id == NODE
    clock.advance(DAY_US * 365 * 20)
    late = second.issue_node(tls.make_csr(tls.make_key(), "node"), NodeKind.DEVICE, NODE)
    assert late.expires_at == second.roots[0].ends_at
    assert not second.is_in_force(issued.der)


def test_an_authority_is_the_one_whose_key_is_there(
    first: Authority, tmp_path: Path, clock: ManualClock
) -> None:
    """A renewal that was cut between its two files has not happened."""
    key = (tmp_path / "trust" / "authority_key.pem").read_bytes()
    second = newer(first, tmp_path, clock)
    assert Authority.load(tmp_path / "trust", clock).certificate == second.certificate
    (tmp_path / "trust" / "authority_key.pem").write_bytes(key)
    assert Authority.load(tmp_path / "trust", clock).certificate == first.certificate


def test_bytes_that_are_no_certificates_are_named_so() -> None:
    """A damaged file must not end a program."""
    for content in (b"", b"\x30", b"\x30\x82\xff\xff", b"text"):
        with pytest.raises(Rejected):
            tls.each_certificate(content)
