"""Clocks, identifiers, epochs, money, waiting, enrolment codes."""

import random
import uuid
from decimal import Decimal

import pytest

from fieldmesh.basics.backoff import Backoff
from fieldmesh.basics.clock import ManualClock, SystemClock
from fieldmesh.basics.codes import authority_fingerprint, make_code, parse_code
from fieldmesh.basics.epochs import epoch_after_restore, hub_epoch_of, make_lsn
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import (
    IdentifierMaker,
    from_text,
    stable_document_id,
    to_text,
)
from fieldmesh.basics.limits import CODE_CHARACTERS
from fieldmesh.basics.money import scaled, unscaled

CERTIFICATE = b"a certificate"
SECRET = bytes(range(10))


def test_identifiers_grow_also_within_a_millisecond_and_when_the_clock_goes_back() -> None:
    """Rows made later sort later; two rows never share one."""
    clock = ManualClock()
    maker = IdentifierMaker(clock, random.Random(1))
    made = [maker.new() for _ in range(5000)]
    clock.advance(-3_600_000_000)
    made += [maker.new() for _ in range(100)]
    clock.advance(7_200_000_000)
    made += [maker.new() for _ in range(100)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_identifiers_are_uuids_of_version_7_that_hold_their_time() -> None:
    """RFC 9562: other programs read them."""
    clock = ManualClock(1_795_000_000_123_456)
    one = IdentifierMaker(clock, random.Random(1)).new()
    assert int.from_bytes(one[:6]) == 1_795_000_000_123
    assert (one[6] >> 4, one[8] >> 6) == (7, 0b10)
    assert from_text(to_text(one)) == one


def test_documents_of_elsewhere_get_the_same_identifier_again_and_sort_by_their_time() -> None:
    """A day is found among years of documents by a range of ids, also when history was loaded."""
    day = 86_400_000_000
    ids = [stable_document_id(n * day, "order", f"N{9 - n}") for n in range(9)]
    assert ids == sorted(ids)
    assert ids[3] == stable_document_id(3 * day, "order", "N6")
    assert len({stable_document_id(day, "order", n) for n in range(99)}) == 99
    assert uuid.UUID(bytes=ids[3]).version == 7


def test_an_lsn_of_a_restored_hub_stands_above_every_lsn_of_its_lost_future() -> None:
    """Devices that saw the lost future would otherwise never hear the new hub."""
    assert make_lsn(2, 0) > make_lsn(1, (1 << 32) - 1)
    assert hub_epoch_of(make_lsn(7, 123)) == 7
    assert make_lsn((1 << 31) - 1, (1 << 32) - 1) < 1 << 63
    first = epoch_after_restore(1, 1_795_000_000_000_000)
    assert epoch_after_restore(1, 1_795_000_001_000_000) > first
    assert epoch_after_restore(first + 5, 1_795_000_000_000_000) == first + 6


def test_money_is_rounded_half_up_and_comes_back() -> None:
    """Accountants round half up, also below zero away from it."""
    assert scaled(Decimal("0.005"), 2) == 1
    assert scaled(Decimal("-0.005"), 2) == -1
    assert scaled(Decimal("1.004"), 2) == 100
    assert unscaled(scaled(Decimal("12345678901.12345"), 5), 5) == Decimal("12345678901.12345")
    assert str(unscaled(5, 2)) == "0.05"


def test_the_largest_amounts_are_exact() -> None:
    """Numeric(15, 5) and numeric(14, 3) at their ends."""
    for digits, scale in ((15, 2), (15, 5), (14, 3), (9, 6)):
        most = 10**digits - 1
        assert scaled(unscaled(most, scale), scale) == most


def test_delays_double_up_to_their_ceiling_and_begin_anew() -> None:
    """A thousand gateways don't come back in the same second."""
    backoff = Backoff(1.0, 10.0, random.Random(1))
    delays = [backoff.next_delay() for _ in range(10)]
    for delay, ceiling in zip(delays, (1, 2, 4, 8, 10, 10, 10, 10, 10, 10), strict=True):
        assert ceiling / 2 <= delay <= ceiling
    backoff.reset()
    assert backoff.next_delay() <= 1.0


def test_the_clock_of_the_machine_goes_on() -> None:
    """Microseconds since 1970, and seconds that never go back."""
    clock = SystemClock()
    first, begun = clock.now(), clock.monotonic()
    assert first > 1_700_000_000_000_000
    assert clock.monotonic() >= begun


def test_a_clock_of_tests_moves_only_when_told() -> None:
    """Tests that wait for real time are slow and lie."""
    clock = ManualClock(5_000_000)
    clock.advance(1_500_000)
    assert (clock.now(), clock.monotonic()) == (6_500_000, 6.5)


def test_a_code_tells_the_secret_and_the_authority() -> None:
    """Who types it checks whom they talk to."""
    code = parse_code(f"  {make_code(SECRET, CERTIFICATE).lower()} ")
    assert code.secret == SECRET
    assert code.authority == authority_fingerprint(CERTIFICATE)
    assert code.matches(CERTIFICATE)
    assert not code.matches(b"another certificate")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FM",
        "FM-A-B",
        "XX" + make_code(SECRET, CERTIFICATE)[2:],
        make_code(SECRET, CERTIFICATE) + "A",
        make_code(SECRET, CERTIFICATE)[:-1],
        make_code(SECRET, CERTIFICATE).replace("A", "1"),
        make_code(SECRET, CERTIFICATE).replace("A", "Я"),
        make_code(SECRET, CERTIFICATE).ljust(CODE_CHARACTERS + 1),
    ],
)
def test_what_is_no_code_is_refused_in_words(text: str) -> None:
    """People mistype; what they typed is never echoed: it may be nearly right."""
    with pytest.raises(Rejected) as refused:
        parse_code(text)
    assert refused.value.code == "bad_code"
    assert "FM-" in str(refused.value)
    assert SECRET.hex() not in str(refused.value)
