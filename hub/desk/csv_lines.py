"""Lines of CSV files for people: RFC 4180, UTF-8 with a mark, so that spreadsheets read Cyrillic; no formulas."""

import csv
import io
from collections.abc import Sequence

MARK = b"\xef\xbb\xbf"
"""What a file begins with."""
_FORMULAS = frozenset({"=", "+", "-", "@", "\t", "\r"})


def safe(text: str) -> str:
    """What a spreadsheet would take for a formula is quoted."""
    return f"'{text}" if text[:1] in _FORMULAS else text


def line(values: Sequence[str]) -> bytes:
    """One line; values that are texts have to be `safe`."""
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue().encode()
