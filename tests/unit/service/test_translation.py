"""Texts come in the language that was asked for, or in English."""

from collections.abc import Iterator

import pytest

from fieldmesh.basics.problems import PROBLEMS
from fieldmesh.service import translation


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    yield
    translation.set_language("en")


@pytest.mark.parametrize(
    ("given", "used"),
    [("bg", "bg"), ("bg_BG.UTF-8", "bg"), ("en_US", "en"), ("C", "en"), ("", "en"), ("xx", "en")],
)
def test_the_language_follows_what_is_given(given: str, used: str) -> None:
    """A language without a catalogue must not end a program."""
    assert translation.set_language(given) == used
    assert translation.language() == used


def test_every_problem_speaks_bulgarian() -> None:
    """A refusal in a language that the person can't read is no answer."""
    silent = [
        code
        for code, problem in PROBLEMS.items()
        for text in (problem.title, problem.remedy)
        if any(letter.isalpha() for letter in text.replace("{text}", ""))
        and translation.translate(text, "bg") == text
    ]
    assert silent == []
