"""Administration: load CSV files, see settings and space."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.translation import translate
from hub.desk import administration
from hub.desk.hands import Hands
from hub.desk.view import Area
from hub.desk.words import table_title
from hub.web.pages.edits import said
from hub.web.shell import Shell
from hub.web.visitor import language_of, visitor_of

_MOST_NAME = 60
_SHOWN_PROBLEMS = 200


class AdministrationPages:
    """For branch IT and administrators."""

    def __init__(self, hands: Hands, shell: Shell) -> None:
        """Files are loaded into the office's database."""
        self._office = hands.office
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Import, settings."""
        return [
            web.get("/import", self.show_import),
            web.post("/import", self.load),
            web.get("/settings", self.settings),
        ]

    async def show_import(self, request: web.Request) -> web.Response:
        """The form, and what each kind of file holds."""
        visitor_of(request).access.need("data.import")
        return self._import_page(request)

    async def load(self, request: web.Request) -> web.Response:
        """The file is loaded, or everything that is wrong with it is told."""
        access = visitor_of(request).access
        form = await request.post()
        kind, upload = str(form.get("kind", "")), form.get("file")
        if not isinstance(upload, web.FileField):
            return self._import_page(request, kind, missing=True)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / _name(upload)
            await asyncio.to_thread(_store, upload, path)
            try:
                done = await administration.load_csv(self._office, access, kind, path)
            except FieldmeshError as error:
                if error.code in {"function_missing", "sign_in_needed"}:
                    raise
                return self._import_page(request, kind, error)
        return self._import_page(request, kind, done=done)

    async def settings(self, request: web.Request) -> web.Response:
        """Settings with their origin, and the space on the disk."""
        access, language = visitor_of(request).access, language_of(request)
        return self._shell.page(
            request, "settings.html", title=translate("Settings", language), area=Area.ADMINISTRATION,
            settings=await administration.settings(self._office, access),
            room=await administration.room(self._office, access),
        )  # fmt: skip

    def _import_page(
        self,
        request: web.Request,
        kind: str = "",
        error: FieldmeshError | None = None,
        *,
        done: administration.Loaded | None = None,
        missing: bool = False,
    ) -> web.Response:
        language = language_of(request)
        kinds = [
            (name, translate(table_title(name), language), ", ".join(needed), ", ".join(fields))
            for name, needed, fields in administration.kinds()
        ]
        refused = error is not None or missing or (done is not None and bool(done.problems))
        return self._shell.page(
            request, "import.html", title=translate("Load a CSV file", language), area=Area.ADMINISTRATION,
            kinds=kinds, kind=kind, done=done, missing=missing, shown=_SHOWN_PROBLEMS,
            problem=said(error, language) if error is not None else "", status=400 if refused else 200,
        )  # fmt: skip


def _name(upload: web.FileField) -> str:
    """What the file is called; a name that no folder takes is another one."""
    plain = "".join(one for one in Path(upload.filename).name if one.isprintable())[-_MOST_NAME:]
    return plain if plain.strip(".") else "file.csv"


def _store(upload: web.FileField, path: Path) -> None:
    with upload.file as content, path.open("wb") as file:
        shutil.copyfileobj(content, file)
