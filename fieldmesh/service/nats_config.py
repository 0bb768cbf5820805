"""What the configuration of every broker says: one alone beside the hub, and each server of a cluster.

Folders and files in it are as the caller names them; a broker reads relative ones from the folder that it runs in.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldmesh.basics.limits import MESSAGE_BYTES

CLUSTER = "fieldmesh"
ROUTES_ABOVE = 2_000
"""The servers of a cluster reach each other on the port of the clients and so many."""
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - gateways and the other servers come from outside
MONITOR_ABOVE = 4_000
"""On its own machine a server tells how it is on the port of the clients and so many."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whom a broker believes.

    Attributes:
        operator_jwt: who signs accounts.
        system_account: public key of the account for the broker's own events.
        accounts: public key → JWT.
    """

    operator_jwt: str
    system_account: str
    accounts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """Where a server of a cluster is reached, by gateways, by the hub and by the others."""

    name: str
    host: str
    port: int


def common(*, name: str, listen: tuple[str, int], certificate: str, private_key: str) -> str:
    """Names, limits and TLS. Port 0 means any free one."""
    host, port = listen
    return f"""\
server_name: {json.dumps(name)}
host: {json.dumps(host)}
port: {port or -1}
max_payload: {MESSAGE_BYTES}
max_pending: {8 * MESSAGE_BYTES}
max_control_line: 4096
write_deadline: "10s"
ping_interval: "20s"
ping_max: 2
lame_duck_grace_period: "1s"
lame_duck_duration: "31s"
logfile_size_limit: 16MB
logfile_max_num: 4
tls {{
  cert_file: {json.dumps(certificate)}
  key_file: {json.dumps(private_key)}
  min_version: "1.2"
  timeout: 5
}}
"""


def streams(folder: str, *, most_bytes: int) -> str:
    """Streams stand on disk before they are acknowledged: no power cut takes them back."""
    return f"""\
jetstream {{
  store_dir: {json.dumps(folder)}
  max_memory_store: {64 << 20}
  max_file_store: {most_bytes}
  sync_interval: always
}}
"""


def trusting(trusted: Trusted, resolver: str) -> str:
    """Who signs what, and where accounts are kept."""
    preload = "\n".join(f"  {key}: {json.dumps(jwt)}" for key, jwt in trusted.accounts.items())
    return f"""\
operator: {json.dumps(trusted.operator_jwt)}
system_account: {json.dumps(trusted.system_account)}
resolver: {resolver}
resolver_preload {{
{preload}
}}
"""


def cluster_member(
    own: ServerPlace, every: Sequence[ServerPlace], trusted: Trusted, *, most_bytes: int
) -> str:
    """The configuration of one server of a cluster; everything that it names lies beside it.

    Accounts are kept in a folder, and each server takes a newer one from the others: what the hub revokes while a
    server is down is revoked there, too.
    """
    files = {"certificate": "server.pem", "private_key": "server_key.pem"}
    routes = "\n".join(
        f"    {json.dumps(f'tls://{one.host}:{one.port + ROUTES_ABOVE}')}"
        for one in every
        if one != own
    )
    accounts = '{type: full, dir: "accounts", allow_delete: false, interval: "30s"}'
    return f"""\
{common(name=own.name, listen=(_EVERYWHERE, own.port), **files)}\
pid_file: "nats.pid"
log_file: "nats.log"
http: "127.0.0.1:{own.port + MONITOR_ABOVE}"
{streams("streams", most_bytes=most_bytes)}\
cluster {{
  name: {json.dumps(CLUSTER)}
  listen: "{_EVERYWHERE}:{own.port + ROUTES_ABOVE}"
  no_advertise: true
  connect_retries: 120
  tls {{
    cert_file: "server.pem"
    key_file: "server_key.pem"
    ca_file: "authority.pem"
    verify: true
    timeout: 5
  }}
  routes: [
{routes}
  ]
}}
{trusting(trusted, accounts)}"""


def beside_the_hub(folder: Path) -> str:
    """Where a broker that the hub runs tells its process id, its ports and its log."""
    return f"""\
pid_file: {json.dumps(str(folder / "nats.pid"))}
ports_file_dir: {json.dumps(str(folder))}
log_file: {json.dumps(str(folder / "nats.log"))}
"""
