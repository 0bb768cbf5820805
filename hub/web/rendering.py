"""Templates become pages: one environment a language, autoescape, missing names are errors.

A page has a hundred texts that never change: each is translated and marked as safe once.
"""

import hashlib
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from fieldmesh.service.translation import translate, translate_plural

HERE = Path(__file__).parent
_KEPT = 4_096
TEMPLATES, STATIC = HERE / "templates", HERE / "static"


def render(template: str, language: str, **values: Any) -> str:
    """The template with these values, in the language."""
    return _environment(language).get_template(template).render(**values)


@cache
def _environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["_"] = partial(_text, language)
    made.globals["ngettext"] = partial(_texts, language)
    made.globals["static"] = static_address
    made.globals["language"] = language
    return made


def _text(language: str, message: str, **named: object) -> Markup:
    text = _known(language, message)
    return text % named if named else text


@lru_cache(maxsize=_KEPT)
def _known(language: str, message: str) -> Markup:
    """A text of a template or a title of a screen: no one's input."""
    return Markup(translate(message, language))  # noqa: S704 - the program's own text


def _texts(language: str, one: str, many: str, num: int, **named: object) -> Markup:
    text = Markup(translate_plural(one, many, num, language))  # noqa: S704 - the program's own text
    return text % {"num": num, **named}


@cache
def static_address(name: str) -> str:
    """The address of a file of `static/`; it changes with the file, so that browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{digest}/{name}"
