"""The description of the web services, from the views themselves. Source: OpenAPI 3.1."""

from typing import Any

from fieldmesh.basics.problems import PROBLEMS
from fieldmesh.basics.release import RELEASE
from fieldmesh.data.types import WireType
from hub.desk.operation import Kind, Operation
from hub.desk.operations.registry import OPERATIONS
from hub.desk.view import View
from hub.desk.views.registry import VIEWS
from hub.desk.words import column_title, table_title
from hub.storage.lists import MOST_ROWS
from hub.storage.search import is_searchable
from hub.web.api import reports
from hub.web.api.repeats import HEADER, MOST_KEY
from hub.web.api.values import schema
from hub.web.pages.lists import HIDDEN

Object = dict[str, Any]
_TEXT: Object = {"type": "string"}
_INPUTS: dict[Kind, Object] = {
    Kind.FLAG: {"type": "boolean"},
    Kind.DATE: {"type": "string", "format": "date"},
}
_ID: Object = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
_KEY: Object = {
    "name": HEADER,
    "in": "header",
    "schema": {"type": "string", "maxLength": MOST_KEY},
    "description": "Under a key the work is done once, and answered alike for a day; a code is shown only once.",
}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_REFUSED = "Refused"
_STATUSES = {
    "400": "The request can't be read, or a value can't be taken.",
    "401": "Nobody is signed in.",
    "403": "The function is missing.",
    "404": "There is no such record for the person.",
    "409": "The record, or the key, stands otherwise by now.",
    "413": "The body is too large.",
    "429": "Too much at once; see Retry-After.",
    "503": "The hub is busy, or still prepares; see Retry-After.",
}
_TAG: Object = {"ETag": {"description": "The version.", "schema": _TEXT}}
_IF_NONE_MATCH: Object = {"name": "If-None-Match", "in": "header", "schema": _TEXT}
_SAME: Object = {"304": {"description": "It is the version of If-None-Match.", "headers": _TAG}}
_FILES = ("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def document(company: str) -> Object:
    """The whole document."""
    paths: Object = {
        "/api/v1/me": {
            "get": _operation("Who asks, and what they may do", "me", _answer({"type": "object"}))
        },
        "/api/v1/openapi.json": {
            "get": {
                **_operation(
                    "This description", "describe", {**_answer({"type": "object"}), **_SAME}
                ),
                "parameters": [_IF_NONE_MATCH],
            }
        },
    }
    for view in VIEWS.values():
        paths[f"/api/v1/{view.name}"] = _collection(view)
        paths[f"/api/v1/{view.name}/export"] = _export(view)
        paths[f"/api/v1/{view.name}/{{id}}"] = _single(view)
    paths |= reports.described(_refusals())
    for one in OPERATIONS:
        middle = "/{id}" if one.of_record else ""
        paths[f"/api/v1/{one.view}{middle}/{one.name}"] = _act(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Fieldmesh at {company}", "version": RELEASE},
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-fieldmesh",
                    "description": "A browser's. Changes need the header X-Fieldmesh-Csrf with the word of its pages.",
                },
            },
            "responses": _described_refusals(),
            "schemas": {
                "Problem": {
                    "type": "object",
                    "required": ["type", "title", "status", "code"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "code": {"type": "string", "enum": sorted(PROBLEMS)},
                        "place": {"type": "string"},
                        "detail": {"type": "string"},
                        "remedy": {"type": "string"},
                    },
                },
                **{_name(view): _record_schema(view) for view in VIEWS.values()},
            },
        },
    }


def _collection(view: View) -> Object:
    rows = {
        "type": "object",
        "required": ["rows", "after", "total"],
        "properties": {
            "rows": {"type": "array", "items": {"type": "object"}},
            "after": {"type": ["string", "null"]},
            "total": {"type": "integer"},
        },
    }
    made: Object = {
        "get": {
            **_operation(view.title, f"list_{view.name}", _answer(rows)),
            "parameters": _parameters(view),
        }
    }
    if view.creatable:
        created = {"type": "object", "required": ["id", "version"]}
        operation = _operation(
            f"New: {table_title(view.table)}", f"create_{view.name}", _answer(created, "201")
        )
        operation["requestBody"] = _body(view, view.creatable)
        operation["parameters"] = [_KEY]
        made["post"] = operation
    return made


