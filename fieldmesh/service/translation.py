"""Texts for people: English in the code, other languages in ``locale/``.

The language of a program is set once, at its start, by its settings or the environment. What is done for somebody in
particular is said in their language: `in_language`.
"""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Final

DOMAIN: Final = "fieldmesh"
LOCALE_FOLDER: Final = Path(__file__).parent / "locale"
LANGUAGES: Final = ("en", "bg")


class _Chosen:
    language: str = "en"


_SPOKEN: ContextVar[str] = ContextVar("fieldmesh.language", default="")


def set_language(language: str) -> str:
    """Texts come in that language from now on, or in English if there is no catalogue for it.

    Args:
        language: ``bg``, ``en``, or what LANG holds (``bg_BG.UTF-8``).

    Returns:
        The language that is used.
    """
    short = language.replace("-", "_").partition(".")[0].partition("_")[0].lower()
    _Chosen.language = short if short in LANGUAGES else "en"
    return _Chosen.language


def language() -> str:
    """The language in use."""
    return _SPOKEN.get() or _Chosen.language


@contextmanager
def in_language(wanted: str) -> Iterator[None]:
    """What is done meanwhile is said in that language; nothing changes for tasks that are there already."""
    before = _SPOKEN.set(wanted)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def _(message: str) -> str:
    """The text in the language in use."""
    return translate(message, language())


def ngettext(one: str, many: str, count: int) -> str:
    """The text for ``count`` things in the language in use."""
    return _catalogue(language()).ngettext(one, many, count)


def N_(message: str) -> str:  # noqa: N802 - the usual name of the mark
    """The text itself: it is gathered here and translated where it is shown."""
    return message


def translate_plural(one: str, many: str, count: int, wanted: str) -> str:
    """The text for ``count`` things in the language ``wanted``."""
    return _catalogue(wanted).ngettext(one, many, count)


def translate(message: str, wanted: str) -> str:
    """The text in the language ``wanted``."""
    return _catalogue(wanted).gettext(message) if message else ""


@cache
def _catalogue(wanted: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE_FOLDER, languages=[wanted], fallback=True)
