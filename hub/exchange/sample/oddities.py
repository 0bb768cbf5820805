"""What was odd in real data, line by line; everything was loaded all the same."""

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing that a careful reader of the file would ask about."""

    file: str
    line: int
    kind: str
    what: str


@dataclass(slots=True)
class Oddities:
    """All of them, in the order in which they were met."""

    found: list[Oddity] = field(default_factory=list)

    def add(self, file: str, line: int, kind: str, what: str) -> None:
        """One more. Lines count from 1, the heading included."""
        self.found.append(Oddity(file, line, kind, what))

    def counts(self) -> Counter[str]:
        """How many of each kind."""
        return Counter(one.kind for one in self.found)

    def write(self, path: Path) -> None:
        """A CSV file: file, line, kind, what."""
        with path.open("w", newline="", encoding="utf-8") as target:
            writer = csv.writer(target)
            writer.writerow(("file", "line", "kind", "what"))
            writer.writerows((one.file, one.line, one.kind, one.what) for one in self.found)
