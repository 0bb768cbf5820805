"""Packages of the extra `directory`: needed only where the settings speak of a directory or a sign-on provider."""

from collections.abc import Iterator
from contextlib import contextmanager

from fieldmesh.basics.errors import Rejected


@contextmanager
def extra_for(place: str) -> Iterator[None]:
    """What is imported inside is there.

    Args:
        place: the settings that need it.

    Raises:
        Rejected: `settings_invalid`, with what is missing and how it comes.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        text = f"the package {error.name} is missing: pip install 'fieldmesh[directory]'"
        raise Rejected("settings_invalid", place=place, text=text) from None
