"""Which batch it was that could not be applied, where a transaction decides on many."""

from fieldmesh.basics.errors import FieldmeshError, Quarantined

POISON = (
    FieldmeshError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
)
"""What a batch that nobody foresaw may raise while it is applied."""


class FailedBatchError(ValueError):
    """A batch raised what nobody foresaw; nothing of its transaction is left.

    Attributes:
        sha256: the batch's.
        problem: what it goes to quarantine with.
    """

    def __init__(self, sha256: bytes, error: Exception) -> None:
        """The batch of that hash raised ``error``."""
        super().__init__(f"{type(error).__name__}: {error}")
        self.sha256 = sha256
        self.problem = Quarantined("bad_batch", place="apply", text=str(self))
