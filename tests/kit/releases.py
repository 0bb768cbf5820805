"""Another release beside this one: a copy of the tree whose schema has grown, with programs of its own."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.demo.processes import PROGRAMS

TREE = Path(__file__).resolve().parents[2]
PACKAGES = ("device_agent", "fieldmesh", "gateway", "hub")
TABLES = "fieldmesh/data/tables/partners.py"
GROWN = (
    ("fieldmesh/data/schema.py", "SCHEMA_VERSION = 1\n", "SCHEMA_VERSION = 2\n"),
    ("fieldmesh/basics/release.py", 'RELEASE = "', 'RELEASE = "next-'),
    (TABLES, '    flag("consent"),\n', '    flag("consent"),\n    NICKNAME,\n    since(2, flag("vip")),\n'),
    (TABLES, "CONTACT = replicated(", 'NICKNAME = since(2, text("nickname", 80))\nCONTACT = replicated('),
    (TABLES, "CONTRACT = replicated(", 'CARD = replicated(\n    "loyalty_card",\n    990,\n'
     "    Policy(_OUTLET, Audience.DEVICE, FIELD | {WriterRole.HUB}, Conflict.MERGE_COLUMNS),\n"
     '    link("outlet_id", "outlet", indexed=True),\n    code(),\n    since=2,\n)\nCONTRACT = replicated('),
    (TABLES, "    CONTACT,\n", "    CONTACT,\n    CARD,\n"),
    (TABLES, "    quantity,\n", "    quantity,\n    since,\n"),
    ("hub/exchange/csv_kinds.py", '    "contact": (', '    "loyalty_card": ("code",),\n    "contact": ('),
)  # fmt: skip
"""What the next release has more: a column that may be null, one that may not, and a table."""


def next_release(folder: Path) -> Path:
    """The folder of the next release's programs."""
    for package in PACKAGES:
        shutil.copytree(
            TREE / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file, before, after in GROWN:
        path = folder / file
        text = path.read_text("utf-8")
        assert text.count(before) == 1, (file, before, text.count(before))
        path.write_text(text.replace(before, after), encoding="utf-8")
    programs = folder / "bin"
    programs.mkdir()
    for name, package in (("hub", "hub"), ("gateway", "gateway"), ("device", "device_agent")):
        program = programs / f"fieldmesh-{name}"
        program.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(folder)!r})\n"
            f"from {package}.cli import main\nsys.exit(main())\n",
            encoding="utf-8",
        )
        program.chmod(0o755)
    return programs


@contextmanager
def programs_of(folder: Path) -> Iterator[None]:
    """What is asked and started in the block are the programs of that folder."""
    before = PROGRAMS.set(folder)
    try:
        yield
    finally:
        PROGRAMS.reset(before)
