"""A real MIT key distribution centre with a realm of its own, and people with tickets."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kit.debian import needs, path_of
from tests.kit.servers import done, free_port, running

REALM = "FIELD.TEST"


@dataclass(frozen=True)
class Kdc:
    """A running centre."""

    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """What programs need to find the realm."""
        return {
            "PATH": os.environ.get("PATH", ""),  # noqa: TID251 - programs find programs by it
            "KRB5_CONFIG": str(self.folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"),
        }

    async def add_person(self, name: str, password: str) -> None:
        """Somebody of the realm."""
        await self._admin(f'addprinc -pw "{password}" {name}')

    async def add_service(self, name: str, keytab: Path) -> None:
        """A service whose keys stand in the key table."""
        await self._admin(f"addprinc -randkey {name}")
        await self._admin(f"ktadd -k {keytab} {name}")

    async def ticket(self, name: str, password: str) -> Mapping[str, str]:
        """The environment of somebody who has signed in to their machine."""
        mine = {
            **self.environment,
            "KRB5CCNAME": f"FILE:{self.folder}/cache-{name.replace('/', '-')}",
        }
        await done([path_of("kinit"), f"{name}@{REALM}"], mine, password.encode() + b"\n")
        return mine

    async def _admin(self, query: str) -> None:
        await done([path_of("kadmin.local"), "-r", REALM, "-q", query], self.environment)


@asynccontextmanager
async def kdc(folder: Path) -> AsyncIterator[Kdc]:
    """An empty realm."""
    needs("krb5-kdc krb5-admin-server krb5-user", "krb5kdc", "kadmin.local", "kdb5_util", "kinit")
    port = free_port()
    _write_settings(folder, port)
    centre = Kdc(folder)
    create = [path_of("kdb5_util"), "-r", REALM, "create", "-s", "-P", "master word"]
    await done(create, centre.environment)
    command = [path_of("krb5kdc"), "-n", "-r", REALM]
    async with running(command, port, folder / "log", centre.environment):
        yield centre


def _write_settings(folder: Path, port: int) -> None:
    folder.mkdir()
    (folder / "krb5.conf").write_text(
        f"""[libdefaults]
 default_realm = {REALM}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {REALM} = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = {REALM}
"""
    )
    (folder / "kdc.conf").write_text(
        f"""[kdcdefaults]
 kdc_listen = ""
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {REALM} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
 }}
"""
    )
