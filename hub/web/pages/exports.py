"""Lists as CSV and XLSX files."""

import asyncio

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from hub.desk import exports
from hub.desk.asking import read_ask
from hub.desk.exports import Export
from hub.desk.views.registry import VIEWS, view_named
from hub.fleet.office import Office
from hub.web.visitor import language_of, visitor_of, zone_of

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PIECE = 64 * 1024


class ExportPages:
    """A file for each view, by its page or its web service."""

    def __init__(self, office: Office) -> None:
        """Rows come from the office's database."""
        self._office = office

    def routes(self) -> list[web.AbstractRouteDef]:
        """Two for each view."""
        found: list[web.AbstractRouteDef] = []
        for name in VIEWS:
            found += [
                web.get(f"/{name}/export", self.export),
                web.get(f"/api/v1/{name}/export", self.export),
            ]
        return found

    async def export(self, request: web.Request) -> web.StreamResponse:
        """The list as a file, narrowed as the address asks.

        Raises:
            Rejected: `function_missing`, `bad_filter`.
        """
        view, access = view_named(request.path.split("/")[-2]), visitor_of(request).access
        texts = {name: request.query.getall(name) for name in request.query if name != "format"}
        export = Export(view, read_ask(view, texts, zone_of(request)), language_of(request))
        match request.query.get("format", "csv"):
            case "csv":
                return await self._stream(request, export)
            case "xlsx":
                path = await exports.as_xlsx(self._office, access, export)
                try:
                    content = await asyncio.to_thread(path.read_bytes)
                finally:
                    await asyncio.to_thread(path.unlink)
                return web.Response(
                    body=content, content_type=_XLSX, headers=_named(f"{view.name}.xlsx")
                )
            case other:
                raise Rejected("bad_filter", place="format", text=other[:20])

    async def _stream(self, request: web.Request, export: Export) -> web.StreamResponse:
        pieces = exports.as_csv(self._office, visitor_of(request).access, export)
        held = bytearray(await anext(pieces))
        answer = web.StreamResponse(headers=_named(f"{export.view.name}.csv"))
        answer.content_type, answer.charset = "text/csv", "utf-8"
        await answer.prepare(request)
        async for piece in pieces:
            held += piece
            if len(held) >= _PIECE:
                await answer.write(bytes(held))
                held.clear()
        await answer.write(bytes(held))
        await answer.write_eof()
        return answer


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
