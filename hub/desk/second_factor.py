"""The second factor: an app's code that changes each half minute, or a recovery code that is used once."""

import hashlib
import secrets
from dataclasses import dataclass, replace

from fieldmesh.basics.errors import Rejected
from hub.desk.guard import Caller, Guard, factor_name, forgive
from hub.desk.signin import USE, SignedIn, Step
from hub.fleet.office import Office
from hub.rules.access import Access
from hub.storage import journal, person_facts
from hub.storage.rows import Connection
from hub.storage.web_sessions import set_steps
from hub.trust import totp
from hub.trust.vault import Vault

RECOVERY_CODES = 10
_RECOVERY_BYTES = 5


@dataclass(frozen=True, slots=True)
class Offer:
    """A secret that somebody may take as their second factor.

    Attributes:
        text: for typing.
        address: for the picture.
        sealed: what comes back with the first code.
    """

    text: str
    address: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether somebody has a second factor, since when (UTC microseconds), and how many recovery codes are left."""

    since: int | None
    codes_left: int


class SecondFactor:
    """Second factors of the people of one hub."""

    def __init__(self, office: Office, guard: Guard) -> None:
        """Secrets are sealed by the hub's vault."""
        self._office = office
        self._guard = guard
        self._vault = Vault.load_or_create(office.home.trust)

    def offer(self, access: Access) -> Offer:
        """A new secret; nothing is kept before the person has shown that their app knows it."""
        secret = totp.new_secret()
        address = totp.address(secret, company=self._office.settings.company, login=access.login)
        sealed = self._vault.seal(secret, access.user_id)
        return Offer(totp.secret_text(secret), address, sealed)

    def offered(self, access: Access, sealed: str) -> Offer:
        """The same offer again, after a wrong code.

        Raises:
            Rejected: `seal_broken`.
        """
        secret = self._vault.open(sealed, access.user_id)
        address = totp.address(secret, company=self._office.settings.company, login=access.login)
        return Offer(totp.secret_text(secret), address, sealed)

    async def enrol(self, signed_in: SignedIn, sealed: str, code: str) -> list[str]:
        """The offered secret is the person's second factor. Returns recovery codes, which are shown once.

        Raises:
            Rejected: `factor_refused`, the code is not the secret's; `factor_held`, the old one must go first;
                `seal_broken`.
        """
        user, clock = signed_in.session.user_id, self._office.clock
        step = totp.matching_step(self._vault.open(sealed, user), code, clock.now())
        if step is None:
            raise Rejected("factor_refused", place="code")
        codes = [secrets.token_hex(_RECOVERY_BYTES) for _ in range(RECOVERY_CODES)]
        async with self._office.database.write() as connection:
            facts = await person_facts.person_facts(connection, user)
            if facts.factor:
                raise Rejected("factor_held", place="code")
            taken = replace(facts, factor=sealed, factor_step=step, factor_since=clock.now())
            await person_facts.keep_person_facts(connection, user, taken)
            await person_facts.set_recovery_codes(connection, user, map(_hash, codes))
            await self._done(connection, signed_in, Step.ENROL)
            await self._note(connection, signed_in, "second_factor_set")
        return codes

    async def check(self, signed_in: SignedIn, code: str) -> None:
        """The session has the second factor.

        Raises:
            Rejected: `factor_refused`.
            Retry: `sign_in_locked`.
        """
        await self._prove(signed_in, code)
        async with self._office.database.write() as connection:
            await self._done(connection, signed_in, Step.FACTOR)

    async def drop(self, signed_in: SignedIn, code: str) -> None:
        """The person has no second factor.

        Raises:
            Rejected: `factor_refused`; `factor_demanded`, the person's workplace asks for one.
            Retry: `sign_in_locked`.
        """
        if signed_in.access.demands(USE, "second_factor"):
            raise Rejected("factor_demanded", place="code")
        await self._prove(signed_in, code)
        async with self._office.database.write() as connection:
            await remove_factor(connection, signed_in.session.user_id)
            await self._note(connection, signed_in, "second_factor_removed")

    async def standing(self, access: Access) -> Standing:
        """Whether the person has one."""
        async with self._office.database.read() as connection:
            facts = await person_facts.person_facts(connection, access.user_id)
            left = await person_facts.recovery_codes_left(connection, access.user_id)
        return Standing(facts.factor_since if facts.factor else None, left)

    async def _prove(self, signed_in: SignedIn, code: str) -> None:
        """The code is the app's or a recovery code, and is used up.

        Looked at, taken and counted in one transaction: of many codes that come at once, no more are tried than of
        those that come one after the other.
        """
        user = signed_in.session.user_id
        names, caller = (factor_name(user),), Caller(signed_in.session.origin)
        # Whoever waits does not come in the way of what is written.
        await self._guard.refuse_waiting(names)
        async with self._office.database.write() as connection:
            await self._guard.refuse_waiting_in(connection, names)
            right = await self._take(connection, user, code.strip())
            if right:
                await forgive(connection, names)
            else:
                login = signed_in.access.login
                await self._guard.note_failure_in(connection, names, login, caller)
        if not right:
            raise Rejected("factor_refused", place="code")

    async def _take(self, connection: Connection, user: bytes, code: str) -> bool:
        facts = await person_facts.person_facts(connection, user)
        if not facts.factor:
            return False
        secret = self._vault.open(facts.factor, user)
        step = totp.matching_step(secret, code, self._office.clock.now())
        if step is not None:
            return await person_facts.take_factor_step(connection, user, step)
        plain = code.replace("-", "").replace(" ", "").lower()
        return await person_facts.take_recovery_code(connection, user, _hash(plain))

    async def _done(self, connection: Connection, signed_in: SignedIn, step: Step) -> None:
        left = tuple(one for one in signed_in.session.steps if one != step)
        await set_steps(connection, signed_in.session.session_id, left)

    async def _note(self, connection: Connection, signed_in: SignedIn, kind: str) -> None:
        user = signed_in.session.user_id
        await journal.append(
            connection, at=self._office.clock.now(), kind=kind, actor=signed_in.access.login,
            payload={"origin": signed_in.session.origin}, subjects=[user],
        )  # fmt: skip


async def remove_factor(connection: Connection, user: bytes) -> None:
    """The person has no second factor and no recovery codes."""
    facts = await person_facts.person_facts(connection, user)
    bare = replace(facts, factor="", factor_step=0, factor_since=None)
    await person_facts.keep_person_facts(connection, user, bare)
    await person_facts.set_recovery_codes(connection, user, ())


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
