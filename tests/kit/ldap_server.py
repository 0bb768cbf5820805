"""A real slapd with a few people and groups, over LDAPS and StartTLS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.config import DirectorySettings
from tests.kit.certificates import ServerFiles, server_files
from tests.kit.debian import needs, path_of
from tests.kit.servers import done, free_port, running

BASE = "dc=example,dc=com"
ROOT, ROOT_PASSWORD = f"cn=root,{BASE}", "root word"
NAMELESS = "127.0.0.2"
"""An address of the server that does not stand in its certificate."""
_MODULES = "/usr/lib/ldap"
_SCHEMAS = "/etc/ldap/schema"
_CONTENT = f"""
dn: {BASE}
objectClass: domain
dc: example

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups
"""


@dataclass(frozen=True)
class LdapServer:
    """A running slapd."""

    port: int
    secure_port: int
    authority: Path

    def settings(self, *, starts_tls: bool = False, **posts: str) -> DirectorySettings:
        """Settings of a hub that uses it."""
        plain, secure = f"ldap://localhost:{self.port}", f"ldaps://localhost:{self.secure_port}"
        return DirectorySettings(
            urls=[plain if starts_tls else secure], authority=str(self.authority), user=ROOT,
            password=ROOT_PASSWORD, base=BASE, login="uid", person="cn", groups="(member={dn})", posts=posts,
        )  # fmt: skip

    async def add(self, *entries: str) -> None:
        """Entries in LDIF stand in the directory."""
        await self._tell("ldapmodify", "-a", "-M", given="\n\n".join(entries))

    async def change(self, text: str) -> None:
        """A change in LDIF is made."""
        await self._tell("ldapmodify", given=text)

    async def set_members(self, name: str, *logins: str) -> None:
        """The group has exactly these people."""
        lines = "\n".join(f"member: {dn_of(one)}" for one in logins)
        dn = f"cn={name},ou=groups,{BASE}"
        await self.change(f"dn: {dn}\nchangetype: modify\nreplace: member\n{lines}\n")

    async def remove(self, dn: str) -> None:
        """The entry is gone."""
        await self._tell("ldapdelete", dn)

    async def _tell(self, program: str, *words: str, given: str = "") -> None:
        address = f"ldap://127.0.0.1:{self.port}"
        command = [path_of(program), "-x", "-H", address, "-D", ROOT, "-w", ROOT_PASSWORD, *words]
        await done(command, given=given.encode())


def dn_of(login: str) -> str:
    """Where somebody stands."""
    return f"uid={login},ou=people,{BASE}"


def person(login: str, name: str, password: str) -> str:
    """Somebody, in LDIF."""
    return (
        f"dn: {dn_of(login)}\nobjectClass: inetOrgPerson\nuid: {login}\ncn: {name}\nsn: {name}\n"
        f"mail: {login}@example.com\nuserPassword: {password}"
    )


def group(name: str, *logins: str) -> str:
    """A group of people, in LDIF."""
    members = "\n".join(f"member: {dn_of(one)}" for one in logins)
    return f"dn: cn={name},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {name}\n{members}"


@asynccontextmanager
async def ldap_server(folder: Path) -> AsyncIterator[LdapServer]:
    """An empty directory that knows its root."""
    needs("slapd ldap-utils", "slapd", "ldapmodify")
    files = _write_settings(folder)
    port, secure_port = free_port(), free_port()
    command = [
        path_of("slapd"), "-d", "0", "-f", str(folder / "slapd.conf"),
        "-h", " ".join(f"ldap://{at}:{port} ldaps://{at}:{secure_port}" for at in ("127.0.0.1", NAMELESS)),
    ]  # fmt: skip
    async with running(command, secure_port, folder / "log"):
        server = LdapServer(port, secure_port, files.authority)
        await server.add(_CONTENT.strip())
        yield server


def _write_settings(folder: Path) -> ServerFiles:
    folder.mkdir()
    (folder / "db").mkdir()
    files = server_files(folder)
    (folder / "slapd.conf").write_text(
        f"""include {_SCHEMAS}/core.schema
include {_SCHEMAS}/cosine.schema
include {_SCHEMAS}/inetorgperson.schema
modulepath {_MODULES}
moduleload back_mdb
pidfile {folder}/pid
argsfile {folder}/args
TLSCACertificateFile {files.authority}
TLSCertificateFile {files.chain}
TLSCertificateKeyFile {files.key}
database mdb
suffix "{BASE}"
rootdn "{ROOT}"
rootpw "{ROOT_PASSWORD}"
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by * read
"""
    )
    return files
