"""Rights on the bus."""

import secrets
from pathlib import Path

from fieldmesh.service import nats_identity
from hub.trust.bus_identity import BusKeys

GATEWAY = b"g" * 16


def test_a_gateway_gets_its_own_subjects_and_nothing_else(tmp_path: Path) -> None:
    """Without it one gateway could read, or forge, what belongs to another."""
    keys = BusKeys.load_or_create(tmp_path)
    user = nats_identity.public_key(nats_identity.make_seed("user", secrets.token_bytes(32)))
    claims = nats_identity.read_claims(keys.gateway_jwt(GATEWAY, user, 0))["nats"]
    subjects = claims["pub"]["allow"] + claims["sub"]["allow"]
    assert subjects
    assert all(GATEWAY.hex() in subject for subject in subjects)


def test_keys_stay_the_same(tmp_path: Path) -> None:
    """Without it a restart of the hub would lock out every gateway."""
    assert BusKeys.load_or_create(tmp_path) == BusKeys.load_or_create(tmp_path)


def test_a_revoked_user_stands_in_the_account(tmp_path: Path) -> None:
    """Without it a revoked gateway would keep its line."""
    keys = BusKeys.load_or_create(tmp_path)
    accounts = keys.accounts(1_000_000, {"UABC": 5_000_000})
    ours = [one for key, one in accounts.items() if key != keys.system_account]
    assert nats_identity.read_claims(ours[0])["nats"]["revocations"] == {"UABC": 5}


def test_seeds_are_not_shown(tmp_path: Path) -> None:
    """Without it a log line could hold the keys of the network."""
    assert "SU" not in repr(BusKeys.load_or_create(tmp_path))
