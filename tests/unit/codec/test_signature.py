"""Signatures: only who holds the key can have said it."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.signature import new_key, sign, verify


def test_what_was_signed_is_verified() -> None:
    """The hub takes a device's word for its work."""
    key = new_key()
    assert isinstance(key.curve, ec.SECP256R1)
    verify(key.public_key(), b"header", sign(key, b"header"))


def test_other_content_another_key_and_damage_are_refused() -> None:
    """A gateway between them can change nothing unseen."""
    key = new_key()
    signature = sign(key, b"header")
    for public, content, said in (
        (key.public_key(), b"headeR", signature),
        (new_key().public_key(), b"header", signature),
        (key.public_key(), b"header", signature[:-1]),
        (key.public_key(), b"header", b""),
    ):
        with pytest.raises(Rejected) as caught:
            verify(public, content, said)
        assert caught.value.code == "signature_invalid"
