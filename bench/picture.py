"""The overload curve as an SVG that reads in light and dark."""

from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 680, 360, 64, 130, 48, 312
_LABEL = "Completed purchases a second against load: with gate and edge, with the gate alone, with neither"
_STYLE = """
text{font:13px system-ui,sans-serif;fill:#333}.axis{stroke:#999}.grid{stroke:#9994}
polyline{fill:none;stroke-width:3}.l0{stroke:#0a7d5a}.l1{stroke:#1f6fb2;stroke-dasharray:2 5;stroke-linecap:round}
.l2{stroke:#c8371b;stroke-dasharray:7 5}.t0{fill:#0a7d5a;font-weight:600}.t1{fill:#1f6fb2;font-weight:600}
.t2{fill:#c8371b;font-weight:600}
@media(prefers-color-scheme:dark){text{fill:#ddd}.l0{stroke:#3fd6a2}.l1{stroke:#6bb7f0}.l2{stroke:#ff7d61}
.t0{fill:#3fd6a2}.t1{fill:#6bb7f0}.t2{fill:#ff7d61}}
"""


class Point(Protocol):
    """A load, and what it brought behind what stood before the shop."""

    @property
    def front(self) -> str: ...
    @property
    def multiple(self) -> float: ...
    @property
    def purchases(self) -> float: ...


def overload_picture(points: Sequence[Point]) -> str:
    """Return purchases a second against load, one line for each thing that stood before the shop."""
    top = max(each.purchases for each in points) * 1.15 or 1.0
    last = max(each.multiple for each in points)
    end = _WIDTH - _RIGHT

    def at(point: Point) -> tuple[float, float]:
        x = _LEFT + (end - _LEFT) * point.multiple / last
        return round(x, 1), round(_BOTTOM - (_BOTTOM - _TOP) * point.purchases / top, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{_LABEL}">',
        f"<style>{_STYLE}</style>",
        f'<text x="{_LEFT}" y="24">Completed purchases a second</text>',
        f'<text x="{end}" y="{_HEIGHT - 10}" text-anchor="end">times the load that the shop carries</text>',
        f'<line class="axis" x1="{_LEFT}" y1="{_BOTTOM}" x2="{end}" y2="{_BOTTOM}"/>',
    ]
    for share in (0.25, 0.5, 0.75, 1.0):
        y = round(_BOTTOM - (_BOTTOM - _TOP) * share, 1)
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y}" x2="{end}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{top * share:,.0f}</text>')
    lines = [list(line) for _, line in groupby(points, key=lambda each: each.front)]
    for each in lines[0]:
        if each.multiple >= 1:  # what is below stands too close together
            x = at(each)[0]
            parts.append(f'<text x="{x}" y="{_BOTTOM + 18}" text-anchor="middle">{each.multiple:g}x</text>')
    for number, line in enumerate(sorted(lines, key=lambda each: -each[-1].purchases)):
        places = " ".join(f"{x},{y}" for x, y in map(at, line))
        x, y = at(line[-1])
        parts.append(f'<polyline class="l{number}" points="{places}"/>')
        parts.append(f'<text class="t{number}" x="{x + 8}" y="{y + 4}">{line[-1].front}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
