"""Errors as application/problem+json. Source: RFC 9457."""

import json
import math
from functools import partial

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError, Retry
from fieldmesh.basics.problems import fill, problem_of
from fieldmesh.service.translation import translate

_KIND = "application/problem+json"


def told(text: str, error: FieldmeshError, language: str) -> str:
    """A problem's title or remedy with what stands in it, all of it in the language."""
    return fill(translate(text, language), error, partial(translate, wanted=language))


def problem_response(
    error: FieldmeshError, language: str = "en", status: int | None = None
) -> web.Response:
    """The answer for an error: what happened and what to do, in the language asked for.

    Args:
        error: what happened.
        language: of the words.
        status: in place of the problem's own.
    """
    problem = problem_of(error)
    status = status or problem.http_status
    body = {
        "type": f"urn:fieldmesh:problem:{error.code}",
        "title": told(problem.title, error, language),
        "status": status,
        "code": error.code,
        "place": error.place,
        "detail": told(problem.title, error, language),
        "remedy": told(problem.remedy, error, language),
        "fields": {name: str(value) for name, value in error.fields.items()},
    }
    if isinstance(error, Retry):
        body["retry_after_s"] = error.delay_s
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(text=text, status=status, content_type=_KIND, headers=retry_after(error))


def retry_after(error: FieldmeshError) -> dict[str, str]:
    """The header that says when it is worth trying again, if ever."""
    if not isinstance(error, Retry):
        return {}
    return {"Retry-After": str(max(1, math.ceil(error.delay_s)))}
