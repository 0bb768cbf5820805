"""Files that are sent while they are made: nobody holds one whole in memory."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path

from aiohttp import web

_PIECE = 64 * 1024
_LINES = 500


async def sent(
    request: web.Request, pieces: AsyncGenerator[bytes, None], name: str, kind: str
) -> web.StreamResponse:
    """The pieces as a file of that name and media type.

    What goes wrong before the first piece is there is answered in words; later, the line is cut.
    """
    async with aclosing(pieces):
        held = bytearray(await anext(pieces, b""))
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        answer = web.StreamResponse(headers=headers)
        answer.content_type = kind
        if kind.startswith("text/"):
            answer.charset = "utf-8"
        await answer.prepare(request)
        async for piece in pieces:
            held += piece
            if len(held) >= _PIECE:
                await answer.write(bytes(held))
                held.clear()
        await answer.write(bytes(held))
        await answer.write_eof()
    return answer


async def in_threads(lines: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Lines that cost time to make, some hundred at once, made beside the event loop."""
    while piece := await asyncio.to_thread(lambda: b"".join(itertools.islice(lines, _LINES))):
        yield piece


async def of_file(path: Path) -> AsyncGenerator[bytes, None]:
    """The content of a temporary file, which is gone afterwards."""
    try:
        with await asyncio.to_thread(path.open, "rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece
    finally:
        await asyncio.to_thread(path.unlink)
