"""Who is who on the bus: the hub signs a user for each gateway with that gateway's subjects.

Rights: docs/architecture/core.md, section 10. A gateway's seed never leaves the gateway.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from fieldmesh.service import nats_identity
from fieldmesh.service.files import write_durably
from fieldmesh.service.nats_identity import Account
from hub.trust.files import read_secret

_RAW_SEED_BYTES = 32
_SEEDS = {"operator": "operator", "account": "account", "system": "account", "hub": "user"}
ACCOUNT_NAME = "FIELDMESH"
SYSTEM_NAME = "SYS"


@dataclass(frozen=True, slots=True)
class BusKeys:
    """The seeds of operator, accounts and the hub's own user."""

    operator: bytes = field(repr=False)
    account: bytes = field(repr=False)
    system: bytes = field(repr=False)
    hub: bytes = field(repr=False)

    @classmethod
    def load_or_create(cls, folder: Path) -> Self:
        """The keys of that folder; those that are missing are made."""
        for name, kind in _SEEDS.items():
            if not _file(folder, name).exists():
                seed = nats_identity.make_seed(kind, secrets.token_bytes(_RAW_SEED_BYTES))
                write_durably(_file(folder, name), seed)
        return cls.load(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The keys of that folder.

        Raises:
            Rejected: `key_file_missing` or `key_file_open_to_others`.
        """
        return cls(**{name: read_secret(_file(folder, name)).strip() for name in _SEEDS})

    @property
    def system_account(self) -> str:
        """Public key of the broker's own account."""
        return nats_identity.public_key(self.system)

    @property
    def main_account(self) -> str:
        """Public key of the account that the hub and all gateways are in."""
        return nats_identity.public_key(self.account)

    def operator_jwt(self, at_us: int) -> str:
        """What the broker is configured with."""
        return nats_identity.operator_jwt(
            self.operator, "fieldmesh", at_us=at_us, system_account=self.system_account
        )

    def accounts(self, at_us: int, revoked: Mapping[str, int] | None = None) -> dict[str, str]:
        """Public key → JWT of the accounts.

        Args:
            at_us: UTC microseconds.
            revoked: public key of a user → UTC microseconds since when it is refused.
        """
        key = self.main_account
        ours = Account(key, ACCOUNT_NAME, dict(revoked or {}))
        system = Account(self.system_account, SYSTEM_NAME, has_streams=False)
        return {
            one.key: nats_identity.account_jwt(self.operator, one, at_us=at_us)
            for one in (ours, system)
        }

    def hub_jwt(self, at_us: int) -> str:
        """The hub's own user: it may do everything in its account."""
        key = nats_identity.public_key(self.hub)
        return nats_identity.user_jwt(self.account, key, "hub", nats_identity.ALL, at_us=at_us)

    def system_jwt(self, at_us: int) -> str:
        """The hub as a user of the system account: it may tell the servers of a cluster about accounts."""
        key = nats_identity.public_key(self.hub)
        return nats_identity.user_jwt(self.system, key, "hub", nats_identity.ALL, at_us=at_us)

    def gateway_jwt(self, gateway_id: bytes, bus_key: str, at_us: int) -> str:
        """The user of one gateway: its own subjects and nothing else.

        Raises:
            Rejected: `bad_message`, the key is not a user's public nkey.
        """
        rights = nats_identity.gateway_permissions(gateway_id)
        name = f"gateway-{gateway_id.hex()}"
        return nats_identity.user_jwt(self.account, bus_key, name, rights, at_us=at_us)


def _file(folder: Path, name: str) -> Path:
    return folder / f"bus_{name}.seed"
