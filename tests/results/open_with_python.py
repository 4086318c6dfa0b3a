"""Opens result files the way users do: open_with_python.py WRITE_EXAMPLE README FIXTURE...

Writes example files with WRITE_EXAMPLE, looks at every column with h5py, pandas and xarray, and runs the Python snippets
of the README beside a file called scaling.h5.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import pandas as pd
import xarray as xr

TABLES = ("batches", "points", "capacity")


def check_h5py(path, rows):
    with h5py.File(path, "r") as file:
        assert file.attrs["schema_version"] == 1 and file.attrs["kind"] == "dam"
        for name in ("program_version", "commit", "compiler", "flags", "kernel", "cpu", "threads", "seed",
                     "command_line", "started", "finished"):
            assert name in file.attrs, name
        assert "device" in file.attrs or file.attrs.get("streams", 1) < 2  # files older than cards
        assert "hostname" not in file.attrs
        assert file["spec"].asstr()[()].startswith("size = 32,64\n")
        for table in TABLES:
            columns = {name: column for name, column in file[table].items() if name != "row"}
            assert len(columns) > 10, columns
            for name, column in columns.items():
                assert column.shape == (rows,), (table, name, column.shape)
                assert column.attrs["long_name"] and column.attrs["units"], (table, name)
                assert column.attrs["reproducible"] == (name not in ("seconds", "max_patterns")), (table, name)
                assert column.dims[0].keys() == ["row"], (table, name)
        assert file["points/num_neurons"].attrs["units"] == "neurons"
        assert "Krotov" in file["capacity/k_krotov_hopfield"].attrs["source"]
        assert file["points/configuration"].dtype == np.uint64
        if rows > 2:
            assert file["points/model"].asstr()[0] == "" and file["points/model"].asstr()[1].startswith("ξ")
            assert np.isnan(file["points/alpha"][1]) and np.isinf(file["points/alpha"][0])


def check_pandas(path, rows):
    with h5py.File(path, "r") as file:
        frame = pd.DataFrame({name: column[:] for name, column in file["points"].items()}).set_index("row")
    assert len(frame) == rows and frame["trials"].dtype == np.int64
    assert list(frame.index) == list(range(rows))


def check_xarray(path, rows):
    for table in TABLES:
        with xr.open_dataset(path, group=table, engine="h5netcdf") as data:  # no phony dimensions
            assert dict(data.sizes) == {"row": rows}, (table, data.sizes)
            assert all(data[name].dims == ("row",) and data[name].attrs["units"] for name in data.data_vars)
            assert data["seconds"].dtype == np.float64  # not taken for a time span
            if table != "batches":
                assert rows == 0 or isinstance(data["model"].values[-1], str)
                assert data["degree"].attrs["long_name"].startswith("degree n")


def run_snippets(readme):
    snippets = re.findall(r"```python\n(.*?)```", pathlib.Path(readme).read_text(), re.S)
    assert len(snippets) >= 3, "the README shows h5py, pandas and xarray"
    for snippet in snippets:
        exec(compile(snippet, readme, "exec"), {})


def main():
    write_example, readme, *fixtures = [os.path.abspath(path) for path in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        for rows in (0, 1, 5, 20000):
            subprocess.run([write_example, "scaling.h5", str(rows)], check=True)
            for check in (check_h5py, check_pandas, check_xarray):
                check("scaling.h5", rows)
        run_snippets(readme)
    for fixture in fixtures:
        for check in (check_h5py, check_pandas, check_xarray):
            check(fixture, 3)


main()
