"""Charts drawn as SVG: small, sharp in print, readable without a script. Colours are Okabe and Ito's."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from markupsafe import Markup, escape

PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
_WIDTH, _HEIGHT = 760, 264
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 26, 46
_PLOT_WIDTH = _WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT = _HEIGHT - _TOP - _BOTTOM


class Line(msgspec.Struct, frozen=True):
    """One line of a chart: its name and a value for every span, a second's worth each."""

    name: str
    values: tuple[float, ...]


class Band(msgspec.Struct, frozen=True):
    """A stretch of time to shade."""

    name: str
    started_at: datetime
    ended_at: datetime


class Bars(msgspec.Struct, frozen=True):
    """One group of bars: its name and one value for each of the chart's series."""

    name: str
    values: tuple[float, ...]


def nice_ceiling(value: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is not below `value`."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))


def lines_over_time(
    title: str,
    axis: str,
    times: Sequence[datetime],
    *,
    lines: Sequence[Line],
    bands: Sequence[Band],
    write_time: Callable[[datetime], str],
) -> Markup:
    """Draw lines over time with a scale, a key and shaded bands. Without times there is nothing to draw."""
    if not times:
        return Markup("")
    top = nice_ceiling(max((max(line.values, default=0) for line in lines), default=0))
    span = _Span(times[0], times[-1] if len(times) > 1 else times[0] + timedelta(seconds=1))
    parts = [_band(band, span) for band in bands]
    parts += _scale(top, axis)
    parts += _times(span, write_time)
    for place, line in enumerate(lines):
        parts.append(_polyline(times, line, span, top, PALETTE[place % len(PALETTE)], dashed=place == 1))
    parts += _key([line.name for line in lines])
    return _svg(title, parts, _HEIGHT)


class _Span:
    """Maps times to places from left to right."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end
        self._seconds = max((end - start).total_seconds(), 1.0)

    def x(self, moment: datetime) -> float:
        share = (moment - self.start).total_seconds() / self._seconds
        return _LEFT + min(max(share, 0.0), 1.0) * _PLOT_WIDTH


def _y(value: float, top: float) -> float:
    return _TOP + _PLOT_HEIGHT * (1 - min(value / top, 1.0))


def _band(band: Band, span: _Span) -> str:
    left, right = span.x(band.started_at), span.x(band.ended_at)
    return (
        f'<rect class="band" x="{left:.1f}" y="{_TOP}" width="{max(right - left, 2):.1f}" height="{_PLOT_HEIGHT}"/>'
        f'<text class="band-name" x="{left + 4:.1f}" y="{_TOP + 12}">{escape(band.name)}</text>'
    )


def _scale(top: float, axis: str) -> list[str]:
    parts = [f'<text class="axis" x="4" y="{_TOP - 12}" text-anchor="start">{escape(axis)}</text>']
    for step in range(5):
        value = top * step / 4
        y = _y(value, top)
        if step:
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        if step < 4:
            parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_figure(value)}</text>')
    parts.append(f'<text x="{_LEFT - 8}" y="{_TOP + 10}" text-anchor="end">{_figure(top)}</text>')
    foot = f"{_y(0, top):.1f}"
    parts.append(f'<line class="base" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{foot}" y2="{foot}"/>')
    return parts


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _times(span: _Span, write_time: Callable[[datetime], str]) -> list[str]:
    parts = []
    for step in range(5):
        moment = span.start + (span.end - span.start) * (step / 4)
        anchor = ("start", "middle", "middle", "middle", "end")[step]
        parts.append(
            f'<text x="{span.x(moment):.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="{anchor}">'
            f"{escape(write_time(moment))}</text>"
        )
    return parts


def _polyline(times: Sequence[datetime], line: Line, span: _Span, top: float, colour: str, *, dashed: bool) -> str:
    points = " ".join(f"{span.x(at):.1f},{_y(value, top):.1f}" for at, value in zip(times, line.values, strict=True))
    dash = ' stroke-dasharray="6 3"' if dashed else ""
    return f'<polyline fill="none" stroke="{colour}" stroke-width="2"{dash} points="{points}"/>'


def _key(names: Sequence[str]) -> list[str]:
    parts, x = [], _LEFT
    for place, name in enumerate(names):
        parts.append(
            f'<rect x="{x}" y="{_HEIGHT - 10}" width="12" height="4" fill="{PALETTE[place % len(PALETTE)]}"/>'
            f'<text x="{x + 17}" y="{_HEIGHT - 5}">{escape(name)}</text>'
        )
        x += 40 + sum(13 if ord(letter) > 255 else 7 for letter in name)
    return parts


def grouped_bars(title: str, unit: str, series: Sequence[str], groups: Sequence[Bars]) -> Markup:
    """Draw horizontal bars, one group a row, with the value written at each bar's end."""
    if not groups:
        return Markup("")
    top = nice_ceiling(max(max(group.values) for group in groups))
    row = 14 * len(series) + 10
    height = _TOP + row * len(groups) + 22
    parts = []
    for place, group in enumerate(groups):
        y = _TOP + place * row
        name_y = y + row / 2
        parts.append(f'<text x="{_LEFT + 60}" y="{name_y:.1f}" text-anchor="end">{escape(group.name)}</text>')
        for number, value in enumerate(group.values):
            width = (_PLOT_WIDTH - 150) * value / top
            parts.append(
                f'<rect x="{_LEFT + 68}" y="{y + 14 * number}" width="{max(width, 1):.1f}" height="10" '
                f'fill="{PALETTE[number % len(PALETTE)]}"/>'
                f'<text x="{_LEFT + 74 + width:.1f}" y="{y + 14 * number + 9}">'
                f"{escape(series[number])} {value:,.0f} {escape(unit)}</text>"
            )
    return _svg(title, parts, height)


def _svg(title: str, parts: Sequence[str], height: float) -> Markup:
    # Every text above went through escape(); the rest is numbers of our own.
    return Markup(  # noqa: S704
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
