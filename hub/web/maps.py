"""A map as SVG without outside tiles: outlets, planned routes and where people have been, to scale."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from fieldmesh.service.translation import translate
from hub.desk.asking import id_text
from hub.storage.places import Point, Stop
from hub.web.showing import Showing

WIDTH, HEIGHT, MARGIN = 1_000.0, 640.0, 24.0
_DEGREE = 1_000_000
_COLOURS = 6
_KM_A_DEGREE = 111.32
_RULERS_KM = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


class _Frame:
    """Degrees → places on the paper: equirectangular about the middle, the same scale both ways."""

    def __init__(self, latitudes: Sequence[float], longitudes: Sequence[float]) -> None:
        self._south, north = min(latitudes), max(latitudes)
        self._west, east = min(longitudes), max(longitudes)
        self._narrow = math.cos(math.radians((self._south + north) / 2))
        wide = max((east - self._west) * self._narrow, 0.002)
        high = max(north - self._south, 0.002)
        self.scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high)
        self._left = (WIDTH - wide * self.scale) / 2
        self._bottom = (HEIGHT + high * self.scale) / 2

    def place(self, latitude: int, longitude: int) -> tuple[float, float]:
        """X and y of a place in scaled degrees."""
        x = self._left + (longitude / _DEGREE - self._west) * self._narrow * self.scale
        y = self._bottom - (latitude / _DEGREE - self._south) * self.scale
        return round(x, 1), round(y, 1)


def draw(
    points: Sequence[Point], stops: Sequence[Stop], names: Mapping[bytes, str], showing: Showing
) -> Markup | None:
    """The map; None when nobody's place is known."""
    if not points and not stops:
        return None
    every: list[Point | Stop] = [*points, *stops]
    frame = _Frame(
        [one.latitude / _DEGREE for one in every], [one.longitude / _DEGREE for one in every]
    )
    colour = {
        one: n % _COLOURS + 1 for n, one in enumerate(sorted({one.position_id for one in every}))
    }
    parts = [*_routes(stops, frame, colour), *_tracks(points, frame, colour, names, showing)]
    parts += [_stop(one, frame, colour) for one in stops]
    parts.append(_ruler(frame))
    title = escape(translate("Map", showing.language))
    return Markup(  # noqa: S704 - names and title are escaped, the rest are numbers
        f'<svg class="map" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="group" aria-label="{title}">'
        f"{''.join(parts)}</svg>"
    )


def _routes(stops: Sequence[Stop], frame: _Frame, colour: Mapping[bytes, int]) -> list[str]:
    lines: dict[bytes, list[str]] = defaultdict(list)
    for one in stops:
        x, y = frame.place(one.latitude, one.longitude)
        lines[one.position_id].append(f"{x},{y}")
    return [
        f'<polyline class="route c{colour[position]}" points="{" ".join(line)}"/>'
        for position, line in lines.items()
    ]


def _tracks(
    points: Sequence[Point],
    frame: _Frame,
    colour: Mapping[bytes, int],
    names: Mapping[bytes, str],
    showing: Showing,
) -> list[str]:
    lines: dict[bytes, list[Point]] = defaultdict(list)
    for one in points:
        lines[one.position_id].append(one)
    found = []
    for position, line in lines.items():
        places = [frame.place(one.latitude, one.longitude) for one in line]
        text = " ".join(f"{x},{y}" for x, y in places)
        found.append(f'<polyline class="track c{colour[position]}" points="{text}"/>')
        x, y = places[-1]
        moment = showing.moment(line[-1].at).strftime("%H:%M")
        name = escape(names.get(position, ""))
        found.append(
            f'<g class="person c{colour[position]}"><circle cx="{x}" cy="{y}" r="8"/>'
            f'<text x="{x + 11}" y="{y + 4}">{name} {moment}</text></g>'
        )
    return found


def _stop(one: Stop, frame: _Frame, colour: Mapping[bytes, int]) -> str:
    x, y = frame.place(one.latitude, one.longitude)
    state = "visited" if one.visited else "open"
    return (
        f'<a href="/outlets/{id_text(one.outlet_id)}"><circle class="stop {state} c{colour[one.position_id]}"'
        f' cx="{x}" cy="{y}" r="5"><title>{one.sequence + 1}. {escape(one.name)}</title></circle></a>'
    )


def _ruler(frame: _Frame) -> str:
    """A line of a round length in kilometres."""
    pixels_a_km = frame.scale / _KM_A_DEGREE
    length = next((km for km in _RULERS_KM if km * pixels_a_km > WIDTH / 10), _RULERS_KM[-1])
    end = MARGIN + length * pixels_a_km
    return (
        f'<g class="ruler"><path d="M{MARGIN} {HEIGHT - 12}H{round(end, 1)}"/>'
        f'<text x="{MARGIN}" y="{HEIGHT - 18}">{length:g} km</text></g>'
    )
