"""Templates become pages: one environment a language, autoescape, missing names are errors."""

import hashlib
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from fieldmesh.service.translation import translate, translate_plural

HERE = Path(__file__).parent
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
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=partial(_text, language), ngettext=partial(_texts, language), newstyle=True
    )
    made.globals["static"] = static_address
    made.globals["language"] = language
    return made


def _text(language: str, message: str) -> str:
    return translate(message, language)


def _texts(language: str, one: str, many: str, count: int) -> str:
    return translate_plural(one, many, count, language)


@cache
def static_address(name: str) -> str:
    """The address of a file of `static/`; it changes with the file, so that browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{digest}/{name}"
