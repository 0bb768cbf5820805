"""Workbooks for people: a text is a text in them, never a formula and never a link, whatever it looks like."""

from pathlib import Path

import xlsxwriter

_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def new_workbook(path: Path) -> xlsxwriter.Workbook:
    """An empty workbook, written to the file when it is closed; its rows are not kept in memory.

    Names and remarks come from devices and files: one that begins with ``{=`` or ``external:`` would be worked out, or
    fetched, by whoever opens the workbook.
    """
    return xlsxwriter.Workbook(path, _OPTIONS)
