"""Capacities and success curves over grids, theory and fits: the verbs of `dam`."""

from __future__ import annotations

import concurrent.futures
import os
import tempfile
import threading
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from dambench import _core
from dambench._files import _path, dataset_of
from dambench._memory import Model
from dambench._progress import shown

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def _text(value: Any, option: str) -> str:
    """A value as the programs' options take it: grids as they are, sequences joined by commas, numbers in full."""
    if isinstance(value, Model | str):
        return str(value)
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return repr(float(value))
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Iterable):
        parts = [_text(one, option) for one in value]
        if not parts:
            raise ValueError(f"{option}: is an empty list")
        return ",".join(parts)
    raise TypeError(f"{option}: takes text, a number or a list of them, not {type(value).__name__}")


_FLAGS = {"allow_degenerate"}


def _words(options: dict[str, Any]) -> list[str]:
    words = []
    for name, value in options.items():
        if value is None or (name in _FLAGS and not value):
            continue
        option = "--" + name.replace("_", "-")
        words.append(option if name in _FLAGS else f"{option}={_text(value, name)}")
    return words


def _command(verb: str, words: list[str]) -> str:
    return " ".join(["dambench." + verb, *(f"'{word}'" if " " in word else word for word in words)])


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _measure(verb: str, words: list[str], out: str, progress: bool | None) -> dict[str, Any]:
    extra, command = [f"--out={out}"], _command(verb, words + [f"--out={out}"])
    with shown(progress) as (seen, show):
        return _core.sweep(verb, words + extra + ([] if seen else ["--quiet"]), command, _in_main_thread(), show)


def _shard(verb: str, words: list[str], shard: int, shards: int) -> bytes:
    """One shard's result file, measured by whoever is asked."""
    with tempfile.TemporaryDirectory(prefix="dambench-") as folder:
        out = os.path.join(folder, "part.h5")
        _measure(verb, [*words, f"--shard={shard}/{shards}"], out, False)
        with open(out, "rb") as file:
            return file.read()


def _with_executor(verb: str, words: list[str], out: str, executor: Any, shards: int, progress: bool | None) -> dict[str, Any]:
    """Shards on any concurrent.futures executor, merged; the run on the merged file adds what is left to conclude."""
    _core.begin_sweep(verb, [*words, f"--out={out}", "--quiet"], _command(verb, words + [f"--out={out}"]))
    futures = [executor.submit(_shard, verb, words, shard, shards) for shard in range(1, shards + 1)]
    with tempfile.TemporaryDirectory(prefix="dambench-") as folder:
        parts = []
        for number, future in enumerate(futures, 1):
            parts.append(os.path.join(folder, f"{number}.h5"))
            with open(parts[-1], "wb") as file:
                file.write(future.result())
        _core.merge(out, parts)
    return _measure(verb, words, out, progress)


def _sweep(verb: str, options: dict[str, Any], out: Any, executor: Any, shards: int | None, progress: bool | None) -> xr.Dataset:
    words = _words(options)
    with tempfile.TemporaryDirectory(prefix="dambench-") as folder:
        path = os.path.join(folder, f"{verb}.h5") if out is None else os.fspath(out)
        if executor is None:
            if shards is not None:
                raise ValueError("shards: say on which executor")
            file = _measure(verb, words, path, progress)
        else:
            file = _with_executor(verb, words, path, executor, shards or 4, progress)
    if not file["complete"]:
        warnings.warn(
            f"{verb} was stopped early: what is not finished says so" + ("" if out is None else f"; {path} goes on"),
            RuntimeWarning,
            stacklevel=3,
        )
    dataset = dataset_of(file, "capacity" if verb == "capacity" else "points")
    dataset.attrs["complete"] = int(file["complete"])
    return dataset


def capacity(
    size: Any,
    degree: Any = None,
    *,
    model: Any = None,
    alpha: Any = 1,
    beta: Any = 0.5,
    precision: float | None = None,
    out: str | os.PathLike[str] | None = None,
    executor: concurrent.futures.Executor | None = None,
    shards: int | None = None,
    progress: bool | None = None,
    **options: Any,
) -> xr.Dataset:
    """K_max, the largest number of patterns at which a cue whose components are right with probability alpha is restored
    exactly with probability at least beta; one row for every point of the grid.

    Args:
        size: numbers of neurons N: a number, a list, or a grid as the program takes it, ``"32:256:x2"``.
        degree: degrees of polynomial separations; or `model`, such as ``"exponential:0.5"``.
        precision: relative half-width of the 95 % interval to reach.
        out: result file that is kept, and continued when it is there.
        executor: anything with `submit` (concurrent.futures, Dask, Ray's pool, mpi4py.futures), which then measures
            `shards` parts; the numbers are those of one process.
        progress: one line that is kept up to date, by tqdm where it is installed; in terminals and notebooks unless given.
        options: every other option of ``dam capacity``, with ``_`` for ``-``: rule, order, tie, trials, seed, threads, …

    Returns:
        The table `capacity` of the result file: k_max with ci_low, ci_high and status, the configuration, and theory
        beside it; `attrs` say how it was made. Ctrl-C ends it early: rows that are not finished have status `budget`.

    Raises:
        ValueError: an option is wrong; the message is the program's. Refused: `out` belongs to another sweep.
    """
    given = dict(size=size, degree=degree, model=model, alpha=alpha, beta=beta, precision=precision, **options)
    return _sweep("capacity", given, out, executor, shards, progress)


def curve(
    size: Any,
    degree: Any = None,
    *,
    num_patterns: Any,
    model: Any = None,
    alpha: Any = 1,
    out: str | os.PathLike[str] | None = None,
    executor: concurrent.futures.Executor | None = None,
    shards: int | None = None,
    progress: bool | None = None,
    **options: Any,
) -> xr.Dataset:
    """The success probability at given numbers of patterns, with 95 % intervals; arguments as of capacity().

    Returns:
        The table `points` of the result file: one row for every configuration and K.
    """
    given = dict(size=size, degree=degree, num_patterns=num_patterns, model=model, alpha=alpha, **options)
    return _sweep("curve", given, out, executor, shards, progress)


def _list(values: Any) -> list[Any]:
    return [values] if isinstance(values, str | Model) or not isinstance(values, Iterable) else list(values)


def theory(
    size: Any, degree: Any = None, *, model: Any = None, alpha: Any = 1, beta: Any = 0.5, bit_error: float = 0.01
) -> pd.DataFrame:
    """Every formula of the literature that applies, each labelled by how sure it is, with a bound on its numerical error.

    One row for every formula and point; a value that a formula does not have is NaN, with the reason.
    """
    import pandas as pd

    if (degree is None) == (model is None):
        raise ValueError("theory: give the model by degree or by model")
    models = [f"dense:{int(n)}" for n in _list(degree)] if model is None else [str(one) for one in _list(model)]
    rows = []
    for text in models:
        for a in _list(alpha):
            for b in _list(beta):
                for n in _list(size):
                    point = {"num_neurons": int(n), "model": text, "alpha": float(a), "beta": float(b)}
                    for row in _core.theory(int(n), text, float(a), float(b), float(bit_error)):
                        rows.append(point | row)
    return pd.DataFrame(rows)


def fit(measured: str | os.PathLike[str]) -> pd.DataFrame:
    """How measured capacities grow with N, beside theory: what `dam fit` says of a result file, one row a number."""
    import pandas as pd

    return pd.DataFrame(_core.fit(_path(measured)))
