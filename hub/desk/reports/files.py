"""Tables of reports as CSV, XLSX and Parquet files. Numbers are numbers in them, exact to what the page shows."""

import tempfile
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from fieldmesh.service.translation import translate
from hub.analysis.model.kinds import Unit
from hub.desk.csv_lines import MARK, line, safe
from hub.desk.reports.tables import Table
from hub.desk.workbooks import new_workbook
from hub.storage.columnar.parquet import write_parquet

DIGITS = {
    Unit.COUNT: 0, Unit.MONEY: 2, Unit.QUANTITY: 3, Unit.PERCENT: 1, Unit.DECIMAL: 2, Unit.MINUTES: 1,
    Unit.DAYS: 1, Unit.BYTES: 0, Unit.CLOCK: 0,
}  # fmt: skip
"""Digits after the point of each unit."""


class Format(StrEnum):
    """Kinds of files."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


KINDS = {
    Format.CSV: "text/csv",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
}
"""Media types."""


def rounded(value: Fraction, unit: Unit) -> Decimal:
    """The figure with the digits of its unit, halves away from zero."""
    places = DIGITS[unit]
    whole = Decimal((abs(value) * 10**places).numerator) / Decimal(
        (abs(value) * 10**places).denominator
    )
    size = whole.quantize(Decimal(1), ROUND_HALF_UP).scaleb(-places)
    return size if value >= 0 else -size


def clock(minutes: Fraction) -> str:
    """A time of day: 08:30."""
    hours, rest = divmod(int(rounded(minutes, Unit.CLOCK)), 60)
    return f"{hours % 24:02d}:{rest:02d}"


def figure_text(value: Fraction, unit: Unit) -> str:
    """The figure for a file or a program: all its digits, a point before the cents; a time of day as 08:30."""
    return clock(value) if unit is Unit.CLOCK else str(rounded(value, unit))


def _texts(table: Table) -> Iterator[list[str]]:
    wide = len(table.headings) - len(table.total) if table.total else 0
    units = [one.unit for one in table.headings if one.unit is not None]
    for row in table.rows:
        yield [*row.names, *_numbers(row.figures, units)]
    if wide and len(table.rows) > 1:
        yield [*["Σ"] * wide, *_numbers(table.total, units)]


def _numbers(figures: tuple[Fraction | None, ...], units: list[Unit]) -> list[str]:
    return [
        "" if value is None else figure_text(value, unit)
        for value, unit in zip(figures, units, strict=True)
    ]


def as_csv(table: Table) -> Iterator[bytes]:
    """The table as CSV (RFC 4180, UTF-8 with a mark), in pieces; the last line is the total."""
    yield MARK + line([safe(one.title) for one in table.headings])
    names = sum(1 for one in table.headings if one.unit is None)
    for texts in _texts(table):
        yield line([*map(safe, texts[:names]), *texts[names:]])


def written(table: Table, kind: Format, title: str, about: str, language: str) -> Path:
    """The table as a workbook or Parquet file in a temporary file, which the caller removes."""
    return as_parquet(table) if kind is Format.PARQUET else as_xlsx(table, title, about, language)


def as_xlsx(table: Table, title: str, about: str, language: str) -> Path:
    """The table as a workbook in a temporary file, which the caller removes; ``about`` says days and moment."""
    path = _temporary(Format.XLSX)
    book = new_workbook(path)
    sheet = book.add_worksheet(translate("Report", language)[:31])
    bold = book.add_format({"bold": True, "text_wrap": True})
    formats = {
        unit: book.add_format({"num_format": "#,##0" + ("." + "0" * digits if digits else "")})
        for unit, digits in DIGITS.items()
    }
    sheet.write_string(0, 0, title, book.add_format({"bold": True, "font_size": 14}))
    sheet.write_string(1, 0, about)
    sheet.write_row(3, 0, [one.title for one in table.headings], bold)
    sheet.freeze_panes(4, 0)
    sheet.set_column(0, len(table.headings), 16)
    for number, texts in enumerate(_texts(table), 4):
        for place, (text, heading) in enumerate(zip(texts, table.headings, strict=True)):
            if heading.unit is None or heading.unit is Unit.CLOCK:
                sheet.write_string(number, place, text)
            elif text:
                sheet.write_number(number, place, Decimal(text), formats[heading.unit])
    book.close()
    return path


def as_parquet(table: Table) -> Path:
    """The table as a Parquet file in a temporary file, which the caller removes; without the total."""
    path = _temporary(Format.PARQUET)
    units = [one.unit for one in table.headings if one.unit is not None]
    seen: dict[str, int] = {}
    columns = []
    for one in table.headings:
        seen[one.title] = seen.get(one.title, 0) + 1
        name = one.title if seen[one.title] == 1 else f"{one.title} {seen[one.title]}"
        digits = None if one.unit is None or one.unit is Unit.CLOCK else DIGITS[one.unit]
        columns.append((name, digits))
    write_parquet(
        path, columns, ([*row.names, *_numbers(row.figures, units)] for row in table.rows)
    )
    return path


def _temporary(kind: Format) -> Path:
    with tempfile.NamedTemporaryFile(suffix=f".{kind}", delete=False) as file:
        return Path(file.name)
