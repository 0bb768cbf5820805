"""Answers in words, or as one JSON object."""

from __future__ import annotations

import json
import sys
from typing import Any

from fieldmesh.service.translation import _


def show(command: str, answer: dict[str, Any], *, as_json: bool) -> None:
    """The answer stands on standard output."""
    if as_json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        return
    if command == "verify":
        words = _("Equal with the hub.") if answer["equal"] else _("Differs from the hub.")
        sys.stdout.write(f"{words}\n")
    for name, value in answer.items():
        _show_value(name, value)


def _show_value(name: str, value: Any) -> None:
    if isinstance(value, list):
        _show_table(name, value)
    elif isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
        _show_table(name, [{"name": key, **facts} for key, facts in value.items()])
    elif isinstance(value, dict):
        inside = ", ".join(f"{key} {item}" for key, item in value.items())
        sys.stdout.write(f"{name}: {inside or '-'}\n")
    else:
        sys.stdout.write(f"{name}: {value}\n")


def _show_table(name: str, rows: list[Any]) -> None:
    sys.stdout.write(f"{name}: {len(rows)}\n")
    if not rows or not isinstance(rows[0], dict):
        return
    heads = list(rows[0])
    lines = [[str(row.get(head, "")) for head in heads] for row in rows]
    widths = [
        max(len(head), *(len(line[place]) for line in lines)) for place, head in enumerate(heads)
    ]
    for line in [heads, *lines]:
        text = "  ".join(item.ljust(width) for item, width in zip(line, widths, strict=True))
        sys.stdout.write(f"  {text.rstrip()}\n")
