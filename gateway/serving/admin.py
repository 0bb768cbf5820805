"""The administrator's way into a running gateway: a unix socket, one JSON object a line each way.

Only the gateway's own user can open the socket. A request is ``{"command": …, "arguments": {…}}``;
an answer is ``{"result": {…}}`` or ``{"problem": {"code", "text", "retry_after_s"}}``.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    Handler = Callable[[dict[str, Any]], Awaitable[dict[str, object]]]

_MOST_LINE_BYTES: Final = 1024 * 1024
_ANSWER_S: Final = 600.0
_ACCESS: Final = 0o600


async def serve_admin(path: Path, handlers: Mapping[str, Handler]) -> asyncio.Server:
    """Commands are answered on the socket until the returned server is closed."""
    await asyncio.to_thread(path.unlink, missing_ok=True)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = await _answer(line, handlers)
                writer.write(json.dumps(answer).encode("utf-8") + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            return
        finally:
            writer.close()

    server = await asyncio.start_unix_server(talk, path, limit=_MOST_LINE_BYTES)
    await asyncio.to_thread(path.chmod, _ACCESS)
    return server


async def _answer(line: bytes, handlers: Mapping[str, Handler]) -> dict[str, object]:
    try:
        request = json.loads(line)
        handler = handlers[request["command"]]
        arguments = dict(request.get("arguments", {}))
    except (ValueError, KeyError, TypeError):
        return _problem(Rejected("bad_message", place="admin command"))
    try:
        return {"result": await handler(arguments)}
    except FieldmeshError as problem:
        return _problem(problem)


def _problem(problem: FieldmeshError) -> dict[str, object]:
    delay_s = problem.delay_s if isinstance(problem, Retry) else 0.0
    fields = {name: str(value) for name, value in problem.fields.items()}
    return {
        "problem": {
            "code": problem.code,
            "place": problem.place,
            "fields": fields,
            "retry_after_s": delay_s,
        }
    }


async def ask(path: Path, command: str, arguments: dict[str, object]) -> dict[str, Any]:
    """The running gateway's answer.

    Raises:
        Rejected: ``gateway_not_running``, or what the gateway refused.
        Retry: what the gateway asks to be tried again.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=_MOST_LINE_BYTES)
    except OSError as error:
        raise Rejected("gateway_not_running", place=str(path)) from error
    try:
        request = {"command": command, "arguments": arguments}
        writer.write(json.dumps(request).encode("utf-8") + b"\n")
        await writer.drain()
        async with asyncio.timeout(_ANSWER_S):
            line = await reader.readline()
    finally:
        writer.close()
    if not line:
        raise Rejected("gateway_not_running", place=str(path))
    answer = json.loads(line)
    if "problem" in answer:
        raise _to_error(answer["problem"])
    return dict(answer["result"])


def _to_error(problem: dict[str, Any]) -> FieldmeshError:
    fields = dict(problem["fields"])
    if problem["retry_after_s"]:
        return Retry(
            problem["code"],
            place=problem["place"],
            delay_s=float(problem["retry_after_s"]),
            **fields,
        )
    return Rejected(problem["code"], place=problem["place"], **fields)
