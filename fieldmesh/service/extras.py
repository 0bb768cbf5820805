"""Packages that come with an extra of their own, and are needed only where the settings speak of what they do."""

from collections.abc import Iterator
from contextlib import contextmanager

from fieldmesh.basics.errors import Rejected


@contextmanager
def extra_for(place: str, extra: str) -> Iterator[None]:
    """What is imported inside is there.

    Args:
        place: the settings that need it.
        extra: that it comes with.

    Raises:
        Rejected: `settings_invalid`, with what is missing and how it comes.
    """
    try:
        yield
    except ImportError as error:
        text = str(error)  # such as a library of the system that a package needs
        if isinstance(error, ModuleNotFoundError):
            text = f"the package {error.name} is missing: pip install 'fieldmesh[{extra}]'"
        raise Rejected("settings_invalid", place=place, text=text) from None
