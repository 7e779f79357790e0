"""Draw what isolation.py has measured: time per test against number of tables."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, ScalarFormatter

# Readable on a white page and on a dark one.
GREY = "#848d97"
WAYS = {
    "flush": ("Django's flush", "#d9822b"),
    "create_all": ("create_all, drop_all", "#d9822b"),
    "fresh_database": ("our fresh_database", "#8e6ad8"),
    "commits": ("our commits", "#2f8fd0"),
    "fixture": ("our fixture", "#2da44e"),
    "same_statements": ("the same statements", GREY),
}


def draw(axes: Axes, stack: str, rows: list[dict[str, Any]]) -> None:
    """One panel: a line for each way."""
    tables = [row["tables"] for row in rows]
    axes.set_title(stack, color=GREY, loc="left", fontsize=11)
    for kind, (label, color) in WAYS.items():
        if kind not in rows[0]["milliseconds"]:
            continue
        times = [row["milliseconds"][kind] for row in rows]
        axes.plot(
            tables,
            times,
            color=color,
            label=label,
            marker="o",
            markersize=4,
            linestyle=":" if kind == "same_statements" else "-",
        )
    axes.set(xscale="log", yscale="log", xlabel="tables", ylabel="ms per test")
    axes.label_outer()
    axes.set_xticks(tables)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ScalarFormatter())
        axis.set_minor_locator(NullLocator())
        axis.label.set_color(GREY)
    axes.tick_params(colors=GREY)
    axes.grid(axis="y", color=GREY, alpha=0.3)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(GREY)
    axes.legend(frameon=False, labelcolor=GREY, fontsize=8, loc="upper left")


def main() -> None:
    """Write one picture of all measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "measured", type=Path, nargs="+", help="what `isolation --json` has written"
    )
    default = Path(__file__).with_name("isolation.svg")
    parser.add_argument("--to", type=Path, default=default, help=f"({default.name})")
    options = parser.parse_args()
    rows = [row for path in options.measured for row in json.loads(path.read_text())]
    stacks = list(dict.fromkeys(row["stack"] for row in rows))
    # Text stays text, and the same numbers give the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "isolation"})
    lines = (len(stacks) + 1) // 2
    figure = Figure(figsize=(9, 3.6 * lines), layout="constrained")
    panels = figure.subplots(lines, 2, sharex=True, sharey=True, squeeze=False).flat
    for axes, stack in zip(panels, stacks, strict=False):
        draw(axes, stack, [row for row in rows if row["stack"] == stack])
    for axes in panels[len(stacks) :]:
        axes.set_visible(False)
    figure.savefig(options.to, transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    main()
