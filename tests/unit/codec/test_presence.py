"""A device's word that it is at a gateway."""

from dataclasses import dataclass, replace

import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.presence import HOLDS_US, check_presence, sign_presence
from fieldmesh.codec.signature import new_key, sign

KEY = new_key()
NOW = 1_764_000_000_000_000


@dataclass(frozen=True)
class Claim:
    """What a gateway says of a device's word."""

    device_id: bytes = b"d" * 16
    gateway_id: bytes = b"g" * 16
    at: int = NOW

    def check(self, word: bytes, *, now: int = NOW) -> None:
        """The hub looks at it."""
        check_presence(
            KEY.public_key(), word, device_id=self.device_id, gateway_id=self.gateway_id, at=self.at,
            now=now,
        )  # fmt: skip


def said(claim: Claim) -> bytes:
    """The device has said just that."""
    return sign_presence(
        claim.device_id, claim.gateway_id, claim.at, lambda content: sign(KEY, content)
    )


def test_a_word_holds_for_its_days_at_its_gateway() -> None:
    """A rep on the road is served where they are."""
    word = said(Claim())
    for moment in (NOW - HOLDS_US, NOW, NOW + HOLDS_US):
        Claim().check(word, now=moment)


@pytest.mark.parametrize(
    "claimed",
    [
        Claim(device_id=b"e" * 16),
        Claim(gateway_id=b"h" * 16),
        replace(Claim(), at=NOW + 1),
    ],
)
def test_a_word_is_good_for_nobody_else(claimed: Claim) -> None:
    """Promise 6: a gateway gets no rows of a device that has not come to it."""
    with pytest.raises(Rejected) as caught:
        claimed.check(said(Claim()))
    assert caught.value.code == "presence_unproven"


def test_an_old_word_is_worth_nothing() -> None:
    """Promise 6: who was once a guest is not a guest for ever."""
    with pytest.raises(Rejected) as caught:
        Claim().check(said(Claim()), now=NOW + HOLDS_US + 1)
    assert caught.value.code == "presence_unproven"
