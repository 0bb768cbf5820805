"""What an application embeds: one device, opened by a person.

    async with await DeviceAgent.open(home, login, password) as agent:
        order = await agent.place_order(outlet_id, [OrderLine(product_unit_id, Decimal(6))])
        report = await agent.sync(Mode.FAST)

Start order: keyring → key → unfinished swap settled → database → identity. Close order: database
last. A crash anywhere is settled by the next `open`.
"""

import random
import secrets
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from device_agent.config import DeviceSettings
from device_agent.link.enrolment import PersonKnown
from device_agent.modes import by_hand, renewal
from device_agent.modes.context import Report, SyncContext, load_identity, signer
from device_agent.modes.enrol import EnrolmentWish, take_in
from device_agent.modes.photos import keep_photo, send_photos
from device_agent.modes.progress import ProgressCallback, silent
from device_agent.modes.run import run
from device_agent.storage import held, photos, rescue, schema, swap, verify
from device_agent.storage.attempts import open_keyring
from device_agent.storage.database import Connection, DeviceDatabase
from device_agent.storage.gateways import GatewayRow, known_gateways
from device_agent.storage.home import Home
from device_agent.storage.keyring import Keyring
from device_agent.storage.sessions import SessionRow, newest_sessions
from device_agent.storage.state import DeviceState, is_locked, read_state
from device_agent.storage.ticks import Standing, standing
from device_agent.work import capture, day_list, documents, signin
from fieldmesh.basics.clock import Clock, SystemClock
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.basics.logins import as_kept
from fieldmesh.service import tls
from fieldmesh.session.transitions import Mode


@dataclass(frozen=True, slots=True)
class Status:
    """Where the device stands, for screens and `fieldmesh-device status`."""

    state: DeviceState
    standing: Standing
    locked: bool
    rejects: int
    photos_unsent: int
    database: Path
    database_bytes: int
    gateways: list[GatewayRow]
    sessions: list[SessionRow]
    certificate_ends: int
    """Microseconds UTC."""
    has_new_password: bool


async def enroll(folder: Path, wish: EnrolmentWish) -> DeviceState:
    """The device has its identity and an empty database; it may sync.

    A device whose certificate has ended keeps its database and gets another certificate.

    Raises:
        Rejected: `already_enrolled`, `bad_code`, `sign_in_refused`, or the hub's refusal.
        Retry: the gateway or the hub cannot be reached now.
    """

    def check(known: list[PersonKnown]) -> str:
        people = [signin.Person(found.login, found.person, found.verifier) for found in known]
        login = as_kept(wish.login, [person.login for person in people])
        return signin.checked_verifier(people, login, wish.password)

    return await take_in(Home(folder), wish, check, SystemClock())


