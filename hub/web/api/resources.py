"""Every view as a resource: list, record, new record, change; with paging, filters, ETags and Idempotency-Keys."""

import hashlib
import json

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.model import ReplicatedColumn
from hub.desk import changes, lists
from hub.desk.asking import id_text, plain_number, read_ask, write_cursor
from hub.desk.lists import Record
from hub.desk.view import View
from hub.desk.views.registry import VIEWS, view_named
from hub.fleet.office import Office
from hub.storage.rows import Connection
from hub.web.api.openapi import document
from hub.web.api.repeats import AnsweredError, Body, repeat_of
from hub.web.api.values import Json, as_texts, form_of, named, read_json, refuse_unknown
from hub.web.pages.labels import row_id_of
from hub.web.pages.lists import HIDDEN
from hub.web.visitor import visitor_of, zone_of

ROOT = "/api/v1"
_ID = "{id:[0-9a-fA-F-]{32,36}}"
_CREATED = 201


class Resources:
    """The web services of all views."""

    def __init__(self, office: Office) -> None:
        """They read and change the office's database."""
        self._office = office
        self._document = json.dumps(document(office.settings.company)).encode()
        self._document_tag = f'"{hashlib.sha256(self._document).hexdigest()[:16]}"'

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where they are."""
        found: list[web.AbstractRouteDef] = [
            web.get(f"{ROOT}/openapi.json", self.describe),
            web.get(f"{ROOT}/me", self.me),
        ]
        for view in VIEWS.values():
            base = f"{ROOT}/{view.name}"
            found += [web.get(base, self.list_rows), web.get(f"{base}/{_ID}", self.one_row)]
            if view.creatable:
                found.append(web.post(base, self.create))
            if view.editable:
                found.append(web.patch(f"{base}/{_ID}", self.change))
        return found

    async def describe(self, request: web.Request) -> web.Response:
        """The OpenAPI document; its ETag tells whether it is the one that a program has."""
        headers = {"ETag": self._document_tag}
        if request.headers.get("If-None-Match") == self._document_tag:
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=self._document, headers=headers, content_type="application/json", charset="utf-8"
        )

    async def me(self, request: web.Request) -> web.Response:
        """Who asks, and what they may do."""
        access = visitor_of(request).access
        functions = sorted(
            {code for post in access.posts for code in post.functions if access.may(code)}
        )
        return web.json_response(
            {
                "id": id_text(access.user_id),
                "login": access.login,
                "person": access.person,
                "functions": functions,
            }
        )

    async def list_rows(self, request: web.Request) -> web.Response:
        """A page of rows."""
        view, access = _view(request), visitor_of(request).access
        texts = {name: request.query.getall(name) for name in request.query}
        ask = read_ask(view, texts, zone_of(request))
        found = await lists.listed(self._office, access, view, ask)
        forms = [form_of(view.column(path)) for path in found.paths]
        rows: list[dict[str, Json]] = []
        for row in found.rows:
            shown = [form(value) for form, value in zip(forms, row[1:], strict=True)]
            rows.append({"id": id_text(row[0]), **dict(zip(found.paths, shown, strict=True))})
        after = write_cursor(found.after) if found.after else None
        return web.json_response({"rows": rows, "after": after, "total": found.total})

    async def one_row(self, request: web.Request) -> web.Response:
        """One row with all its columns; its ETag is its version."""
        view = _view(request)
        found = await self._record(request, view)
        headers = {"ETag": _etag(found.lsn)}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        return web.json_response(_whole(view, found), headers=headers)

    async def create(self, request: web.Request) -> web.Response:
        """A new row; the same Idempotency-Key gives the same answer again."""
        view, access = _view(request), visitor_of(request).access
        texts = as_texts(await read_json(request))
        refuse_unknown(view.name, texts, view.creatable)
        repeat = repeat_of(self._office, request, access.user_id, texts)

        async def refuse_twice(connection: Connection) -> None:
            """Of requests that come at once, those after the first find its answer here."""
            if repeat is not None:
                await repeat.refuse_answered(connection)

        async def keep(connection: Connection, done: changes.Changed) -> None:
            if repeat is not None:
                await repeat.keep(connection, _CREATED, _named(done))

        try:
            if repeat is not None:
                await repeat.refuse_answered_before()
            done = await changes.create_record(
                self._office, access, view, texts, first=refuse_twice, then=keep
            )
            held = _named(done)
        except AnsweredError as answered:
            held = answered.body
        headers = {"Location": f"{ROOT}/{view.name}/{held['id']}"}
        return web.json_response(held, status=_CREATED, headers=headers)

    async def change(self, request: web.Request) -> web.Response:
        """The row is changed, if it still is the version of If-Match."""
        view, access = _view(request), visitor_of(request).access
        texts = as_texts(await read_json(request))
        refuse_unknown(view.name, texts, view.editable)
        row_id = row_id_of(request.match_info["id"])
        version = _version(request.headers.get("If-Match", ""))
        done = await changes.change_record(
            self._office, access, view, row_id, texts, only=texts, if_lsn=version
        )
        body = {"id": id_text(row_id), "version": done.lsn}
        return web.json_response(body, headers={"ETag": _etag(done.lsn)})

    async def _record(self, request: web.Request, view: View) -> Record:
        row_id = row_id_of(request.match_info["id"])
        return await lists.opened(self._office, visitor_of(request).access, view, row_id)


def _named(done: changes.Changed) -> Body:
    return {"id": id_text(done.row_id), "version": done.lsn}


def _view(request: web.Request) -> View:
    return view_named(request.path.removeprefix(f"{ROOT}/").split("/")[0])


def _whole(view: View, found: Record) -> dict[str, Json]:
    columns: dict[str, ReplicatedColumn] = {
        column.name: column for column in view.schema.wire_columns if column.name not in HIDDEN
    }
    own = {name: value for name, value in found.values.items() if "." not in name}
    return {"id": id_text(found.row_id), "version": found.lsn, **named(columns, own)}


def _etag(lsn: int) -> str:
    return f'"{lsn}"'


def _version(text: str) -> int | None:
    plain = text.strip().strip('"')
    if not plain or plain == "*":
        return None
    version = plain_number(plain)
    if version is None:
        raise Rejected("bad_message", place="If-Match")
    return version
