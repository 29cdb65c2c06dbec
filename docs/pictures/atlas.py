"""Draw docs/pictures/atlas.svg from the plan of a small grid.

build/engine/bin/python docs/pictures/atlas.py
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

sys.path.append(str(Path(__file__).parents[2] / "build" / "plugins"))

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.networks.atlas.layout import Layout, pack
from glacier_qgis.models.networks.atlas.lookup import Lookup
from glacier_qgis.models.networks.atlas.reach import layer_groups, needed_columns
from glacier_qgis.models.networks.atlas.strips import Strips

ROWS, COLUMNS, LAYERS, PARTS = 24, 42, 5, 2
CELL, LEFT, TOP, GAP = 9, 16, 30, 58
STRIPS = ("#3b6ea8", "#b0691c", "#4d8a4f")
INNER, HALO = 0.6, 0.25
"""Opacity of the cells of a strip."""
OUTSIDE, EMPTY = ("#d8d8d8", 1.0), ("#f0f0f0", 1.0)
INK, COPY = "#1a1a1a", "#c02c2c"

Colour = tuple[str, float]


class Drawing:
    """An SVG picture that grows downward."""

    def __init__(self, width: int) -> None:
        """Begin an empty picture of `width` pixels."""
        self._root = ElementTree.Element(
            "svg", xmlns="http://www.w3.org/2000/svg", attrib={"font-family": "sans-serif"}
        )
        self._width = width
        self.add("rect", width="100%", height="100%", fill="white")

    def add(self, tag: str, text: str = "", **attributes: object) -> None:
        """Add an element; underscores in names of attributes stand for hyphens."""
        named = {name.replace("_", "-"): str(value) for name, value in attributes.items()}
        ElementTree.SubElement(self._root, tag, named).text = text

    def text(self, x: float, y: float, text: str, colour: str, size: int = 12) -> None:
        """Write on one line."""
        self.add("text", text, x=x, y=y, font_size=size, fill=colour)

    def image(self, y: float, colours: list[list[Colour]], dots: Mask) -> None:
        """Draw an image of cells, (row, column): colour and opacity each, some with a dot."""
        for row, line in enumerate(colours):
            column = 0
            for (fill, opacity), run in groupby(line):
                length = len(list(run))
                self.add(
                    "rect",
                    x=LEFT + column * CELL,
                    y=y + row * CELL,
                    width=length * CELL,
                    height=CELL,
                    fill=fill,
                    fill_opacity=opacity,
                )
                column += length
        high, wide = dots.shape
        right, bottom = LEFT + wide * CELL, y + high * CELL
        lines = [f"M{LEFT},{y + row * CELL}H{right}" for row in range(high + 1)]
        lines += [f"M{LEFT + column * CELL},{y}V{bottom}" for column in range(wide + 1)]
        self.add("path", d="".join(lines), stroke="white", stroke_width=1)
        marks = [
            f"M{LEFT + (column + 0.5) * CELL},{y + (row + 0.5) * CELL}h.01"
            for row, column in np.argwhere(dots)
        ]
        self.add("path", d="".join(marks), stroke=INK, stroke_width=4, stroke_linecap="round")

    def frame(self, x: float, y: float, columns: int, rows: int, colour: str) -> None:
        """Outline a number of cells."""
        self.add(
            "rect",
            x=x,
            y=y,
            width=columns * CELL,
            height=rows * CELL,
            fill="none",
            stroke=colour,
            stroke_width=2,
        )

    def write(self, path: Path, height: float) -> None:
        """Write the picture, `height` pixels high."""
        self._root.set("width", str(self._width))
        self._root.set("height", str(height))
        self._root.set("viewBox", f"0 0 {self._width} {height}")
        ElementTree.indent(self._root)
        path.write_text(ElementTree.tostring(self._root, encoding="unicode") + "\n")


def glaciers() -> Mask:
    """Return the wanted cells: a larger glacier and a smaller one."""
    row, column = np.mgrid[:ROWS, :COLUMNS]
    large = ((row - 10) / 5.2) ** 2 + ((column - 11 - row / 5) / 5.2) ** 2 < 1
    small = ((row - 16) / 2.4) ** 2 + ((column - 34) / 3.2) ** 2 < 1
    return np.asarray(large | small)


def draw_grid(drawing: Drawing, y: float, strips: Strips, wanted: Mask, needed: Mask) -> None:
    """Draw the grid: the needed columns of each strip in its colour."""
    colours = [
        [
            (STRIPS[row // strips.height], INNER) if column else EMPTY
            for column in needed[row // strips.height]
        ]
        for row in range(ROWS)
    ]
    drawing.image(y, colours, wanted)
    for strip, first in enumerate(strips.first_row):
        middle = y + (first + strips.height / 2) * CELL + 4
        drawing.text(LEFT + COLUMNS * CELL + 8, middle, f"strip {strip}", STRIPS[strip])


def draw_atlas(drawing: Drawing, y: float, strips: Strips, wanted: Mask, layout: Layout) -> None:
    """Draw an atlas: cells in the colour of their strip, halo cells paler."""
    grid = layout.in_grid(strips)
    inner = np.zeros(grid.shape, dtype=bool)
    inner[1:-1] = layout.inner
    held = layout.inner | np.roll(layout.inner, 1) | np.roll(layout.inner, -1)
    colours = [
        [
            (STRIPS[strip], INNER if inner[row, index] else HALO)
            if held[index] and grid[row, index] != strips.outside
            else OUTSIDE
            for index, strip in enumerate(layout.strip)
        ]
        for row in range(len(grid))
    ]
    drawing.image(y, colours, inner & np.append(wanted.ravel(), False)[grid])
    for part in range(layout.parts):
        x = LEFT + part * layout.width * CELL
        drawing.frame(x, y, layout.width, len(grid), INK)
        drawing.text(x + 2, y + len(grid) * CELL + 14, f"part {part}", INK)


def draw_copy(drawing: Drawing, y: float, lookup: Lookup) -> None:
    """Mark one halo cell and the inner cell that it is copied from."""
    layout, height = lookup.layout, lookup.strips.height
    sources = lookup.find_layout(layout)[0]
    followers = np.flatnonzero((sources != lookup.absent) & layout.inner & (layout.strip == 1))
    halo = int(followers[len(followers) // 3])
    part, within = divmod(int(sources[halo]), (height + 2) * layout.width)
    row, column = divmod(within, layout.width)
    ends = [(halo, 0), (part * layout.width + column, row)]
    centres = []
    for column, row in ends:
        drawing.frame(LEFT + column * CELL, y + row * CELL, 1, 1, COPY)
        centres.append((LEFT + (column + 0.5) * CELL, y + (row + 0.5) * CELL))
    (to_x, to_y), (from_x, from_y) = centres
    tip = to_y - CELL / 2
    drawing.add(
        "path",
        d=f"M{from_x},{from_y} C{from_x},{y - 24} {to_x},{y - 24} {to_x},{tip - 4}",
        fill="none",
        stroke=COPY,
        stroke_width=1.5,
    )
    drawing.add("path", d=f"M{to_x},{tip}l-4,-7h8z", fill=COPY)


def main() -> None:
    """Write the picture beside this script."""
    wanted = glaciers()
    strips = Strips(*wanted.shape)
    needed = needed_columns(strips, wanted, LAYERS, None)
    layouts = [pack(columns, PARTS) for columns in needed]
    width = 2 * LEFT + max(len(layout.column) for layout in layouts) * CELL
    drawing = Drawing(width)
    y = float(TOP)
    drawing.text(
        LEFT,
        y - 10,
        "The grid in strips of 8 rows: wanted cells (dots), columns that layer 1 needs",
        INK,
        14,
    )
    draw_grid(drawing, y, strips, wanted, needed[0])
    y += ROWS * CELL + GAP
    for group, layout in zip(layer_groups(LAYERS), layouts, strict=True):
        first, last = group.start + 1, group.stop
        name = f"layers {first} to {last}" if last > first else f"layer {first}"
        title = f"The atlas of {name}: halo cells pale, cells outside the grid grey"
        drawing.text(LEFT, y - 22, title, INK, 14)
        draw_atlas(drawing, y, strips, wanted, layout)
        if group.start == 0:
            draw_copy(drawing, y, Lookup(strips, layout))
        y += (strips.height + 2) * CELL + GAP + 8
    drawing.write(Path(__file__).with_name("atlas.svg"), y - GAP + 16)


if __name__ == "__main__":
    main()
