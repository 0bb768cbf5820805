"""Charts as SVG, drawn at the server: bars and lines. Each says in words what it shows; its table stands beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, BAR, GAP, LEFT, RIGHT = 900, 22, 8, 210, 110
_HIGH, _FOOT, _TOP = 300, 34, 14
_COLOURS = 6
MOST_BARS, MOST_POINTS, _MOST_LABEL = 25, 400, 30


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one colour, with what it is called."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn: names of the places, the series, the values written out, title and description."""

    title: str
    about: str
    names: Sequence[str]
    series: Sequence[Series]
    shown: Sequence[Sequence[str]]


def _frame(drawing: Drawing, height: int, parts: Sequence[Markup], key: str) -> Markup:
    return Markup(
        '<figure><div class="scroller" tabindex="0" role="region" aria-label="{about}">'
        '<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-labelledby="{k}-t {k}-d">'
        '<title id="{k}-t">{title}</title><desc id="{k}-d">{about}</desc>{parts}</svg></div>{legend}</figure>'
    ).format(
        w=WIDTH, h=height, k=key, title=drawing.title, about=drawing.about,
        parts=Markup().join(parts), legend=_legend(drawing),
    )  # fmt: skip


def _legend(drawing: Drawing) -> Markup:
    if len(drawing.series) < 2:  # noqa: PLR2004 - one colour needs no legend
        return Markup()
    items = [
        Markup('<li><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><rect class="f{}" width="12"'
               ' height="12" rx="3"/></svg> {}</li>').format(_colour(n), one.name)
        for n, one in enumerate(drawing.series)
    ]  # fmt: skip
    return Markup('<figcaption><ul class="legend">{}</ul></figcaption>').format(
        Markup().join(items)
    )


def _colour(place: int) -> int:
    return place % _COLOURS + 1


def bars(drawing: Drawing, key: str = "chart") -> Markup:
    """A horizontal bar for each name; series lie under one another."""
    names = drawing.names[:MOST_BARS]
    lanes = max(1, len(drawing.series))
    thick = BAR if lanes == 1 else BAR * 2 // 3
    most = max(
        (abs(value) for one in drawing.series for value in one.values[:MOST_BARS] if value),
        default=1.0,
    )
    room, step = WIDTH - LEFT - RIGHT, thick * lanes + GAP
    parts = []
    for n, name in enumerate(names):
        y = GAP + n * step
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
                LEFT - 8, y + thick * lanes // 2 + 4, _short(name)
            )
        )
        for lane, one in enumerate(drawing.series):
            value = one.values[n]
            if value is None:
                continue
            long = max(1.0, round(abs(value) / most * room, 1))
            top = y + lane * thick
            parts.append(
                Markup('<rect class="f{}{}" x="{}" y="{}" width="{}" height="{}" rx="3"><title>{}: {}</title></rect>'
                       '<text x="{}" y="{}">{}</text>').format(
                    _colour(lane), " minus" if value < 0 else "", LEFT, top, long, thick - 2, name,
                    drawing.shown[lane][n], LEFT + long + 6, top + thick // 2 + 4, drawing.shown[lane][n],
                )
            )  # fmt: skip
    return _frame(drawing, GAP * 2 + len(names) * step, parts, key)


def lines(drawing: Drawing, key: str = "chart") -> Markup:
    """A line for each series over the names, which are stretches of time."""
    names = drawing.names[:MOST_POINTS]
    known = [
        value for one in drawing.series for value in one.values[:MOST_POINTS] if value is not None
    ]
    top, low = max([*known, 0.0]), min([*known, 0.0])
    scale = _round_up(top - low or 1.0)
    base = _TOP + _HIGH
    step = (WIDTH - 90 - 20) / max(1, len(names) - 1)
    parts = []
    for part in range(5):
        y = round(base - part * _HIGH / 4, 1)
        value = low + scale * part / 4
        parts.append(
            Markup(
                '<path class="grid" d="M90 {0}H{1}"/><text x="82" y="{2}" text-anchor="end">{3}</text>'
            ).format(y, WIDTH - 20, y + 4, _brief(value))
        )
    every = max(1, -(-len(names) // 12))
    for n, name in enumerate(names):
        if n % every == 0:
            parts.append(
                Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
                    round(90 + n * step, 1), base + 22, name
                )
            )
    for place, one in enumerate(drawing.series):
        points = [
            (round(90 + n * step, 1), round(base - (value - low) / scale * _HIGH, 1), n)
            for n, value in enumerate(one.values[:MOST_POINTS])
            if value is not None
        ]
        path = " ".join(f"{x},{y}" for x, y, _ in points)
        parts.append(Markup('<polyline class="l{}" points="{}"/>').format(_colour(place), path))
        parts += [
            Markup(
                '<circle class="f{}" cx="{}" cy="{}" r="4"><title>{}, {}: {}</title></circle>'
            ).format(_colour(place), x, y, one.name, names[n], drawing.shown[place][n])
            for x, y, n in points
        ]
    return _frame(drawing, _TOP + _HIGH + _FOOT, parts, key)


def _short(text: str) -> str:
    return text if len(text) <= _MOST_LABEL else f"{text[: _MOST_LABEL - 1]}…"


def _round_up(value: float) -> float:
    """The next 1, 2, 2.5 or 5 times a power of ten."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return next((power * one for one in (1, 2, 2.5, 5, 10) if power * one >= value), value)


def _brief(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
