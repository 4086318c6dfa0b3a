"""same_numbers.py A B: exits with 1 unless every reproducible column of two result files is the same."""
import sys

import h5py
import numpy as np


def columns(path):
    with h5py.File(path, "r") as file:
        return {f"{table}/{name}": column[:] for table in ("batches", "points", "capacity") if table in file
                for name, column in file[table].items() if column.attrs.get("reproducible", 1)}


a, b = columns(sys.argv[1]), columns(sys.argv[2])
different = [name for name in a.keys() | b.keys()
             if name not in a or name not in b or not (
                 np.array_equal(a[name], b[name], equal_nan=a[name].dtype.kind == "f"))]
print(f"{sys.argv[1]} and {sys.argv[2]}: {len(a)} columns, different: {different or 'none'}")
sys.exit(bool(different))
