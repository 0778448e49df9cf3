"""The overload curve as an SVG that reads in light and dark."""

from collections.abc import Sequence
from typing import Protocol

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 640, 360, 64, 48, 312
_LABEL = "Completed purchases a second against load, with the gate and without"
_STYLE = """
text{font:13px system-ui,sans-serif;fill:#333}.axis{stroke:#999}.grid{stroke:#9994}
.with{stroke:#0a7d5a;fill:none;stroke-width:3}.without{stroke:#c8371b;fill:none;stroke-width:3;stroke-dasharray:7 5}
.t-with{fill:#0a7d5a;font-weight:600}.t-without{fill:#c8371b;font-weight:600}
@media(prefers-color-scheme:dark){text{fill:#ddd}.with{stroke:#3fd6a2}.without{stroke:#ff7d61}
.t-with{fill:#3fd6a2}.t-without{fill:#ff7d61}}
"""


class Point(Protocol):
    """A load and what it brought."""

    @property
    def multiple(self) -> float: ...
    @property
    def purchases(self) -> float: ...


def overload_picture(gated: Sequence[Point], open_door: Sequence[Point]) -> str:
    """Return purchases a second against load, with the gate and without."""
    top = max(each.purchases for each in [*gated, *open_door]) * 1.15 or 1.0
    last = max(each.multiple for each in gated)

    def at(point: Point) -> tuple[float, float]:
        x = _LEFT + (_WIDTH - _LEFT - 80) * point.multiple / last
        return round(x, 1), round(_BOTTOM - (_BOTTOM - _TOP) * point.purchases / top, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{_LABEL}">',
        f"<style>{_STYLE}</style>",
        f'<text x="{_LEFT}" y="24">Completed purchases a second</text>',
        f'<text x="{_WIDTH - 80}" y="{_HEIGHT - 12}" text-anchor="end">times the load that the shop carries</text>',
        f'<line class="axis" x1="{_LEFT}" y1="{_BOTTOM}" x2="{_WIDTH - 80}" y2="{_BOTTOM}"/>',
    ]
    for share in (0.25, 0.5, 0.75, 1.0):
        y = round(_BOTTOM - (_BOTTOM - _TOP) * share, 1)
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y}" x2="{_WIDTH - 80}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{top * share:,.0f}</text>')
    parts += [
        f'<text x="{at(each)[0]}" y="{_BOTTOM + 18}" text-anchor="middle">{each.multiple:g}x</text>' for each in gated
    ]
    for name, points in (("with", gated), ("without", open_door)):
        line = " ".join(f"{x},{y}" for x, y in map(at, points))
        x, y = at(points[-1])
        parts.append(f'<polyline class="{name}" points="{line}"/>')
        parts.append(f'<text class="t-{name}" x="{x + 6}" y="{y + 4}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
