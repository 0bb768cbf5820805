"""A hub's home folder, made and opened: settings, keys, database."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from fieldmesh.basics.clock import Clock, SystemClock
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.service.files import write_durably
from hub.config import HubHome, HubSettings, load_settings
from hub.fleet.registry import Maker
from hub.fleet.standard import add_standard_roles
from hub.storage.database import HubDatabase, sqlite_url
from hub.storage.org_changes import head_office_write
from hub.storage.seen import SeenLately
from hub.trust.authority import Authority
from hub.trust.bus_identity import BusKeys
from hub.trust.enrolment import Trust
from hub.trust.signing import OrderSigner
from hub.trust.vault import Vault

_FOLDER_MODE = 0o700


@dataclass(frozen=True, slots=True)
class Office:
    """An open hub."""

    home: HubHome
    settings: HubSettings
    database: HubDatabase
    trust: Trust
    maker: Maker
    seen: SeenLately = field(default_factory=SeenLately, compare=False)

    @property
    def clock(self) -> Clock:
        """The hub's clock."""
        return self.maker.clock


async def make_office(folder: Path, settings: HubSettings, settings_text: str) -> Office:
    """A new hub stands in ``folder``: settings, authority, keys of the bus, empty database.

    Durability: the settings file is written last; a folder without one is not a hub yet, and
    making it again after a crash takes over the keys that are there.

    Raises:
        Rejected: `already_initialised`.
    """
    home, clock = HubHome(folder), SystemClock()
    if home.settings_file.exists():
        raise Rejected("already_initialised", place=str(folder))
    for path in (folder, home.trust, home.database_file.parent, home.bus, home.run):
        path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    if not (home.trust / "authority.pem").exists():
        (home.trust / "authority_key.pem").unlink(missing_ok=True)
        Authority.create(home.trust, clock, settings.company)
    OrderSigner.load_or_create(home.trust)
    BusKeys.load_or_create(home.trust)
    Vault.load_or_create(
        home.trust
    )  # Now: whoever carries the folder away does so before the first start.
    office = _office(home, settings, clock)
    if not await office.database.exists():
        await office.database.create(clock.now())
        async with head_office_write(
            office.database,
            clock,
            actor="hub",
            kind="hub_made",
            about={"company": settings.company},
        ) as writer:
            await add_standard_roles(writer)
    write_durably(home.settings_file, settings_text.encode())
    return office


async def open_office(folder: Path, flags: dict[str, object] | None = None) -> Office:
    """The hub that stands in ``folder``.

    Raises:
        Rejected: `database_missing`, `database_too_new`, `settings_invalid`, or a problem with a
            key file.
    """
    home = HubHome(folder)
    if not home.settings_file.exists():
        raise Rejected("database_missing", place=str(folder))
    office = _office(home, load_settings(home, flags).settings, SystemClock())
    await office.database.follow_release()
    return office


def _office(home: HubHome, settings: HubSettings, clock: Clock) -> Office:
    identifiers = IdentifierMaker(clock, random.SystemRandom())
    trust = Trust(
        authority=Authority.load(home.trust, clock),
        signer=OrderSigner.load(home.trust),
        bus=BusKeys.load(home.trust),
        bus_url=",".join(f"tls://{one}" for one in settings.bus.advertise),
        clock=clock,
    )
    url = settings.database.url or sqlite_url(home.database_file)
    return Office(home, settings, HubDatabase(url), trust, Maker(clock, identifiers))
