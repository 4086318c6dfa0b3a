"""Result files as xarray."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from dambench import _core

if TYPE_CHECKING:
    import xarray as xr


def _path(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError("path: is not text")
    if not os.path.exists(text):
        raise FileNotFoundError(f"{text}: does not exist")
    return text


def dataset_of(file: dict[str, Any], table: str) -> xr.Dataset:
    """A table of a result file: one variable a column over the dimension `row`, with its meaning, unit and source."""
    import xarray as xr

    import dambench._plots  # noqa: F401  (dataset.dambench)

    variables = {}
    for name, long_name, units, source, values in file["tables"][table]:
        attributes = {"long_name": long_name, "units": units}
        if source:
            attributes["source"] = source
        variables[name] = ("row", np.asarray(values), attributes)
    attributes = {"kind": file["kind"], "table": table, "spec": file["spec"], **file["attributes"]}
    return xr.Dataset(variables, attrs=attributes)


def read_tables(path: str | os.PathLike[str]) -> dict[str, xr.Dataset]:
    """Every table of a result file (of `dam capacity`, `dam curve`, `ham train`) as a Dataset.

    Raises FileNotFoundError, and RuntimeError in one line for what is no whole result file.
    """
    file = _core.read(_path(path))
    return {table: dataset_of(file, table) for table in file["tables"]}


def open(path: str | os.PathLike[str], table: str | None = None) -> xr.Dataset:
    """The main table of a result file, or the one named: `capacity`, `points` or `batches`, of a training `epochs`.

    The whole file is checked; with h5netcdf installed, columns are then read when they are used.

    Raises as read_tables(), and KeyError that lists the tables.
    """
    file = _core.read(_path(path))
    tables = file["tables"]
    if table is None:
        table = next(name for name in ("capacity", "points", "epochs", *tables) if name in tables)
    if table not in tables:
        raise KeyError(f"{os.fspath(path)}: has no table {table!r}; its tables are {', '.join(tables)}")
    dataset = dataset_of(file, table)
    return _lazily(os.fspath(path), dataset) if importlib.util.find_spec("h5netcdf") else dataset


def _lazily(path: str, dataset: xr.Dataset) -> xr.Dataset:
    """The same dataset with columns that are read from the file when they are used."""
    import xarray as xr

    there = xr.open_dataset(path, engine="h5netcdf", group=dataset.attrs["table"]).drop_vars("row", errors="ignore")
    for name in there.data_vars:
        there[name].attrs = dataset[name].attrs
        there[name].encoding = {}
    there.attrs = dataset.attrs
    return there
