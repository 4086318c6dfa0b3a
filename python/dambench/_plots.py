"""What people look at: figures of measured Datasets with matplotlib, in the style of `dam report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours without yellow, as analysis/drawing has them; every series its own marker too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
THEORY = {
    "k_exact_one_step": ("one step, exact law (independence)", "-"),
    "k_pattern_snr": ("whole pattern (SNR)", "--"),
    "k_krotov_hopfield": ("Krotov–Hopfield (asymptotic)", ":"),
    "k_demircigil": ("Demircigil (rigorous bound)", ":"),
}
_CONVENTIONS = ("model", "alpha", "beta", "rule", "order", "tie", "self_coupling", "success", "patterns")


def _axes(axes: Axes | None) -> Axes:
    if axes is not None:
        return axes
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(5.5, 3.6), layout="constrained")[1]


def _legend(axes: Axes) -> None:
    """Inside where there is room, beside the axes where there are many."""
    if len(axes.get_legend_handles_labels()[0]) > 4:
        axes.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    else:
        axes.legend(fontsize=7, frameon=False)


def _series(dataset: xr.Dataset, along: str) -> list[tuple[str, xr.Dataset]]:
    """The rows by convention, each sorted along an axis, labelled by what differs."""
    names = [name for name in _CONVENTIONS + ("num_neurons",) if name in dataset and name != along]
    values = {name: [str(value) for value in dataset[name].values] for name in names}
    differ = [name for name in names if len(set(values[name])) > 1]
    rows: dict[tuple[str, ...], list[int]] = {}
    for row in range(dataset.sizes["row"]):
        rows.setdefault(tuple(values[name][row] for name in names), []).append(row)
    symbols = {"alpha": "α", "beta": "β", "num_neurons": "N"}
    found = []
    for key, members in rows.items():
        words = [value if name == "model" else f"{symbols.get(name, name)} = {value}" for name, value in zip(names, key, strict=True) if name in differ]
        one = dataset.isel(row=members)
        found.append((", ".join(words) or key[0], one.isel(row=np.argsort(one[along].values, kind="stable"))))
    return found


@xr.register_dataset_accessor("dambench")
class Figures:
    """`dataset.dambench`: figures of what capacity() and curve() return."""

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    def _require(self, *names: str) -> None:
        missing = [name for name in names if name not in self._dataset]
        if missing:
            raise ValueError(f"this figure needs the columns {', '.join(names)}; {', '.join(missing)} is not there")

    def plot_scaling(self, axes: Axes | None = None, *, theory: str | None = "k_exact_one_step") -> Axes:
        """K_max against N on logarithmic axes with 95 % intervals, one series a convention, and a column of theory as
        lines. A bound is an open marker with an arrow towards the unknown capacity, an unfinished search an open one."""
        self._require("k_max", "num_neurons", "status")
        axes = _axes(axes)
        for number, (label, one) in enumerate(_series(self._dataset, "num_neurons")):
            style: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[(number + number // len(COLOURS)) % len(MARKERS)], "linestyle": "none", "markersize": 4}
            n, k, status = one.num_neurons.values, one.k_max.values, one.status.values.astype(str)
            low, high = one.ci_low.values, one.ci_high.values
            ok = status == "ok"
            axes.errorbar(n[ok], k[ok], [k[ok] - low[ok], high[ok] - k[ok]], label=label, capsize=2, **style)
            for row in np.flatnonzero(~ok):
                bounded = [value for value in (k[row], low[row], high[row]) if np.isfinite(value) and value > 0]
                if bounded:
                    marker = {"lower_bound": 6, "upper_bound": 7}.get(status[row], style["marker"])  # 6, 7: carets up, down
                    axes.plot(n[row], bounded[0], **(style | {"marker": marker, "markerfacecolor": "none"}))
            if theory is not None and theory in one and np.isfinite(one[theory].values).any():
                axes.plot(n, one[theory].values, THEORY.get(theory, ("", "-"))[1], color=style["color"], linewidth=1)
        if theory is not None and theory in self._dataset:
            axes.plot([], [], THEORY.get(theory, ("", "-"))[1], color="0.4", linewidth=1, label=THEORY.get(theory, (theory, ""))[0])
        axes.set(xscale="log", yscale="log", xlabel="neurons $N$", ylabel="capacity $K_{\\max}$ (patterns)")
        sizes = np.unique(self._dataset.num_neurons.values)
        if len(sizes) <= 8:
            axes.set_xticks(sizes, [str(size) for size in sizes])
            axes.minorticks_off()
        _legend(axes)
        return axes

    def plot_success(self, axes: Axes | None = None) -> Axes:
        """The probability of success against K with 95 % intervals, one series a convention."""
        self._require("success_probability", "num_patterns")
        axes = _axes(axes)
        for number, (label, one) in enumerate(_series(self._dataset, "num_patterns")):
            p = one.success_probability.values
            axes.errorbar(
                one.num_patterns.values,
                p,
                [p - one.ci_low.values, one.ci_high.values - p],
                label=label,
                color=COLOURS[number % len(COLOURS)],
                marker=MARKERS[(number + number // len(COLOURS)) % len(MARKERS)],
                markersize=4,
                capsize=2,
                linewidth=1,
            )
        axes.set(xscale="log", ylim=(-0.03, 1.03), xlabel="patterns $K$", ylabel="success probability")
        _legend(axes)
        return axes


def plot_trace(energies: Any, axes: Axes | None = None) -> Axes:
    """Energies of Memory.trace() flip by flip, or of Network.descend(trace=True), (steps + 1, batch), step by step."""
    axes = _axes(axes)
    axes.plot(np.asarray(energies), linewidth=1)
    axes.set(xlabel="flip" if np.ndim(energies) == 1 else "step", ylabel="energy")
    return axes


def plot_images(rows: Any, shape: tuple[int, int], axes: Axes | None = None, columns: int = 10) -> Axes:
    """Patterns or states, (count, neurons), as a grid of pictures of this shape."""
    pictures = np.asarray(rows).reshape(-1, *shape)
    lines = -(-len(pictures) // columns)
    grid = np.full((lines * (shape[0] + 1) - 1, columns * (shape[1] + 1) - 1), np.nan)
    for number, picture in enumerate(pictures):
        top, left = number // columns * (shape[0] + 1), number % columns * (shape[1] + 1)
        grid[top : top + shape[0], left : left + shape[1]] = picture
    axes = _axes(axes)
    axes.imshow(grid, cmap="gray", interpolation="nearest")
    axes.set_axis_off()
    return axes
