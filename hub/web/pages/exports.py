"""Lists as CSV and XLSX files."""

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from hub.desk import exports
from hub.desk.asking import read_ask
from hub.desk.exports import Export
from hub.desk.views.registry import VIEWS, view_named
from hub.fleet.office import Office
from hub.web.downloads import of_file, sent
from hub.web.visitor import language_of, visitor_of, zone_of

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
        zone = zone_of(request)
        export = Export(view, read_ask(view, texts, zone), language_of(request), zone)
        match request.query.get("format", "csv"):
            case "csv":
                pieces = exports.as_csv(self._office, access, export)
                return await sent(request, pieces, f"{view.name}.csv", "text/csv")
            case "xlsx":
                path = await exports.as_xlsx(self._office, access, export)
                return await sent(request, of_file(path), f"{view.name}.xlsx", _XLSX)
            case other:
                raise Rejected("bad_filter", place="format", text=other[:20])
