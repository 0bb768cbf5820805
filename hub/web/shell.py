"""The frame around every page: navigation, person, messages; and the answers that pages give."""

import base64
import json
from typing import Any

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.basics.problems import problem_of
from hub.desk.view import Area
from hub.web.navigation import current_place, navigation
from hub.web.problems import told
from hub.web.rendering import render
from hub.web.visitor import (
    asks_by_itself,
    language_of,
    maybe_signed_in,
    maybe_visitor,
    showing_for,
)

_MESSAGE_COOKIE = "__Host-fieldmesh-message"
_THEME_COOKIE = "__Host-fieldmesh-theme"
_MOST_MESSAGE = 600
THEMES = ("auto", "light", "dark")


class Shell:
    """Answers pages of one company."""

    def __init__(self, company: str) -> None:
        """The company's name stands on every page."""
        self._company = company

    def page(
        self,
        request: web.Request,
        template: str,
        *,
        title: str,
        area: Area | None = None,
        status: int = 200,
        **values: Any,
    ) -> web.Response:
        """The page. ``title`` is a text in the visitor's language already."""
        visitor, language = maybe_visitor(request), language_of(request)
        signed_in = maybe_signed_in(request)
        theme = request.cookies.get(_THEME_COOKIE, "auto")
        sections = navigation(visitor.access) if visitor else []
        text = render(
            template, language,
            company=self._company, title=title, area=area, path=request.path,
            theme=theme if theme in THEMES else "auto",
            sections=sections, screen=current_place(sections, request.path),
            person=visitor.access.person if visitor else "",
            csrf=signed_in.session.csrf if signed_in else "",
            message=None if asks_by_itself(request) else _read_message(request), showing=showing_for(request),
            **values,
        )  # fmt: skip
        answer = web.Response(text=text, status=status, content_type="text/html")
        if _MESSAGE_COOKIE in request.cookies and not asks_by_itself(request):
            answer.del_cookie(_MESSAGE_COOKIE, path="/", secure=True)
        return answer

    def problem(
        self, request: web.Request, error: FieldmeshError, status: int | None = None
    ) -> web.Response:
        """The page of an error: what happened and what to do; ``status`` in place of the problem's own."""
        problem, language = problem_of(error), language_of(request)
        title = told(problem.title, error, language)
        remedy = told(problem.remedy, error, language)
        return self.page(
            request, "problem.html", title=title, status=status or problem.http_status,
            remedy=remedy, place=error.place, code=error.code,
        )  # fmt: skip


def see_other(address: str, message: str = "", *, tone: str = "good") -> web.Response:
    """After a form: the browser goes on to ``address``, where the message is shown once."""
    answer = web.Response(status=303, headers={"Location": address})
    if message:
        plain = json.dumps([tone, message[:_MOST_MESSAGE]]).encode()
        answer.set_cookie(
            _MESSAGE_COOKIE, base64.urlsafe_b64encode(plain).decode(), path="/",
            max_age=60, secure=True, httponly=True, samesite="Lax",
        )  # fmt: skip
    return answer


def set_theme(answer: web.Response, theme: str) -> None:
    """The browser remembers light, dark, or what its system says."""
    answer.set_cookie(
        _THEME_COOKIE, theme if theme in THEMES else "auto", path="/", max_age=365 * 86_400,
        secure=True, httponly=True, samesite="Lax",
    )  # fmt: skip


def wants_page(request: web.Request) -> bool:
    """Whether a browser asks, not a program."""
    return not request.path.startswith(("/api/", "/v1/")) and "text/html" in request.headers.get(
        "Accept", ""
    )


def _read_message(request: web.Request) -> tuple[str, str] | None:
    try:
        tone, text = json.loads(base64.urlsafe_b64decode(request.cookies[_MESSAGE_COOKIE]))
    except (KeyError, ValueError, TypeError):
        return None
    known = tone if tone in {"good", "bad", "busy"} else "good"
    return known, str(text)[:_MOST_MESSAGE]
