"""Lines of CSV files for people: RFC 4180, UTF-8 with a mark, so that spreadsheets read Cyrillic; no formulas."""

import csv
import io
from collections.abc import Sequence

MARK = b"\xef\xbb\xbf"
"""What a file begins with."""
_BEGIN = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""How formulas begin; some programs read the wide signs as the narrow ones."""
_FORMULAS = _BEGIN | {"\t", "\r", "\n"}


def safe(text: str) -> str:
    """What a spreadsheet would take for a formula is quoted, also behind spaces and in braces."""
    looks_so = text[:1] in _FORMULAS or text.lstrip(" \t\r\n{")[:1] in _BEGIN
    return f"'{text}" if looks_so else text


def line(values: Sequence[str]) -> bytes:
    """One line; values that are texts have to be `safe`."""
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue().encode()
