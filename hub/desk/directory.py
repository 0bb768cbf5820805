"""People of the company's directory: let in with its passwords or tickets, their posts kept as their groups say."""

import asyncio
import logging
import secrets

from fieldmesh.basics.errors import FieldmeshError, Rejected
from fieldmesh.service.extras import extra_for
from hub.desk.admission import DIRECTORY, Source, admit, folded
from hub.fleet.group_posts import is_settled, settle_posts, wanted_posts
from hub.fleet.office import Office
from hub.storage.api_tokens import drop_tokens_of, tokens_of
from hub.storage.org_changes import head_office_write
from hub.storage.rows import rows_where
from hub.storage.web_sessions import end_sessions_of, sessions_of
from hub.trust.identity import Identity

LOG = logging.getLogger(__name__)
_FEW = 3
_ACTOR = "directory"


class DirectoryPeople:
    """The directory of one hub; without one, only people whom the hub knows already come in with tickets."""

    def __init__(self, office: Office) -> None:
        """Nothing is asked yet.

        Raises:
            Rejected: `settings_invalid`.
        """
        settings = office.settings.directory
        self._office = office
        self._refresh_s = settings.refresh_s
        self._source = Source(DIRECTORY, settings.posts)
        self._directory = None
        if settings.urls:
            with extra_for("directory", "directory"):
                from hub.trust.directory import Directory  # noqa: PLC0415 - of the extra

            self._directory = Directory(settings)

    @property
    def is_set_up(self) -> bool:
        """Whether there is a directory."""
        return self._directory is not None

    async def with_password(self, login: str, password: str) -> bytes | None:
        """The person of the directory whose password it is; None = there is none, or no directory.

        Raises:
            Rejected: `account_of_another_kind`, `sign_in_refused`.
            Retry: `directory_away`.
        """
        if self._directory is None:
            return None
        identity = await self._directory.check(login, password)
        return None if identity is None else await admit(self._office, self._source, identity)

    async def in_vain(self) -> None:
        """The directory was asked for a name that nobody has: as long as that takes, whoever waits for an answer waits.

        Raises:
            Retry: `directory_away`.
        """
        if self._directory is not None:
            await self._directory.check(secrets.token_hex(), secrets.token_hex())

    async def with_ticket(self, login: str) -> bytes:
        """The person whose ticket names them.

        Raises:
            Rejected: `account_of_another_kind`, `sign_in_refused`.
            Retry: `directory_away`.
        """
        name = folded(login)
        if self._directory is None:
            return await self._known_as(name)
        identity = await self._directory.find(name)
        if identity is None:
            raise Rejected("sign_in_refused", place="login", login=name)
        return await admit(self._office, self._source, identity)

    async def _known_as(self, login: str) -> bytes:
        user = next((one for one, name in (await self._known()).items() if name == login), None)
        if user is None:
            raise Rejected("sign_in_refused", place="login", login=login)
        return user

    async def run(self) -> None:
        """Looks at everyone's groups again and again; a directory that is away, or empty, changes nothing."""
        while True:
            try:
                await self.refresh()
            except FieldmeshError as error:
                LOG.warning("directory_not_read", extra={"code": error.code, "text": str(error)})
            await asyncio.sleep(self._refresh_s)

    async def refresh(self) -> int:
        """Everyone's posts are as their groups say; who is gone or blocked there has none left and is out.

        Returns:
            How many people have changed.

        Raises:
            Rejected: `directory_emptied`, most people would be gone at once.
            Retry: `directory_away`.
        """
        if self._directory is None:
            return 0
        known = await self._known()
        found = await self._directory.find_each(known.values())
        gone = [user for user, login in known.items() if found[login] is None]
        leaving = {user for user in gone if await self._holds_something(user)}
        here = len(known) - len(gone) + len(leaving)
        if len(leaving) > max(_FEW, here // 2):
            raise Rejected("directory_emptied", place="directory", count=len(leaving), known=here)
        changed = 0
        for user, login in known.items():
            identity = found[login]
            if identity is not None:
                changed += await self._follow(user, login, identity)
            elif user in leaving:
                await self._leave(user, login)
                changed += 1
        return changed

    async def _known(self) -> dict[bytes, str]:
        names = ("id", "login", "status")
        async with self._office.database.read() as connection:
            rows = await rows_where(connection, "app_user", names, "auth_kind", [DIRECTORY])
        return {
            row[0]: str(row[1]) for row in rows if isinstance(row[0], bytes) and row[2] == "active"
        }

    async def _holds_something(self, user: bytes) -> bool:
        """Whether there is something that somebody who is gone must not keep."""
        async with self._office.database.read() as connection:
            if await sessions_of(connection, user) or await tokens_of(connection, user):
                return True
            return not await is_settled(connection, user, ())

    async def _follow(self, user: bytes, login: str, identity: Identity) -> bool:
        """Whether the person has other posts now."""
        office, wanted = self._office, wanted_posts(identity.groups, self._source.posts)
        async with office.database.read() as connection:
            if await is_settled(connection, user, wanted):
                return False
        about: dict[str, object] = {"login": login, "posts": sorted(wanted)}
        async with head_office_write(
            office.database, office.clock, actor=_ACTOR, kind="groups_read", about=about, subjects=[user]
        ) as writer:  # fmt: skip
            about["came"], about["went"] = await settle_posts(writer, office.maker, user, wanted)
        return bool(about["came"] or about["went"])

    async def _leave(self, user: bytes, login: str) -> None:
        """Nothing that groups gave is left, and no door is open. Posts that people here gave stay."""
        office = self._office
        about: dict[str, object] = {"login": login}
        async with head_office_write(
            office.database, office.clock, actor=_ACTOR, kind="directory_left", about=about, subjects=[user]
        ) as writer:  # fmt: skip
            _, about["went"] = await settle_posts(writer, office.maker, user, ())
            about["sessions"] = await end_sessions_of(writer.connection, user)
            about["tokens"] = await drop_tokens_of(writer.connection, user)
