"""What only the hub knows of how a person signs in: language, second factor, codes for a new password."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from hub.storage.rows import Connection
from hub.storage.system_tables import PASSWORD_CODE, PERSON, RECOVERY_CODE


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """One person.

    Attributes:
        language: that they have chosen; empty = none.
        must_change: whether they have to choose a new password first.
        factor: sealed secret of the second factor; empty = they have none.
        factor_step: time step of the code that was used last: none is taken twice.
        factor_since: UTC microseconds.
    """

    language: str = ""
    must_change: bool = False
    factor: str = ""
    factor_step: int = 0
    factor_since: int | None = None


_COLUMNS = tuple(PERSON.c[name] for name in PersonFacts.__dataclass_fields__)


async def person_facts(connection: Connection, user_id: bytes) -> PersonFacts:
    """What is known of the person."""
    row = (
        await connection.execute(sa.select(*_COLUMNS).where(PERSON.c.user_id == user_id))
    ).first()
    if row is None:
        return PersonFacts()
    return PersonFacts(str(row[0]), bool(row[1]), str(row[2]), int(row[3]), row[4])


async def keep_person_facts(connection: Connection, user_id: bytes, facts: PersonFacts) -> None:
    """This is what is known of the person."""
    values = {name: getattr(facts, name) for name in PersonFacts.__dataclass_fields__}
    values["must_change"] = int(facts.must_change)
    await connection.execute(sa.delete(PERSON).where(PERSON.c.user_id == user_id))
    await connection.execute(sa.insert(PERSON).values(user_id=user_id, **values))


async def take_factor_step(connection: Connection, user_id: bytes, step: int) -> bool:
    """The code of that time step is used up. Returns False when it, or a later one, was before."""
    mine = sa.and_(PERSON.c.user_id == user_id, PERSON.c.factor_step < step)
    done = await connection.execute(sa.update(PERSON).where(mine).values(factor_step=step))
    return done.rowcount == 1


async def set_recovery_codes(connection: Connection, user_id: bytes, hashes: Iterable[str]) -> None:
    """These codes, and no others, help the person in without their second factor, each once."""
    await connection.execute(sa.delete(RECOVERY_CODE).where(RECOVERY_CODE.c.user_id == user_id))
    lines = [{"code_hash": one, "user_id": user_id} for one in hashes]
    if lines:
        await connection.execute(sa.insert(RECOVERY_CODE), lines)


async def take_recovery_code(connection: Connection, user_id: bytes, code_hash: str) -> bool:
    """The code is used up. Returns False when there was none."""
    mine = sa.and_(RECOVERY_CODE.c.user_id == user_id, RECOVERY_CODE.c.code_hash == code_hash)
    return (await connection.execute(sa.delete(RECOVERY_CODE).where(mine))).rowcount == 1


async def recovery_codes_left(connection: Connection, user_id: bytes) -> int:
    """How many codes the person has left."""
    query = sa.select(sa.func.count()).where(RECOVERY_CODE.c.user_id == user_id)
    return int((await connection.execute(query)).scalar_one())


async def add_password_code(
    connection: Connection, user_id: bytes, code_hash: str, expires_at: int
) -> None:
    """With the code the person may choose a new password once; earlier codes hold no longer."""
    await connection.execute(sa.delete(PASSWORD_CODE).where(PASSWORD_CODE.c.user_id == user_id))
    values = {"code_hash": code_hash, "user_id": user_id, "expires_at": expires_at}
    await connection.execute(sa.insert(PASSWORD_CODE).values(**values))


async def person_of_password_code(connection: Connection, code_hash: str, now: int) -> bytes | None:
    """Whose code it is; None = it is nobody's, or has ended."""
    query = sa.select(PASSWORD_CODE.c.user_id, PASSWORD_CODE.c.expires_at)
    row = (await connection.execute(query.where(PASSWORD_CODE.c.code_hash == code_hash))).first()
    return bytes(row[0]) if row is not None and row[1] > now else None


async def forget_password_codes(connection: Connection, user_id: bytes) -> None:
    """No code of the person holds."""
    await connection.execute(sa.delete(PASSWORD_CODE).where(PASSWORD_CODE.c.user_id == user_id))


async def forget_all_password_codes(connection: Connection) -> None:
    """No code for a new password holds, whoever it was made for."""
    await connection.execute(sa.delete(PASSWORD_CODE))
