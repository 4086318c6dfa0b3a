"""A memory with your own patterns."""

from __future__ import annotations

import dataclasses
import functools
import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from dambench import _core
from dambench._arrays import as_array

if TYPE_CHECKING:
    import xarray as xr


@functools.cache
def available_threads() -> int:
    """Threads that this process may use, asked once: reading a container's limits takes longer than a small recall."""
    return _core.available_threads()


class Model:
    """An energy E = −Q(Σ_μ F(S(ξ^μ, σ))): ``Model("dense:3")``, or its layers ``Model(similarity="dot",
    separation="power:3", shaping="linear")``. Raises ValueError that names the accepted forms."""

    def __init__(
        self, text: str | None = None, *, similarity: str = "dot", separation: str | None = None, shaping: str = "linear"
    ) -> None:
        if (text is None) == (separation is None):
            raise ValueError("a model is a text such as 'dense:3', or has a separation such as 'power:3'")
        self._text = _core.model_text(text if text is not None else f"{similarity}/{separation}/{shaping}")

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Model({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and str(other) == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclasses.dataclass(frozen=True)
class Recalled:
    """What recall came to, row by row of the cues.

    Attributes:
        states: (cues, N) int8, the final states.
        overlaps: (cues,) overlap, −1 to 1, with the nearest pattern, whose number is `nearest_pattern`.
        energy_before, energy_after: of the state it started from and of the final one.
        passes, flips, ties, energy_rises: what happened on the way.
        converged, cycle: whether the last pass changed nothing; whether a state came back.
        cue: rows of the cues that were done; all, unless it was stopped.
        traces: with trace=True for every cue (spins, energies): the spin of every flip and the energy after it.
    """

    states: np.ndarray
    overlaps: np.ndarray
    nearest_pattern: np.ndarray
    energy_before: np.ndarray
    energy_after: np.ndarray
    passes: np.ndarray
    flips: np.ndarray
    ties: np.ndarray
    energy_rises: np.ndarray
    converged: np.ndarray
    cycle: np.ndarray
    erased: np.ndarray
    cue: np.ndarray
    complete: bool
    traces: list[tuple[np.ndarray, np.ndarray]] | None = None

    def to_xarray(self) -> xr.Dataset:
        """The same as a Dataset over `cue` and `neuron`."""
        import xarray as xr

        columns = {
            field.name: ("cue", getattr(self, field.name))
            for field in dataclasses.fields(self)
            if field.name not in ("states", "complete", "traces", "cue")
        }
        return xr.Dataset({**columns, "states": (("cue", "neuron"), self.states)}, coords={"cue": self.cue})

    def __repr__(self) -> str:
        if len(self.cue) == 0:
            return "Recalled(no cue)"
        return (
            f"Recalled({len(self.cue)} cues: {np.mean(self.converged):.1%} at rest, "
            f"mean overlap with the nearest pattern {np.mean(self.overlaps):.4f})"
        )


def _states(memory: Memory, values: Any, name: str) -> tuple[np.ndarray, bool]:
    array = as_array(values, name)
    single = array.ndim == 1
    return (array[np.newaxis] if single else array), single


class Memory:
    """Patterns stored in a dense associative memory.

    Args:
        patterns: (K, N), or pictures (K, rows, columns), of −1, +1 or of 0, 1; any type. Copied into bits.
        model: ``"hopfield"``, ``"dense:3"``, ``"rectified:3"``, ``"exponential:0.5"``, ``"modern:0.5"``, three layers
            ``"cosine/power:3/log"``, or a Model.
        threshold: makes spins of grey values: ``"mean"``, ``"median"`` or a number.

    Raises ValueError with place and value for what is no pattern, and for models that cannot store patterns.
    """

    def __init__(
        self,
        patterns: Any,
        model: str | Model = "hopfield",
        *,
        threshold: str | float | None = None,
        allow_degenerate: bool = False,
    ) -> None:
        array = as_array(patterns, "patterns")
        self._threshold = "" if threshold is None else str(threshold)
        self._memory = _core.Memory(array, str(model), self._threshold, allow_degenerate)

    @property
    def num_neurons(self) -> int:
        return self._memory.num_neurons

    @property
    def num_patterns(self) -> int:
        return self._memory.num_patterns

    @property
    def model(self) -> Model:
        return Model(self._memory.model)

    @property
    def patterns(self) -> np.ndarray:
        """(K, N) of −1, +1, int8; a copy."""
        return np.asarray(self._memory.patterns)

    @property
    def load(self) -> float:
        """K/N^(n−1) of a power of degree n, K/N of every other model."""
        text = str(self.model)
        degree = int(text.split(":")[1]) if text.startswith(("dense:", "rectified:")) else 2
        return float(self.num_patterns / self.num_neurons ** (degree - 1))

    def recall(
        self,
        cues: Any,
        *,
        mask: Any = None,
        rule: str = "derivative",
        order: str = "random",
        tie: str = "keep",
        self_coupling: str = "removed",
        max_passes: int = 100,
        seed: int = 1,
        erased: str = "random",
        clamp: bool = False,
        threshold: str | float | None = None,
        threads: int | None = None,
        kernel: str = "auto",
        trace: bool = False,
    ) -> Recalled:
        """Runs every cue to its fixed point, exactly as `dam recall` does with the same seed.

        A 0 among −1 and +1, or a 1 of `mask` (like the cues, or one row), is an erased neuron; it starts at random or,
        `erased="field"`, at the sign of the known neurons' field; `clamp` keeps the known ones. Ctrl-C ends it: rows
        that were done are returned, with a RuntimeWarning.
        """
        array, _ = _states(self, cues, "cues")
        if seed < 0:
            raise ValueError(f"seed: {seed} is below 0")
        found = self._memory.recall(
            array,
            None if mask is None else as_array(mask, "mask"),
            rule,
            order,
            tie,
            self_coupling,
            max_passes,
            seed,
            erased,
            clamp,
            kernel,
            threads or available_threads(),
            trace,
            self._threshold if threshold is None else str(threshold),
            threading.current_thread() is threading.main_thread(),
        )
        if not found["complete"]:
            warnings.warn(
                f"recall was stopped early: {len(found['cue'])} of {len(array)} cues are done", RuntimeWarning, stacklevel=2
            )
        overlap = found.pop("nearest_overlap") / self.num_neurons
        for name in ("converged", "cycle"):
            found[name] = found[name].astype(bool)
        return Recalled(overlaps=overlap, **found)

    def trace(self, cue: Any, **options: Any) -> tuple[np.ndarray, np.ndarray]:
        """(spins, energies) of one cue's recall: which spin flipped, and the energy after it; options as of recall()."""
        array, single = _states(self, cue, "cue")
        if not single and len(array) != 1:
            raise ValueError("trace: takes one cue")
        traces = self.recall(array, trace=True, **options).traces
        assert traces is not None
        return traces[0]

    def energy(self, states: Any, threads: int | None = None) -> np.ndarray | float:
        """E of every state (of one state: a number); ±inf beyond the doubles, see energy_log10()."""
        array, single = _states(self, states, "states")
        values, _ = self._memory.energy(array, threads or 1)
        return float(values[0]) if single else values

    def energy_log10(self, states: Any, threads: int | None = None) -> np.ndarray | float:
        """log₁₀|E| of every state, also where E itself is beyond the doubles."""
        array, single = _states(self, states, "states")
        _, sizes = self._memory.energy(array, threads or 1)
        return float(sizes[0]) if single else sizes

    def overlaps(self, states: Any, threads: int | None = None) -> np.ndarray:
        """ξ^μ·σ/N of every state with every pattern: (states, K), of one state (K,)."""
        array, single = _states(self, states, "states")
        found = np.asarray(self._memory.overlaps(array, threads or 1)) / self.num_neurons
        return np.asarray(found[0] if single else found)

    def field(self, states: Any, *, self_coupling: bool = False, threads: int | None = None) -> np.ndarray:
        """h_i = Σ_μ ξ_i^μ f(S(m_μ − ξ_i^μ σ_i)) of every neuron: the derivative rule sets neuron i to the sign of h_i."""
        array, single = _states(self, states, "states")
        found = np.asarray(self._memory.field(array, self_coupling, threads or 1))
        return np.asarray(found[0] if single else found)

    def __repr__(self) -> str:
        return f"Memory(N={self.num_neurons}, K={self.num_patterns}, load={self.load:.4g}, model={str(self.model)!r})"

    def _repr_html_(self) -> str:
        rows = [
            ("neurons N", self.num_neurons),
            ("patterns K", self.num_patterns),
            ("load", f"{self.load:.4g}"),
            ("model", self.model),
        ]
        body = "".join(f"<tr><th style='text-align:left'>{name}</th><td>{value}</td></tr>" for name, value in rows)
        return f"<table>{body}</table>"
