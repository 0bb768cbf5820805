"""Tokens for programs: they act in a person's name, with some of the person's functions, until a day."""

import secrets
from collections.abc import Iterable

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import N_
from hub.desk.people import access_of
from hub.fleet.office import Office
from hub.fleet.subscriptions import today
from hub.rules.access import Access
from hub.rules.functions import FUNCTIONS
from hub.storage import api_tokens, journal
from hub.storage.api_tokens import ApiToken
from hub.trust.signin import token_hash

MAKE = "token.manage"
"""Who may make tokens."""
_PREFIX = "fmt_"
_TOKEN_BYTES = 32
_DAY_US = 86_400_000_000
MOST_DAYS = 366
_USED_EVERY_US = 60_000_000


async def make_token(
    office: Office, access: Access, *, name: str, functions: Iterable[str], days: int
) -> str:
    """A new token of the person. Returns it; it is kept nowhere.

    Raises:
        Rejected: `function_missing`, of `token.manage` or of a function that the person does not have; `form_wrong`.
    """
    access.need(MAKE)
    wanted = frozenset(functions)
    is_known = wanted <= FUNCTIONS.keys()
    for function in sorted(wanted & FUNCTIONS.keys()):
        access.need(function)
    if not name.strip() or not wanted or not is_known or not 1 <= days <= MOST_DAYS:
        raise Rejected(
            "form_wrong",
            place="token",
            count=1,
            text=N_("a name, at least one function, and 1 to 366 days are needed"),
        )
    secret, now = _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES), office.clock.now()
    token = ApiToken(
        office.maker.identifiers.new(), token_hash(secret), access.user_id, name.strip()[:80], wanted,
        now, now + days * _DAY_US, None,
    )  # fmt: skip
    async with office.database.write() as connection:
        await api_tokens.add_token(connection, token)
        about = {"name": token.name, "functions": sorted(wanted), "days": days}
        await journal.append(
            connection, at=now, kind="token_made", actor=access.login, payload=about
        )
    return secret


async def access_of_token(office: Office, secret: str) -> Access:
    """What a program with that token may do now.

    Raises:
        Rejected: `token_refused`.
    """
    now = office.clock.now()
    async with office.database.read() as connection:
        token = await api_tokens.token_of_hash(connection, token_hash(secret))
        if token is None or token.expires_at <= now:
            raise Rejected("token_refused", place="Authorization")
        access = await access_of(connection, token.user_id, today(office.clock))
    if access is None:
        raise Rejected("token_refused", place="Authorization")
    if now - (token.used_at or 0) > _USED_EVERY_US:
        async with office.database.write() as connection:
            await api_tokens.note_used(connection, token.token_id, now)
    return access.limited(token.functions)


async def tokens(office: Office, access: Access) -> list[ApiToken]:
    """The person's tokens."""
    async with office.database.read() as connection:
        return await api_tokens.tokens_of(connection, access.user_id)


async def drop_token(office: Office, access: Access, token_id: bytes) -> None:
    """The token holds no longer.

    Raises:
        Rejected: `not_found`.
    """
    async with office.database.write() as connection:
        if not await api_tokens.drop_token(connection, access.user_id, token_id):
            raise Rejected("not_found", place="token", text=N_("you have no such token"))
        await journal.append(
            connection, at=office.clock.now(), kind="token_dropped", actor=access.login,
            payload={"token": token_id.hex()},
        )  # fmt: skip
