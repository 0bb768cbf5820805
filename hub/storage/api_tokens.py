"""Tokens of programs that ask in a person's name, and answers that are given again when a request is repeated."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from hub.storage.rows import Connection, pieces
from hub.storage.system_tables import API_TOKEN, IDEMPOTENCY


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One token; of its secret only the SHA-256 is kept. Times are UTC microseconds."""

    token_id: bytes
    token_hash: str
    user_id: bytes
    name: str
    functions: frozenset[str]
    created_at: int
    expires_at: int
    used_at: int | None


_DAY_US = 86_400_000_000
_COLUMNS = tuple(API_TOKEN.c[name] for name in ApiToken.__dataclass_fields__)


async def add_token(connection: Connection, token: ApiToken) -> None:
    """The token holds."""
    values = {name: getattr(token, name) for name in ApiToken.__dataclass_fields__}
    values["functions"] = " ".join(sorted(token.functions))
    await connection.execute(sa.insert(API_TOKEN).values(**values))


async def token_of_hash(connection: Connection, token_hash: str) -> ApiToken | None:
    """The token with that hash; None = there is none."""
    query = sa.select(*_COLUMNS).where(API_TOKEN.c.token_hash == token_hash)
    row = (await connection.execute(query)).first()
    return None if row is None else _token(tuple(row))


async def tokens_of(connection: Connection, user_id: bytes) -> list[ApiToken]:
    """A person's tokens, the newest first."""
    query = sa.select(*_COLUMNS).where(API_TOKEN.c.user_id == user_id)
    rows = (await connection.execute(query.order_by(API_TOKEN.c.created_at.desc()))).all()
    return [_token(tuple(row)) for row in rows]


async def drop_token(connection: Connection, user_id: bytes, token_id: bytes) -> bool:
    """The person's token holds no longer. Returns whether there was one."""
    mine = sa.and_(API_TOKEN.c.user_id == user_id, API_TOKEN.c.token_id == token_id)
    return (await connection.execute(sa.delete(API_TOKEN).where(mine))).rowcount > 0


async def drop_tokens_of(connection: Connection, user_id: bytes) -> int:
    """None of the person's tokens holds any longer. Returns how many there were."""
    mine = API_TOKEN.c.user_id == user_id
    return (await connection.execute(sa.delete(API_TOKEN).where(mine))).rowcount


async def token_ids(connection: Connection) -> frozenset[bytes]:
    """Every token that was not dropped."""
    return frozenset((await connection.execute(sa.select(API_TOKEN.c.token_id))).scalars())


async def drop_tokens(connection: Connection, token_ids: Iterable[bytes]) -> None:
    """These tokens hold no longer, whose ever they are."""
    for piece in pieces(token_ids):
        await connection.execute(sa.delete(API_TOKEN).where(API_TOKEN.c.token_id.in_(piece)))


async def note_used(connection: Connection, token_id: bytes, at: int) -> None:
    """The token was used."""
    mine = API_TOKEN.c.token_id == token_id
    await connection.execute(sa.update(API_TOKEN).where(mine).values(used_at=at))


async def answer_of(
    connection: Connection, user_id: bytes, key: str
) -> tuple[str, int, str] | None:
    """Hash of the request, status and answer under a person's key; None = it is new."""
    query = sa.select(IDEMPOTENCY.c.request_hash, IDEMPOTENCY.c.status, IDEMPOTENCY.c.answer)
    query = query.where(IDEMPOTENCY.c.user_id == user_id, IDEMPOTENCY.c.key == key)
    row = (await connection.execute(query)).first()
    return None if row is None else (str(row[0]), int(row[1]), str(row[2]))


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a request under a person's key was answered."""

    user_id: bytes
    key: str
    request_hash: str
    status: int
    answer: str


async def keep_answer(connection: Connection, kept: KeptAnswer, at: int) -> None:
    """The same request is answered so again. Answers older than a day are forgotten."""
    await connection.execute(sa.delete(IDEMPOTENCY).where(IDEMPOTENCY.c.at < at - _DAY_US))
    values = {name: getattr(kept, name) for name in KeptAnswer.__dataclass_fields__}
    await connection.execute(sa.insert(IDEMPOTENCY).values(**values, at=at))


async def change_answer(connection: Connection, user_id: bytes, key: str, answer: str) -> None:
    """What stands under a person's key is answered so from now on."""
    mine = (IDEMPOTENCY.c.user_id == user_id, IDEMPOTENCY.c.key == key)
    await connection.execute(sa.update(IDEMPOTENCY).where(*mine).values(answer=answer))


async def forget_answer(connection: Connection, user_id: bytes, key: str) -> None:
    """Nothing was asked under a person's key."""
    mine = (IDEMPOTENCY.c.user_id == user_id, IDEMPOTENCY.c.key == key)
    await connection.execute(sa.delete(IDEMPOTENCY).where(*mine))


def _token(row: tuple[object, ...]) -> ApiToken:
    named = dict(zip(ApiToken.__dataclass_fields__, row, strict=True))
    named["functions"] = frozenset(str(named["functions"]).split())
    return ApiToken(**named)  # type: ignore[arg-type]
