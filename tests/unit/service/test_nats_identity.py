"""JWTs for the bus say exactly who may do what."""

import base64
import random

import nkeys
import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.service import nats_identity as identity

AT_US = 1_700_000_000_000_000
RANDOM = random.Random(7)


def seed(kind: str) -> bytes:
    """A seed of that kind."""
    return identity.make_seed(kind, RANDOM.randbytes(32))


def test_a_jwt_is_signed_by_who_it_names() -> None:
    """The broker refuses everything else; a mistake here locks everybody out."""
    account, user = seed("account"), seed("user")
    jwt = identity.user_jwt(
        account,
        identity.public_key(user),
        "gw",
        identity.gateway_permissions(b"g" * 16),
        at_us=AT_US,
    )
    head, body, signature = jwt.split(".")
    pair = nkeys.from_seed(bytearray(account))
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    assert pair.verify(f"{head}.{body}".encode(), raw)
    claims = identity.read_claims(jwt)
    assert claims["iss"] == identity.public_key(account)
    assert claims["sub"] == identity.public_key(user)
    assert claims["iat"] == AT_US // 1_000_000


def test_a_gateway_may_do_what_the_design_says_and_nothing_else() -> None:
    """A stolen gateway must not read or write for another."""
    own = b"g" * 16
    found = identity.gateway_permissions(own)
    assert all(own.hex() in subject for subject in (*found.publish, *found.subscribe))
    assert f"up.*.{own.hex()}" in found.publish
    assert found.may_answer


def test_only_a_users_key_becomes_a_user() -> None:
    """A gateway that sends something else as its key must hear so."""
    account = seed("account")
    for bad in ("", "U" * 56, identity.public_key(account), "ü" * 56):
        assert not identity.is_public_key(bad, "user")
        with pytest.raises(Rejected):
            identity.user_jwt(account, bad, "x", identity.ALL, at_us=AT_US)


def test_a_revoked_user_stands_in_its_accounts_jwt() -> None:
    """That is the only way the broker learns of it."""
    operator, account, user = seed("operator"), seed("account"), seed("user")
    known = identity.Account(identity.public_key(account), "FM", {identity.public_key(user): AT_US})
    claims = identity.read_claims(identity.account_jwt(operator, known, at_us=AT_US))
    assert claims["nats"]["revocations"] == {identity.public_key(user): AT_US // 1_000_000}
