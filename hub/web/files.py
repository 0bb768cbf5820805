"""Files of `static/`: kept by browsers for ever, since their address changes with their content."""

import mimetypes
import re

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import N_
from hub.web.rendering import STATIC

_KNOWN = {path.name: path for path in sorted(STATIC.iterdir())}
_PATH = re.compile(r"/static/[0-9a-f]{12}/([^/]+)")


def is_file(path: str) -> bool:
    """Whether a file is served there."""
    found = _PATH.fullmatch(path)
    return found is not None and found[1] in _KNOWN


def routes() -> list[web.AbstractRouteDef]:
    """Where the files are served."""
    return [web.get("/static/{digest:[0-9a-f]{12}}/{name}", _file)]


async def _file(request: web.Request) -> web.StreamResponse:
    path = _KNOWN.get(request.match_info["name"])
    if path is None:
        raise Rejected("not_found", place="address", text=N_("there is no such file"))
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Type": kind}
    return web.FileResponse(path, headers=headers)
