"""Draws false alarms and detection over the number of requests, as SVG without a library."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise
from math import ceil
from pathlib import Path
from typing import Any

from bench.deployment.page import name_traffic

Rows = Sequence[Mapping[str, Any]]
_INK, _QUIET, _GRID = "#1D2939", "#667085", "#EAECF0"
_PALETTE = ("#1570EF", "#B42318", "#E69F00", "#027A48", "#6941C6", "#475467", "#0E9384", "#C11574")
_WIDTH, _HEIGHT = 980, 340
_LEFT, _TOP, _RIGHT, _BOTTOM = 56, 44, 460, 44
_LINE = 17
_DASHES = ("", "7 5", "2 4")


@dataclass(frozen=True)
class Curve:
    """A named line through points of requests and shares.

    Attributes:
        colour: place in the palette.
        dash: place in the kinds of dashes, so that one that lies on another leaves it to be seen.
    """

    name: str
    points: Sequence[tuple[int, float]]
    colour: int
    dash: int


@dataclass(frozen=True)
class Chart:
    """Curves over the number of requests.

    Attributes:
        top: the largest share that is drawn.
        bounds: shares that are aimed at, by what they are.
    """

    title: str
    curves: Sequence[Curve]
    top: float
    bounds: Mapping[str, float]

    def draw(self) -> str:
        """The picture as SVG."""
        parts = [*self._draw_frame(), *self._draw_bounds()]
        for place, curve in enumerate(self.curves):
            parts += self._draw_curve(curve, place)
        body = "\n".join(parts)
        height = max(_HEIGHT, _TOP + _LINE * len(self.curves))
        size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
        font = 'font-family="system-ui, sans-serif" font-size="12"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} role="img">\n'
            f"<title>{escape(self.title)}</title>\n"
            f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
        )

    def _draw_frame(self) -> Iterator[str]:
        yield _text(_LEFT, 22, self.title, _INK, weight="600")
        for step in range(6):
            share = self.top * step / 5
            y = self._y(share)
            yield _line((_LEFT, y), (_WIDTH - _RIGHT, y), _GRID)
            yield _text(_LEFT - 6, y + 4, f"{share:.3g}".rstrip("."), _QUIET, anchor="end")
        for count in self._counts():
            yield _text(self._x(count), _HEIGHT - 24, f"{count:,}", _QUIET, anchor="middle")
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        yield _text(middle, _HEIGHT - 7, "requests", _QUIET, anchor="middle")

    def _draw_bounds(self) -> Iterator[str]:
        for name, share in self.bounds.items():
            y = self._y(share)
            yield _line((_LEFT, y), (_WIDTH - _RIGHT, y), _QUIET, dash="4 4")
            yield _text(_LEFT + 4, y - 4, name, _QUIET)

    def _draw_curve(self, curve: Curve, place: int) -> Iterator[str]:
        colour = _PALETTE[curve.colour % len(_PALETTE)]
        dash = _DASHES[curve.dash % len(_DASHES)]
        points = [(self._x(count), self._y(share)) for count, share in curve.points]
        for start, end in pairwise(points):
            yield _line(start, end, colour, dash=dash, width=2)
        for x, y in points:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
        y = _TOP + 6 + place * _LINE
        x = _WIDTH - _RIGHT + 18
        yield _line((x, y), (x + 20, y), colour, dash=dash, width=2)
        yield _text(x + 26, y + 4, curve.name, _INK)

    def _counts(self) -> list[int]:
        return sorted({count for curve in self.curves for count, _ in curve.points})

    def _x(self, count: int) -> float:
        return _LEFT + count / max(1, *self._counts()) * (_WIDTH - _RIGHT - _LEFT - 20)

    def _y(self, share: float) -> float:
        height = _HEIGHT - _TOP - _BOTTOM
        return _TOP + height * (1 - min(share, self.top) / self.top)


def draw_deployment(figures: Mapping[str, Any], folder: Path) -> None:
    """Write ``deployment-alarms.svg`` and, if there are any, ``deployment-detection.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = figures["deployment"]
    alarms = _alarms(rows)
    (folder / "deployment-alarms.svg").write_text(alarms.draw(), encoding="utf-8")
    detection = _detection(rows)
    if detection.curves:
        (folder / "deployment-detection.svg").write_text(detection.draw(), encoding="utf-8")


def _alarms(rows: Rows) -> Chart:
    curves = [
        Curve(f"{name}, {what}", [(row["after"], 100 * row[what]) for row in run], place, dash)
        for place, (name, run) in enumerate(_runs(rows))
        for dash, what in enumerate(("flagged", "crafted"))
    ]
    most = max((share for curve in curves for _, share in curve.points), default=0.0)
    top = max(2.0, ceil(2 * most + 0.2) / 2)
    title = "Clean test photos that are flagged, per cent"
    return Chart(title, curves, top, {"aim: 1.5 %": 1.5})


def _detection(rows: Rows) -> Chart:
    """Shares of all attacked pictures; nothing flags before a source is in force.

    One curve for each model and traffic: attack by attack, the page has a table.
    """
    attacked = [(name, run) for name, run in _runs(rows) if any(row["detection"] for row in run)]
    curves = []
    for place, (name, run) in enumerate(attacked):
        points = [
            (row["after"], _share_found(row["detection"]))
            for row in run
            if row["detection"] or not row["state"].startswith("in force")
        ]
        count = max(sum(each["n"] for each in row["detection"]) for row in run)
        curves.append(Curve(f"{name}, {count} pictures", points, place, 0))
    return Chart("Successful attacks that are found, of all together", curves, 1.0, {})


def _share_found(detection: Rows) -> float:
    """0 of nothing."""
    found = sum(each["tpr"] * each["n"] for each in detection)
    return float(found / max(1, sum(each["n"] for each in detection)))


def _runs(rows: Rows) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """The rows of each model and traffic."""
    return [
        (name, list(run))
        for name, run in groupby(rows, lambda row: f"{row['model']} {name_traffic(row)}")
    ]


def _line(
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str,
    *,
    dash: str = "",
    width: float = 1,
) -> str:
    style = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
        f'stroke="{colour}" stroke-width="{width:g}"{style}/>'
    )


def _text(
    x: float, y: float, text: str, colour: str, *, anchor: str = "start", weight: str = "400"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )
