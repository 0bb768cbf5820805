"""The one tree of errors.

FieldmeshError        a code of `problems`, a place, and fields for the message
├── Rejected          the sender's fault: the same bytes will be refused again
├── Retry             ours or the line's: try again after delay_s
├── Fenced            an older epoch, a restored image, a clone or a revoked node
├── Quarantined       kept with its bytes and its reason for a person to look at
└── Defect            a bug in this program; nobody catches it
"""
# ruff: noqa: N818 - the tree's names are the product's words

from typing_extensions import override

from fieldmesh.basics.problems import describe


class FieldmeshError(Exception):
    """Something went wrong that a person or another node must be told about.

    Attributes:
        code: stable code of the problem, a key of `problems.PROBLEMS`.
        place: where: file and line, element, field; empty when there is none.
        fields: values for the message.
    """

    def __init__(self, code: str, /, *, place: str = "", **fields: object) -> None:
        """The problem ``code`` happened at ``place``."""
        self.code = code
        self.place = place
        self.fields = fields
        super().__init__(code)

    @override
    def __str__(self) -> str:
        """English text with title, place and remedy."""
        return describe(self)


class Rejected(FieldmeshError):
    """The sender's fault: the same bytes will be refused again."""


class Retry(FieldmeshError):
    """Ours or the line's fault: the same thing may go through after ``delay_s`` seconds."""

    def __init__(
        self, code: str, /, *, place: str = "", delay_s: float = 0.0, **fields: object
    ) -> None:
        """The problem ``code`` happened; worth trying again after ``delay_s`` seconds."""
        super().__init__(code, place=place, **fields)
        self.delay_s = delay_s


class Fenced(FieldmeshError):
    """An older epoch, a restored image, a clone or a revoked node."""


class Quarantined(FieldmeshError):
    """Kept with its bytes and its reason for a person to look at."""


class Defect(FieldmeshError):
    """A bug in this program; nobody catches it."""
