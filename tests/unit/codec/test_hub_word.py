"""A device believes the hub's own words, and nobody else's (promises 1 and 7)."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.hub_word import check_word, parse_word
from fieldmesh.codec.signature import new_key, sign
from fieldmesh.service.tls import public_key_der
from fieldmesh.wire.v1 import enrol_pb2

KEY = new_key()
HUB = public_key_der(KEY)
WORD = b"a word"


def why_not(proof: bytes, *, signed: bytes = WORD, hub_key: bytes = HUB) -> str:
    """What is wrong with it; empty = it is believed."""
    try:
        check_word(signed, proof, hub_key=hub_key, code="hub_tick_invalid", place="hub tick")
    except Rejected as refused:
        return f"{refused.code}: {refused.fields['why']}"
    return ""


def test_the_hubs_word_is_believed() -> None:
    """Else a device would keep every batch for ever."""
    assert not why_not(sign(KEY, WORD))


def test_nobody_elses_word_is_believed_nor_another_word() -> None:
    """A gateway could make a device forget what head office has never seen."""
    assert why_not(sign(new_key(), WORD)) == "hub_tick_invalid: signature"
    assert why_not(sign(KEY, WORD), signed=b"another") == "hub_tick_invalid: signature"
    assert why_not(b"") == "hub_tick_invalid: signature"


def test_a_hub_key_of_another_kind_is_told() -> None:
    """A damaged identity folder must not look like a lying gateway."""
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    assert why_not(sign(KEY, WORD), hub_key=public_der(other)) == "hub_tick_invalid: not an EC key"


def test_bytes_that_are_no_message_are_told() -> None:
    """With the code of what they should have been."""
    with pytest.raises(Rejected) as refused:
        parse_word(enrol_pb2.WipeOrder, b"\xff", code="wipe_order_invalid", place="wipe order")
    assert (refused.value.code, refused.value.fields["why"]) == ("wipe_order_invalid", "unreadable")


def public_der(key: ed25519.Ed25519PublicKey) -> bytes:
    """The key, DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
