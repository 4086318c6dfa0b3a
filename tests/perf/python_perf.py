"""python_perf.py DAM: what the Python package costs beside the program, in one run; goals beside timings.

A recall of 1000 cues over 10000 patterns of 256 neurons beside `dam recall` on the same arrays (the program also starts,
reads and writes them), alternating; and the call of one 64-neuron recall less what a cue costs among a thousand.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import timeit

import numpy as np

import dambench


def seconds(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def signs(random, shape):
    return np.where(random.random(shape) < 0.5, -1, 1).astype(np.int8)


def beside_the_program(dam):
    dam = os.path.abspath(dam)
    random = np.random.default_rng(1)
    patterns = signs(random, (10000, 256))
    cues = patterns[:1000] * np.where(random.random((1000, 256)) < 0.9, 1, -1).astype(np.int8)
    memory = dambench.Memory(patterns, model="dense:3")
    with tempfile.TemporaryDirectory() as folder:
        np.save(os.path.join(folder, "patterns.npy"), patterns)
        np.save(os.path.join(folder, "cues.npy"), cues)
        out = pathlib.Path(folder, "out.h5")

        def program():
            out.unlink(missing_ok=True)
            words = ["--patterns=patterns.npy", "--cues=cues.npy", "--model=dense:3", "--out=out.h5", "--quiet"]
            subprocess.run([dam, "recall", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)

        pairs = [(seconds(lambda: memory.recall(cues)), seconds(program)) for _ in range(7)]
    return min(python for python, _ in pairs), min(program for _, program in pairs)


def overhead():
    random = np.random.default_rng(1)
    patterns = signs(random, (4, 64))
    memory = dambench.Memory(patterns, model="dense:3")
    many = np.repeat(patterns[:1], 1000, 0)
    memory.recall(many, threads=1)
    one = min(timeit.repeat(lambda: memory.recall(patterns[:1], threads=1), number=500, repeat=15)) / 500
    each = min(timeit.repeat(lambda: memory.recall(many, threads=1), number=1, repeat=15)) / 1000
    return one - each


python, program = beside_the_program(sys.argv[1])
print(f"{'what':44} {'measured':>10} {'goal':>10}")
print(f"{'1000 cues, 10000 patterns, N = 256: package':44} {python:8.3f} s")
print(f"{'  dam recall':44} {program:8.3f} s")
print(f"{'  ratio':44} {python / program:10.3f} {'<= 1.05':>10}")
print(f"{'overhead of one recall, N = 64':44} {1e6 * overhead():7.1f} us {'<= 20 us':>10}")
