"""Bars for a page: groups of named values -> SVG, readable on white and on black.

A page shows it as an image, so it brings its own colours for both and asks the reader's system which to take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 720
_NAME_WIDTH = 170
_VALUE_WIDTH = 90
_BAR, _GAP, _HEAD, _MARGIN = 18, 8, 34, 12
_BAR_SPACE = WIDTH - _NAME_WIDTH - _VALUE_WIDTH - 2 * _MARGIN

_STYLE = """\
text { font: 13px sans-serif; fill: #24292f }
.head { font-weight: bold }
.small { font-size: 11px }
.own { fill: #1a7f37 }
.other { fill: #8c959f }
.spread { stroke: #24292f; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .own { fill: #3fb950 }
  .other { fill: #6e7681 }
  .spread { stroke: #e6edf3 }
}"""


@dataclass(frozen=True)
class Bar:
    """A value and how far it spreads; `text` is the value as it is written beside the bar."""

    name: str
    value: float
    low: float
    high: float
    text: str
    is_own: bool


@dataclass(frozen=True)
class Group:
    """Bars of one scale."""

    title: str
    bars: Sequence[Bar]


def draw(title: str, groups: Sequence[Group], caption: str) -> str:
    """The whole picture; `title` is read aloud to who can't see it, `caption` stands below."""
    parts: list[str] = []
    top = _MARGIN
    for group in groups:
        parts += _draw_group(group, top)
        top += _HEAD + len(group.bars) * (_BAR + _GAP)
    height = top + _HEAD
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{_STYLE}\n</style>",
            *parts,
            f'<text class="small" x="{_MARGIN}" y="{height - _MARGIN}">{escape(caption)}</text>',
            "</svg>",
            "",
        ]
    )


def _draw_group(group: Group, top: int) -> list[str]:
    scale = _BAR_SPACE / max(bar.high for bar in group.bars)
    parts = [f'<text class="head" x="{_MARGIN}" y="{top + 16}">{escape(group.title)}</text>']
    for number, bar in enumerate(group.bars):
        parts += _draw_bar(bar, scale, top + _HEAD - _GAP + number * (_BAR + _GAP))
    return parts


def _draw_bar(bar: Bar, scale: float, top: int) -> list[str]:
    left, middle = _MARGIN + _NAME_WIDTH, top + _BAR / 2
    low, high = left + bar.low * scale, left + bar.high * scale
    kind = "own" if bar.is_own else "other"
    return [
        f'<text x="{_MARGIN}" y="{top + 14}">{escape(bar.name)}</text>',
        f'<rect class="{kind}" x="{left}" y="{top}" width="{bar.value * scale:.1f}" height="{_BAR}"/>',
        f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>',
        f'<text x="{high + 6:.1f}" y="{top + 14}">{escape(bar.text)}</text>',
    ]
