"""The package beside the programs of the same build (DAM_PROGRAM, HAM_PROGRAM)."""

import os
import subprocess

import numpy as np
import pytest


def program(name):
    path = os.environ.get(name)
    if not path:
        pytest.skip(f"{name} does not say where the program is")

    def run(*words, cwd=None):
        return subprocess.run([path, *map(str, words)], cwd=cwd, check=True, capture_output=True, text=True).stdout

    return run


@pytest.fixture(scope="session")
def dam():
    return program("DAM_PROGRAM")


@pytest.fixture(scope="session")
def ham():
    return program("HAM_PROGRAM")


@pytest.fixture
def random():
    return np.random.default_rng(20160606)


@pytest.fixture
def signs(random):
    """Random patterns or states, (rows, neurons) of -1 and +1."""

    def draw(rows, neurons):
        return np.where(random.random((rows, neurons)) < 0.5, -1, 1).astype(np.int8)

    return draw
