"""The files of a NATS cluster: for each server a folder with its configuration, its certificate and its key."""

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.files import write_durably
from fieldmesh.service.nats_config import CLUSTER, ServerPlace, Trusted, cluster_member
from fieldmesh.service.tls import certificate_pem, to_show
from hub.trust.authority import key_to_pem, load_key
from hub.trust.enrolment import Trust

_FOLDER_MODE, _OWN_FILES = 0o700, 0o600
_MOST_PORT = 65_535


def places(servers: Sequence[str]) -> list[ServerPlace]:
    """The servers that the settings name.

    Args:
        servers: ``host:port`` of each.

    Raises:
        Rejected: `settings_invalid`, with the word that is no such place or stands there twice; or there are too few.
    """
    found: list[ServerPlace] = []
    for number, server in enumerate(servers, 1):
        host, _, port = server.rpartition(":")
        if (
            not host
            or not port.isdigit()
            or int(port) > _MOST_PORT
            or server in servers[: number - 1]
        ):
            raise _wrong(f"bus.servers: {server} is no host:port, or stands there twice")
        found.append(ServerPlace(f"{CLUSTER}-{number}", host, int(port)))
    if not found:
        raise _wrong("bus.servers names no server: the hub runs its bus itself")
    if len(found) == 1:
        raise _wrong("bus.servers names one server, which is no cluster: name three")
    return found


def _wrong(text: str) -> Rejected:
    return Rejected("settings_invalid", place="hub.toml", text=text, key="bus.servers")


def write_servers(
    folder: Path,
    servers: Sequence[ServerPlace],
    trust: Trust,
    accounts: dict[str, str],
    *,
    most_bytes: int,
) -> list[Path]:
    """Each server has its folder, to be carried to its machine; a key that is there stays.

    A certificate holds for a year: making the files again and carrying them over renews it.

    Args:
        folder: what the servers' folders are made in.
        servers: where they are reached.
        trust: the hub's keys.
        accounts: public key → JWT, as of now.
        most_bytes: of streams on each server.

    Returns:
        The folders.
    """
    keys, now = trust.bus, trust.clock.now()
    trusted = Trusted(keys.operator_jwt(now), keys.system_account, accounts)
    made = []
    for one in servers:
        own = folder / one.name
        own.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        key_file = own / "server_key.pem"
        if not key_file.exists():
            write_durably(key_file, key_to_pem(ec.generate_private_key(ec.SECP256R1())))
        issued = trust.authority.issue_server(load_key(key_file).public_key(), [one.host])
        (own / "server.pem").write_bytes(
            certificate_pem(issued.der + to_show(trust.authority.chain))
        )
        (own / "authority.pem").write_bytes(trust.authority.pem)
        config = own / "nats.conf"
        config.write_text(cluster_member(one, servers, trusted, most_bytes=most_bytes), "utf-8")
        config.chmod(_OWN_FILES)
        made.append(own)
    return made
