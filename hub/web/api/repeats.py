"""Requests that a program may repeat: under an Idempotency-Key the work is done once, and answered alike.

The key is kept in the transaction of the work; the answer of an act, which is known only afterwards, follows.
"""

import hashlib
import json
from dataclasses import dataclass

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from hub.fleet.office import Office
from hub.storage import api_tokens
from hub.storage.api_tokens import KeptAnswer
from hub.storage.rows import Connection

MOST_KEY = 80
HEADER = "Idempotency-Key"
Body = dict[str, object]
"""Of an answer, as JSON."""


class AnsweredError(Exception):
    """The request was answered already, with this body."""

    def __init__(self, body: Body) -> None:
        """The request is not done again."""
        super().__init__()
        self.body = body


@dataclass(frozen=True, slots=True)
class Repeat:
    """A person's key, and the hash of what is asked under it."""

    office: Office
    user_id: bytes
    key: str
    request_hash: str

    async def refuse_answered(self, connection: Connection) -> None:
        """Nothing was answered under the key yet.

        Raises:
            AnsweredError: something was, and the request is the same.
            Rejected: `key_used_otherwise`.
        """
        held = await api_tokens.answer_of(connection, self.user_id, self.key)
        if held is None:
            return
        if held[0] != self.request_hash:
            raise Rejected("key_used_otherwise", place=HEADER)
        raise AnsweredError(json.loads(held[2]))

    async def refuse_answered_before(self) -> None:
        """`refuse_answered`, before the work begins."""
        async with self.office.database.read() as connection:
            await self.refuse_answered(connection)

    async def keep(self, connection: Connection, status: int, body: Body) -> None:
        """The same request is answered so from now on."""
        answer = json.dumps(body)
        kept = KeptAnswer(self.user_id, self.key, self.request_hash, status, answer)
        await api_tokens.keep_answer(connection, kept, self.office.clock.now())

    async def answer(self, body: Body) -> None:
        """The work is done, and this is its answer: what was kept so far gives way to it."""
        async with self.office.database.write() as connection:
            await api_tokens.change_answer(connection, self.user_id, self.key, json.dumps(body))

    async def forget(self) -> None:
        """The work has failed: the request may be sent again."""
        async with self.office.database.write() as connection:
            await api_tokens.forget_answer(connection, self.user_id, self.key)


def repeat_of(
    office: Office, request: web.Request, user_id: bytes, texts: dict[str, str]
) -> Repeat | None:
    """The request's key; None when it has none.

    Raises:
        Rejected: `bad_message`, it is too long to be told from others.
    """
    key = request.headers.get(HEADER, "")
    if len(key) > MOST_KEY:
        raise Rejected("bad_message", place=HEADER)
    content = f"{request.path}\n{json.dumps(texts, sort_keys=True)}"
    asked = hashlib.sha256(content.encode()).hexdigest()
    return Repeat(office, user_id, key, asked) if key else None
