"""A CSV file, opened and found whole: every byte, quote and heading is looked at before a line of it is loaded."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.limits import CSV_LINE_CHARACTERS
from fieldmesh.service.translation import _
from hub.exchange.csv_kinds import Field, Kind, did_you_mean

_MOST_COLUMNS = 200


class Lines(Protocol):
    """What `csv.reader` makes: lists of cells, and the number of the line that was read last."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]:
        """Itself."""

    def __next__(self) -> list[str]:
        """The cells of the next line."""


def check_file(kind: Kind, path: Path) -> None:
    """The whole file can be read as that kind; what its cells say is not looked at.

    Raises:
        Rejected: `file_unreadable`; `csv_invalid` with file, line and column.
    """
    _check_encoding(path)
    with opened(path) as file:
        lines = reader(file, path)
        began = 1
        try:
            headings: list[str] = next(lines, [])
            fields_of(kind, headings, path.name)
            began = lines.line_num + 1
            for _cells in lines:
                began = lines.line_num + 1
        except csv.Error as error:
            is_long = "field larger" in str(error)
            text = _("A quote is wrong: a cell with quotes in it stands in quotes, each doubled.")
            if is_long:
                text = _("A cell is too long.")
            place = _place_of_cell(path, began, lines.line_num, is_long=is_long)
            raise Rejected("csv_invalid", place=place, text=text) from None


def fields_of(kind: Kind, headings: list[str], file: str) -> list[Field | None]:
    """What each column of the file holds; None for one without a heading.

    Raises:
        Rejected: `csv_invalid` with file, line and column.
    """
    names = [heading.strip().lower() for heading in headings]
    if len(names) > _MOST_COLUMNS:
        raise Rejected("csv_invalid", place=f"{file}:1", text=_("Too many columns."))
    for name in names:
        if name and name not in kind.fields:
            known = ", ".join(kind.fields)
            text = _("{kind} has no column {name}; columns are {known}.")
            filled = text.format(kind=kind.name, name=name[:80], known=known)
            filled += did_you_mean(name, kind.fields)
            raise Rejected("csv_invalid", place=f"{file}:1:{name[:80]}", text=filled)
        if name and names.count(name) > 1:
            text = _("Column {name} stands there twice.").format(name=name)
            raise Rejected("csv_invalid", place=f"{file}:1:{name}", text=text)
    missing = [name for name in kind.needed if name not in names]
    if missing:
        text = _("Column {name} is missing.").format(name=missing[0])
        raise Rejected("csv_invalid", place=f"{file}:1:{missing[0]}", text=text)
    return [kind.fields.get(name) for name in names]


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """The file as text.

    Raises:
        Rejected: `file_unreadable`, `csv_invalid`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError:
        raise Rejected("file_unreadable", place=str(path)) from None
    except UnicodeDecodeError:
        raise Rejected("csv_invalid", place=path.name, text=_("The file is not UTF-8.")) from None


def reader(file: TextIO, path: Path) -> Lines:
    """The file's lines as cells.

    Raises:
        Rejected: `csv_invalid`.
    """
    first = file.readline(CSV_LINE_CHARACTERS + 1)
    if len(first) > CSV_LINE_CHARACTERS:
        raise Rejected("csv_invalid", place=f"{path.name}:1", text=_("The line is too long."))
    if not first.strip():
        raise Rejected("csv_invalid", place=f"{path.name}:1", text=_("The file is empty."))
    file.seek(0)
    csv.field_size_limit(CSV_LINE_CHARACTERS)
    return csv.reader(file, delimiter=_delimiter(first), strict=True)


def _delimiter(headings: str) -> str:
    return ";" if headings.count(";") > headings.count(",") else ","


def _check_encoding(path: Path) -> None:
    """Every byte is UTF-8.

    Raises:
        Rejected: `file_unreadable`, `csv_invalid`.
    """
    try:
        with path.open("rb") as file:
            headings = ""
            for number, raw in enumerate(iter(lambda: file.readline(CSV_LINE_CHARACTERS * 4), b"")):
                try:
                    headings = headings or raw.decode("utf-8-sig")
                    raw.decode("utf-8")
                except UnicodeDecodeError as error:
                    cell = _cell_at_end(raw[: error.start].decode("utf-8"), _delimiter(headings))
                    place = f"{path.name}:{number + 1}:{_heading(headings, cell)}"
                    text = _("The file is not UTF-8.")
                    raise Rejected("csv_invalid", place=place, text=text) from None
    except OSError:
        raise Rejected("file_unreadable", place=str(path)) from None


def _place_of_cell(path: Path, began: int, ended: int, *, is_long: bool) -> str:
    """file:line:column of the cell that is too long, or whose quotes are wrong, in a row of these lines."""
    with opened(path) as file:
        text, headings = "", ""
        for number, line in enumerate(file, 1):
            headings = headings or line
            if number >= began:
                text += line
            if number >= ended or len(text) > CSV_LINE_CHARACTERS:
                break
    delimiter = _delimiter(headings)
    good = text[:CSV_LINE_CHARACTERS] if is_long else _up_to_the_wrong_quote(text, delimiter)
    cell = _cell_at_end(good, delimiter)
    return f"{path.name}:{began}:{_heading(headings, cell)}"


def _up_to_the_wrong_quote(text: str, delimiter: str) -> str:
    """The text up to a quote that ends a cell too early, or to the quote that is never closed."""
    opening, place, ends = -1, 0, delimiter + "\r\n"
    while place < len(text):
        if text[place] == '"':
            if opening < 0:
                opening = place
            elif text[place + 1 : place + 2] == '"':
                place += 1
            elif text[place + 1 : place + 2] in ends:
                opening = -1
            else:
                return text[: opening + 1]
        place += 1
    return text[: opening + 1]


def _cell_at_end(text: str, delimiter: str) -> int:
    """Number of the cell in which the text ends, from 0."""
    quoted, cell = False, 0
    for letter in text:
        if letter == '"':
            quoted = not quoted
        elif letter == delimiter and not quoted:
            cell += 1
    return cell


def _heading(headings: str, cell: int) -> str:
    names = headings.lstrip("\ufeff").strip().split(_delimiter(headings))
    name = names[cell].strip().strip('"').lower() if cell < len(names) else ""
    return name or "-"
