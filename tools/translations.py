"""Texts for people: gathered from the code, merged into the catalogues, compiled.

    tools/translations.py            write fieldmesh.pot, merge into each fieldmesh.po, compile .mo
    tools/translations.py --check    say what is missing or stale, change nothing

Texts come from ``_("…")`` and ``ngettext("…", "…", n)``, and from the titles and remedies of the
table of problems.
"""

import datetime
import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from fieldmesh.basics.problems import PROBLEMS
from hub.desk.words import gathered

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "fieldmesh" / "service" / "locale"
PACKAGES = ("fieldmesh", "device_agent", "gateway", "hub", "deploy")
LANGUAGES = ("bg",)
METHODS = [("**/wire/**", "ignore"), ("**.py", "python"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {
    "_": None,
    "N_": None,
    "ngettext": (1, 2),
    "translate": None,
    "translate_plural": (1, 2),
}
SOME_DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
WORDS = "hub/desk/words.py"
PROBLEM_TABLE = "fieldmesh/basics/problems.py"


def gather() -> Catalog:
    """All texts of the code, in the order of their files."""
    catalog = Catalog(project="Fieldmesh", charset="utf-8", fuzzy=False)
    for package in PACKAGES:
        folder = ROOT / package
        if not folder.is_dir():
            continue
        found = extract_from_dir(folder, method_map=METHODS, keywords=KEYWORDS)
        for name, _line, message, _comments, _context in sorted(found, key=lambda row: row[:2]):
            catalog.add(message, locations=[(f"{package}/{name}", 0)])
    for problem in PROBLEMS.values():
        for text in (problem.title, problem.remedy):
            catalog.add(text, locations=[(PROBLEM_TABLE, 0)])
    for text in gathered():
        catalog.add(text, locations=[(WORDS, 0)])
    return catalog


def merged(language: str, template: Catalog) -> Catalog:
    """The language's catalogue with exactly the texts of the template."""
    path = LOCALE / language / "LC_MESSAGES" / "fieldmesh.po"
    catalog = Catalog(locale=language, project="Fieldmesh", charset="utf-8", fuzzy=False)
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=language)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """The catalogue as text; the same texts always make the same bytes."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=100, no_location=False, omit_header=True, sort_by_file=True,
             include_lineno=False, include_previous=False)  # fmt: skip
    head = (
        'msgid ""\nmsgstr ""\n"Project-Id-Version: Fieldmesh\\n"\n'
        '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
    )
    return head.encode() + buffer.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    """The catalogue compiled."""
    # Dates in the header would make other bytes of the same texts each time.
    catalog.creation_date = catalog.revision_date = SOME_DAY
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def untranslated(catalog: Catalog) -> list[str]:
    """The texts that have no translation yet."""
    return [str(message.id) for message in catalog if message.id and not _has(message.string)]


def _has(text: object) -> bool:
    return all(text) if isinstance(text, tuple | list) else bool(text)


def _holds(path: Path, data: bytes) -> bool:
    return path.exists() and path.read_bytes() == data


def main() -> int:
    """0 if the catalogues are complete and up to date."""
    checking = "--check" in sys.argv[1:]
    template = gather()
    problems = []
    for language in LANGUAGES:
        folder = LOCALE / language / "LC_MESSAGES"
        catalog = merged(language, template)
        missing = untranslated(catalog)
        if checking:
            wanted = {"fieldmesh.po": as_po(catalog), "fieldmesh.mo": as_mo(catalog)}
            if any(not _holds(folder / name, data) for name, data in wanted.items()):
                problems.append(f"{language}: the catalogue is stale; run make translations")
            problems += [f"{language}: not translated: {text}" for text in missing]
        else:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "fieldmesh.po").write_bytes(as_po(catalog))
            (folder / "fieldmesh.mo").write_bytes(as_mo(catalog))
            print(f"translations: {language}: {len(catalog)} texts, {len(missing)} missing")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
