"""What a run has measured: medians by key, how far the samples lay apart, and what looks wrong."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

WIDE = 2.0
"""Samples of which the largest is so many times the smallest come from a machine that was busy."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest and largest of the samples, and how many there were."""

    least: float
    most: float
    samples: int


@dataclass(slots=True)
class Figures:
    """Figures by key, in the order in which they were measured."""

    values: dict[str, float] = field(default_factory=dict)
    spreads: dict[str, Spread] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubted: set[str] = field(default_factory=set)
    """Keys whose figure says nothing, because a limit was implausible."""

    def put(self, key: str, value: float) -> None:
        """One figure that is no median."""
        self.values[key] = value

    def put_peak(self, key: str, value: float) -> None:
        """The largest that any benchmark has seen."""
        self.values[key] = max(value, self.values.get(key, 0.0))

    def put_samples(self, key: str, samples: Sequence[float]) -> float:
        """The median of the samples stands under the key; returned too."""
        middle = statistics.median(samples)
        self.values[key] = middle
        self.spreads[key] = Spread(min(samples), max(samples), len(samples))
        if min(samples) > 0 and max(samples) > WIDE * min(samples):
            self.note(f"{key}: samples from {min(samples):.4g} to {max(samples):.4g}")
        return middle

    def note(self, text: str) -> None:
        """Something that the reader of the figures has to know."""
        self.notes.append(text)

    def expect(
        self, key: str, *, least: float, most: float, why: str, doubts: Sequence[str] = ()
    ) -> None:
        """A figure outside these bounds is called implausible, and those that follow from it are doubted."""
        value = self.values[key]
        if not least <= value <= most:
            self.note(f"{key} = {value:.4g} is implausible: {why}")
            self.doubted |= {key, *doubts}

    def write(self, path: Path) -> None:
        """A JSON object: the keys; under `spread`, `notes` and `doubted` what else is known."""
        path.parent.mkdir(parents=True, exist_ok=True)
        spread = {
            key: {"least": one.least, "most": one.most, "samples": one.samples}
            for key, one in self.spreads.items()
        }
        content: dict[str, object] = {**self.values, "spread": spread, "notes": self.notes}
        content["doubted"] = sorted(self.doubted)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def percentile(samples: Sequence[float], share: float) -> float:
    """The value that at least ``share`` of the samples do not exceed."""
    ranked = sorted(samples)
    place = -(-len(ranked) * round(share * 1000) // 1000) - 1
    return ranked[max(0, place)]
