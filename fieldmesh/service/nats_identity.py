"""Who may do what on the bus: operator, accounts and users as signed NATS JWTs.

    operator (signs accounts)  →  account FIELDMESH (signs users)  →  user: the hub, a gateway

The broker knows the operator and holds the accounts' JWTs in its configuration; a user shows its
own JWT and signs a challenge with its seed, which never leaves its machine. A revoked user stands
in its account's JWT: `NatsServer.reload` makes the broker drop it. Source: NATS JWT version 2.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import nkeys

from fieldmesh.basics.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HEADER: Final = {"typ": "JWT", "alg": "ed25519-nkey"}
_VERSION: Final = 2
_RAW_SEED_BYTES: Final = 32
_PUBLIC_KEY_CHARACTERS: Final = 56
_KINDS: Final = {
    "operator": nkeys.PREFIX_BYTE_OPERATOR,
    "account": nkeys.PREFIX_BYTE_ACCOUNT,
    "user": nkeys.PREFIX_BYTE_USER,
}
_LETTERS: Final = {"operator": "O", "account": "A", "user": "U"}
_MICROSECONDS: Final = 1_000_000
_ANSWER_S: Final = 120
_NANOSECONDS: Final = 1_000_000_000
_NO_LIMITS: Final = {
    "subs": -1,
    "data": -1,
    "payload": -1,
    "imports": -1,
    "exports": -1,
    "wildcards": True,
    "conn": -1,
    "leaf": 0,
}
_STORAGE: Final = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a user may do; what is not named is forbidden.

    Attributes:
        publish: subjects it may publish to.
        subscribe: subjects it may listen on.
        may_answer: whether it may answer requests that it hears.
    """

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    may_answer: bool = False


ALL: Final = Permissions((">",), (">",))
"""The hub's own rights."""


def make_seed(kind: str, raw: bytes) -> bytes:
    """A seed from 32 random bytes.

    Args:
        kind: ``operator``, ``account`` or ``user``.
        raw: 32 bytes of `secrets.token_bytes`.
    """
    if len(raw) != _RAW_SEED_BYTES:
        message = f"a seed is made of {_RAW_SEED_BYTES} random bytes"
        raise ValueError(message)
    return bytes(nkeys.encode_seed(raw, prefix=_KINDS[kind]))


def public_key(seed: bytes) -> str:
    """The public key of a seed: the name of who has it."""
    return bytes(nkeys.from_seed(bytearray(seed)).public_key).decode("ascii")


def is_public_key(text: str, kind: str) -> bool:
    """Whether the text looks like a public key of that kind, with a right check sum."""
    if len(text) != _PUBLIC_KEY_CHARACTERS or not text.startswith(_LETTERS[kind]):
        return False
    try:
        raw = base64.b32decode(text)
    except ValueError:
        return False
    return int.from_bytes(raw[-2:], "little") == int(nkeys.crc16(raw[:-2]))


def operator_jwt(operator_seed: bytes, name: str, *, at_us: int, system_account: str) -> str:
    """The operator's own JWT; the broker is configured with it."""
    own = public_key(operator_seed)
    claims = {"system_account": system_account, "type": "operator", "version": _VERSION}
    return _signed(operator_seed, name, own, claims, at_us)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the broker is to know it.

    Attributes:
        key: public key of the account.
        name: for people.
        revoked: public key of a user → UTC microseconds; JWTs issued up to then are refused.
        has_streams: whether JetStream is there.
    """

    key: str
    name: str
    revoked: Mapping[str, int] = field(default_factory=dict)
    has_streams: bool = True


def account_jwt(operator_seed: bytes, account: Account, *, at_us: int) -> str:
    """An account's JWT, signed by the operator."""
    limits: dict[str, Any] = dict(_NO_LIMITS)
    if account.has_streams:
        limits.update(_STORAGE)
    claims: dict[str, Any] = {
        "limits": limits,
        "default_permissions": {"pub": {}, "sub": {}},
        "type": "account",
        "version": _VERSION,
    }
    if account.revoked:
        claims["revocations"] = {
            key: revoked_us // _MICROSECONDS for key, revoked_us in account.revoked.items()
        }
    return _signed(operator_seed, account.name, account.key, claims, at_us)


def user_jwt(
    account_seed: bytes, user_key: str, name: str, permissions: Permissions, *, at_us: int
) -> str:
    """A user's JWT, signed by its account.

    Raises:
        Rejected: `bad_message`: ``user_key`` is not a user's public key.
    """
    if not is_public_key(user_key, "user"):
        raise Rejected("bad_message", place="bus_key")
    claims: dict[str, Any] = {
        "pub": {"allow": list(permissions.publish)},
        "sub": {"allow": list(permissions.subscribe)},
        "subs": -1,
        "data": -1,
        "payload": -1,
        "type": "user",
        "version": _VERSION,
    }
    if permissions.may_answer:
        claims["resp"] = {"max": 1, "ttl": _ANSWER_S * _NANOSECONDS}
    return _signed(account_seed, name, user_key, claims, at_us)


def gateway_permissions(gateway_id: bytes, shards: Sequence[int] | None = None) -> Permissions:
    """Exactly what a gateway may do (docs/architecture/core.md, section 10)."""
    own = gateway_id.hex()
    up = [f"up.{shard}.{own}" for shard in shards] if shards is not None else [f"up.*.{own}"]
    return Permissions(
        publish=(
            *up,
            f"rpc.hub.*.{own}",
            f"$JS.API.CONSUMER.MSG.NEXT.DOWN.gw_{own}",
            f"$JS.ACK.DOWN.gw_{own}.>",
        ),
        subscribe=(f"rpc.gateway.{own}.*", f"{gateway_inbox(own)}.>"),
        may_answer=True,
    )


def gateway_inbox(own: str) -> str:
    """Where a gateway is answered; ``own`` is its id in hex."""
    return f"_INBOX_{own}"


def read_claims(jwt: str) -> dict[str, Any]:
    """What a JWT says; its signature is not looked at."""
    part = jwt.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def _signed(seed: bytes, name: str, subject: str, nats: Mapping[str, Any], at_us: int) -> str:
    claims: dict[str, Any] = {
        "iat": at_us // _MICROSECONDS,
        "iss": public_key(seed),
        "name": name,
        "nats": dict(nats),
        "sub": subject,
    }
    digest = hashlib.new("sha512_256", _json(claims)).digest()
    claims["jti"] = base64.b32encode(digest).decode("ascii").rstrip("=")
    signed = f"{_part(_json(_HEADER))}.{_part(_json(claims))}"
    signature = nkeys.from_seed(bytearray(seed)).sign(signed.encode("ascii"))
    return f"{signed}.{_part(signature)}"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode("utf-8")


def _part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode("ascii").rstrip("=")