class DeviceAgent:
    """One device, opened by a person who signed in. Open it with `open`, close it once."""

    def __init__(self, context: SyncContext, login: str) -> None:
        """Use `open`."""
        self._context = context
        self.login = login

    @classmethod
    async def open(
        cls,
        folder: Path,
        login: str,
        password: str,
        *,
        settings: DeviceSettings | None = None,
        clock: Clock | None = None,
        begin_anew: bool = False,
    ) -> Self:
        """The device's database is open, a swap that was cut is finished.

        Args:
            folder: the device's home.
            login: who signs in.
            password: their password.
            settings: None = defaults.
            clock: None = the machine's.
            begin_anew: a database that cannot be read is put aside, and with it what waited in
                it; the device then needs an initialize.

        Raises:
            Rejected: `device_not_enrolled`, `sign_in_refused`, `database_too_new`,
                `database_unreadable`.
            Retry: `sign_in_locked`.
        """
        home = Home(folder)
        home.require_enrolled()
        login = as_kept(login, Keyring(home).logins())
        key = open_keyring(home, login, password, clock or SystemClock())
        if begin_anew:
            swap.begin_anew(home, key)
        return await cls.open_with_key(home, key, login, settings=settings, clock=clock)

    @classmethod
    async def open_with_key(
        cls,
        home: Home,
        key: bytes,
        login: str,
        *,
        settings: DeviceSettings | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """As `open`, by an application that keeps the database key in the device's key store."""
        path = swap.settle(home, key)
        database = await DeviceDatabase.open(path, key)
        try:
            if await database.read(schema.needs_growth):
                await database.apply(schema.grow)
            used_clock = clock or SystemClock()
            chance = random.Random(secrets.randbits(64))  # noqa: S311  (jitter and ids, no secret)
            context = SyncContext(
                home=home,
                database=database,
                settings=settings or DeviceSettings(),
                identity=load_identity(home, key),
                certificate=home.certificate.read_bytes(),
                hub_key=home.hub_key.read_bytes(),
                sign=signer(home, key),
                new_identifier=IdentifierMaker(used_clock, chance).new,
                clock=used_clock,
                chance=chance,
            )
        except BaseException:
            await database.close()
            raise
        return cls(context, login)

    async def __aenter__(self) -> Self:
        """The agent itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The database is closed."""
        await self.close()

    async def close(self) -> None:
        """The database is closed. Repeating it is harmless."""
        await self._context.database.close()

    @property
    def home(self) -> Home:
        """The device's folder."""
        return self._context.home

    @property
    def database_path(self) -> Path:
        """The live SQLCipher file; another program opens it with `database_key`."""
        return self._context.database.path

    @property
    def database_key(self) -> bytes:
        """The raw key: PRAGMA key = "x'<hex>'"."""
        return self._context.database.key

    async def sync(
        self, mode: Mode, *, progress: ProgressCallback = silent, gateway: str = ""
    ) -> Report:
        """The mode has been run to its end at the nearest gateway that works.

        Args:
            mode: fast, full, initialize, duplicate or upload.
            progress: called for every step; must be quick.
            gateway: host:port; no other gateway is tried.

        Raises:
            Retry: no gateway could serve; `delay_s` says when to try again.
            Rejected: this device may not do that, or a gateway refused it.
            Fenced: the device must initialize, or it was wiped.
        """
        self._context.progress = progress
        try:
            report = await run(self._context, mode, only=gateway)
        finally:
            self._context.progress = silent
        if mode in {Mode.FULL, Mode.INITIALIZE, Mode.DUPLICATE} and report.outcome == "done":
            known = await self._context.database.read(signin.people)
            signin.withdraw(known, Keyring(self.home))
        if report.outcome == "done" and report.hub_reachable:
            await renewal.renew_when_due(self._context, report.gateway_address)
        return report

    async def place_order(self, order: documents.NewOrder) -> documents.PlacedOrder:
        """The order and its lines are saved, numbered and priced; see `work.documents`."""
        maker = self._maker()
        return await self._context.database.write(lambda found: maker.place_order(found, order))

    async def order_from_list(self, *, outlet: str, lines: int) -> documents.PlacedOrder:
        """An order of the first products that the outlet's price list has.

        Args:
            outlet: id or code of the outlet; "" = the first one that has a price list.
            lines: how many products.

        Raises:
            Rejected: `outlet_unknown`, `no_price`.
        """
        maker = self._maker()
        return await self._context.database.write(
            lambda found: maker.order_from_list(found, outlet=outlet, lines=lines)
        )

    async def place_orders(self, lines: list[str], *, name: str) -> list[documents.PlacedOrder]:
        """All orders of a list are saved, or none; see `work.day_list`.

        Raises:
            Rejected: a line is no order, or breaks a rule; with its place.
        """
        maker = self._maker()

        def work(connection: Connection) -> list[documents.PlacedOrder]:
            orders = list(day_list.read_orders(connection, lines, name=name))
            return [maker.place_order(connection, order) for order in orders]

        return await self._context.database.write(work)

    async def record_visit(self, visit: documents.NewVisit) -> bytes:
        """The visit is saved; its id."""
        maker = self._maker()
        return await self._context.database.write(lambda found: maker.record_visit(found, visit))

    async def record_payment(self, payment: documents.NewPayment) -> bytes:
        """The payment is saved, numbered; its id."""
        maker = self._maker()
        return await self._context.database.write(
            lambda found: maker.record_payment(found, payment)
        )

    async def record_track_point(self, point: documents.TrackPoint) -> bytes:
        """The track point is saved; its id."""
        maker = self._maker()
        return await self._context.database.write(
            lambda found: maker.record_track_point(found, point)
        )

    async def sql(self, statement: str, values: tuple[capture.Value, ...] = ()) -> capture.Result:
        """The statement has been run in a transaction of its own; changes are captured.

        Raises:
            Rejected: `sql_refused`, with what SQLite or a trigger said.
        """
        return await self._context.database.write(
            lambda found: capture.run_sql(found, statement, values)
        )

    async def tables(self) -> dict[str, int]:
        """Tables and how many rows each has."""
        return await self._context.database.read(capture.tables)

    async def rejects(self) -> capture.Result:
        """What head office refused, newest first, with reasons."""
        return await self._context.database.read(
            lambda found: capture.run_sql(found, "SELECT * FROM reject ORDER BY lsn DESC")
        )

    async def status(self) -> Status:
        """Where the device stands."""
        home, login = self.home, self.login
        ends = tls.certificate_ends(self._context.certificate)
        path = self.database_path

        def work(connection: Connection) -> Status:
            return Status(
                state=read_state(connection),
                standing=standing(connection),
                locked=is_locked(connection),
                rejects=held.count_rejects(connection),
                photos_unsent=len(photos.unsent(connection)),
                database=path,
                database_bytes=path.stat().st_size,
                gateways=known_gateways(connection),
                sessions=newest_sessions(connection, 20),
                certificate_ends=ends,
                has_new_password=signin.has_new_password(
                    signin.people(connection), Keyring(home), login
                ),
            )

        return await self._context.database.read(work)

    async def export(self) -> tuple[bytes, int]:
        """A carrier file with every batch that has no second tick, and how many."""
        return await by_hand.export(self._context)

    def rescue_files(self) -> list[Path]:
        """Rescue files, oldest first."""
        return rescue.kept(self.home)

    async def take_back(self, name: str) -> int:
        """The batches of a rescue file wait in the outbox again; how many were missing there."""
        return await by_hand.take_back(self._context, name)

    async def keep_photo(self, content: bytes) -> bytes:
        """The photo is kept, sealed, and will be sent; its sha256."""
        return await keep_photo(self._context, content)

    async def send_photos(self, gateway: str = "") -> int:
        """Photos that wait are at the gateway; how many."""
        return await send_photos(self._context, gateway)

    async def verify(self, *, repair: bool = False) -> verify.DeepReport:
        """Every confirmed row was hashed anew.

        Args:
            repair: rows that fail are taken away, so that the next full sync brings them again.
        """
        report = await self._context.database.read(verify.check_rows)
        if repair and (report.wrong or report.digests_wrong):
            await self._context.database.apply(lambda found: verify.mark_unknown(found, report))
        return report

    async def add_person(self, login: str, password: str) -> None:
        """Another person whom head office lets sign in here can open the device from now on.

        Raises:
            Rejected: `sign_in_refused`.
        """
        known = await self._context.database.read(signin.people)
        login = as_kept(login, [person.login for person in known])
        verifier = signin.checked_verifier(known, login, password)
        Keyring(self.home).add(login, password, self.database_key, verifier_sha256=verifier)

    async def wipe(self) -> Standing:
        """Nothing of this device is left; what was lost with it is returned."""
        lost = await self._context.database.read(standing)
        await self.close()
        self.home.erase()
        return lost

    def _maker(self) -> documents.DocumentMaker:
        return documents.DocumentMaker(self._context.new_identifier, self._context.clock.now())
