"""A real broker over TLS, and identities for it."""

import random
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fieldmesh.basics.clock import SystemClock
from fieldmesh.service import nats_identity as identity
from fieldmesh.service import tls
from fieldmesh.service.bus import Bus
from fieldmesh.service.nats_server import NatsConfig, NatsServer
from hub.trust.authority import Authority


@dataclass
class World:
    """A broker, the authority behind it, and keys."""

    folder: Path
    authority: Authority
    operator: bytes
    account: bytes
    system: bytes
    config: NatsConfig
    server: NatsServer

    def accounts(self, revoked: dict[str, int] | None = None) -> dict[str, str]:
        """The accounts as the broker is to know them."""
        now = SystemClock().now()
        main = identity.Account(identity.public_key(self.account), "FIELDMESH", revoked or {})
        system = identity.Account(identity.public_key(self.system), "SYSTEM", has_streams=False)
        return {
            found.key: identity.account_jwt(self.operator, found, at_us=now)
            for found in (main, system)
        }

    def bus(
        self, seed: bytes, permissions: identity.Permissions, inbox_prefix: str = "_INBOX"
    ) -> Bus:
        """A line for a user."""
        user = identity.public_key(seed)
        jwt = identity.user_jwt(self.account, user, "u", permissions, at_us=SystemClock().now())
        return Bus(
            [self.server.url],
            jwt=lambda: jwt,
            seed=seed,
            authority=self.authority.certificate,
            name="test",
            random=random.Random(1),
            inbox_prefix=inbox_prefix,
        )


def new_seed(kind: str) -> bytes:
    """A fresh seed."""
    return identity.make_seed(kind, secrets.token_bytes(32))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A running broker."""
    clock = SystemClock()
    (tmp_path / "keys").mkdir()
    authority = Authority.create(tmp_path / "keys", clock, "Test")
    key = tls.make_key()
    certificate = authority.issue_server(key.public_key(), [])
    (tmp_path / "c.pem").write_bytes(tls.certificate_pem(certificate.der) + authority.pem)
    (tmp_path / "k.pem").write_bytes(tls.key_pem(key))
    operator, account, system = new_seed("operator"), new_seed("account"), new_seed("account")
    system_key = identity.public_key(system)
    jwt = identity.operator_jwt(operator, "op", at_us=clock.now(), system_account=system_key)
    config = NatsConfig(tmp_path / "nats", tmp_path / "c.pem", tmp_path / "k.pem", jwt, system_key)
    made = World(tmp_path, authority, operator, account, system, config, NatsServer(config))
    await made.server.reload(made.accounts())
    await made.server.start()
    yield made
    await made.server.stop()
