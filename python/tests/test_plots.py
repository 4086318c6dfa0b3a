"""Figures show what was measured."""

import numpy as np
import pytest

import dambench

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("svg")


def test_scaling():
    measured = dambench.capacity([16, 32], [2, 3], precision=0.2)
    axes = measured.dambench.plot_scaling()
    assert [text.get_text() for text in axes.get_legend().get_texts()][:2] == ["one step, exact law (independence)", "hopfield"] or len(
        axes.get_legend().get_texts()
    ) == 3
    shown = np.concatenate([line.get_ydata() for line in axes.get_lines() if line.get_linestyle() == "None" and len(line.get_ydata()) == 2])
    assert set(measured.k_max.values) <= set(shown)
    with pytest.raises(ValueError, match="success_probability"):
        measured.dambench.plot_success()


def test_success():
    points = dambench.curve(24, 3, num_patterns=[10, 40, 80], trials=320)
    axes = points.dambench.plot_success()
    np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), points.success_probability.values)


def test_images_and_traces(signs):
    memory = dambench.Memory(signs(12, 30))
    axes = dambench.plot_images(memory.patterns, (5, 6))
    grid = axes.get_images()[0].get_array()
    assert grid.shape == (11, 69)
    np.testing.assert_array_equal(grid[:5, :6], memory.patterns[0].reshape(5, 6))
    energies = memory.trace(signs(1, 30)[0])[1]
    np.testing.assert_array_equal(dambench.plot_trace(energies).get_lines()[0].get_ydata(), energies)