def _export(view: View) -> Object:
    """All rows that fit, as a file."""
    content = {one: {"schema": _TEXT} for one in _FILES}
    answers: Object = {"200": {"description": "The file.", "content": content}}
    kind = {"name": "format", "in": "query", "schema": {"type": "string", "enum": ["csv", "xlsx"]}}
    asked = [one for one in _parameters(view) if one["name"] not in {"limit", "after"}]
    operation = _operation(f"{view.title}, as a file", f"export_{view.name}", answers)
    return {"get": {**operation, "parameters": [kind, *asked]}}


def _single(view: View) -> Object:
    whole = {"$ref": f"#/components/schemas/{_name(view)}"}
    made: Object = {
        "parameters": [_ID],
        "get": {
            **_operation(
                table_title(view.table),
                f"get_{view.name}",
                {**_answer(whole, headers=_TAG), **_SAME},
            ),
            "parameters": [_IF_NONE_MATCH],
        },
    }
    if view.editable:
        changed = {"type": "object", "required": ["id", "version"]}
        operation = _operation(
            f"Change: {table_title(view.table)}",
            f"change_{view.name}",
            _answer(changed, headers=_TAG),
        )
        operation["requestBody"] = _body(view, view.editable)
        operation["parameters"] = [
            {
                "name": "If-Match",
                "in": "header",
                "schema": {"type": "string", "pattern": '^("?[0-9]+"?|\\*)$'},
            }
        ]
        made["patch"] = operation
    return made


def _act(one: Operation) -> Object:
    properties: dict[str, Object] = {
        field.name: dict(_INPUTS.get(field.kind, _TEXT)) for field in one.inputs
    }
    for field in one.inputs:
        if field.choices:
            properties[field.name]["enum"] = [value for value, _title in field.choices]
    content = {
        "type": "object",
        "properties": properties,
        "required": [
            field.name for field in one.inputs if field.required and field.kind is not Kind.FLAG
        ],
        "additionalProperties": False,
    }
    done = {"type": "object", "required": ["text", "facts"]}
    made: Object = {"post": _operation(one.title, f"{one.name}_{one.view}", _answer(done))}
    made["post"]["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": content}},
    }
    made["post"]["parameters"] = [_KEY]
    if one.of_record:
        made["parameters"] = [_ID]
    return made


def _operation(summary: str, name: str, answers: Object) -> Object:
    return {"operationId": name, "summary": summary, "responses": {**answers, **_refusals()}}


def _refusals() -> Object:
    """What every service may answer instead."""
    return {status: {"$ref": f"#/components/responses/{_REFUSED}{status}"} for status in _STATUSES}


def _described_refusals() -> Object:
    content = {"application/problem+json": {"schema": _PROBLEM}}
    return {
        f"{_REFUSED}{status}": {"description": text, "content": content}
        for status, text in _STATUSES.items()
    }


def _answer(content: Object, status: str = "200", headers: Object | None = None) -> Object:
    body = {"application/json": {"schema": content}}
    return {status: {"description": "Done.", "headers": headers or {}, "content": body}}


def _parameters(view: View) -> list[Object]:
    texts = {"type": "string"}
    found: list[Object] = [
        {
            "name": "limit",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
        },
        {
            "name": "after",
            "in": "query",
            "schema": texts,
            "description": "Cursor of the answer before.",
        },
    ]
    if is_searchable(view.table):
        found.append({"name": "q", "in": "query", "schema": {"type": "string", "maxLength": 200}})
    for one in view.filters:
        column = view.column(one.path)
        if column.kind.wire in {WireType.DATE, WireType.TIME}:
            day = {"type": "string", "format": "date"}
            found += [
                {"name": f"{one.path}.{end}", "in": "query", "schema": day}
                for end in ("from", "until")
            ]
        elif column.kind.wire is WireType.BOOLEAN:
            found.append(
                {"name": one.path, "in": "query", "schema": {"type": "string", "enum": ["0", "1"]}}
            )
        else:
            items = {**schema(column), "type": "string"}
            found.append(
                {"name": one.path, "in": "query", "schema": {"type": "array", "items": items}}
            )
    return found


def _body(view: View, names: tuple[str, ...]) -> Object:
    properties = {name: schema(view.schema.column(name)) for name in names}
    content = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"required": True, "content": {"application/json": {"schema": content}}}


def _record_schema(view: View) -> Object:
    columns = [column for column in view.schema.wire_columns if column.name not in HIDDEN]
    properties: Object = {
        column.name: {**schema(column), "title": column_title(column.name)} for column in columns
    }
    properties["version"] = {"type": "integer", "title": "LSN of the last change"}
    return {"type": "object", "required": ["id", "version"], "properties": properties}


def _name(view: View) -> str:
    return "".join(part.title() for part in view.table.split("_"))
