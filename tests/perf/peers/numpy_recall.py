"""The peers: asynchronous recall as a careful NumPy user writes it, and as a tutorial does.

Careful: patterns lie spin-major as float32 +-1, overlaps are kept up to date, and a spin update is one vectorised
field. Drawing and the first overlaps are not counted. Tutorial: patterns are rows of numbers, and a flip is accepted if
it lowers the energy, a function of the whole state.

usage: OMP_NUM_THREADS=1 numpy_recall.py N K MODEL ALPHA SECONDS     MODEL: hopfield | dense:n | exponential:lambda
Repeats trials for about SECONDS of processor time, then the tutorial's updates for a quarter of it; prints one JSON
line, rates in interactions (one pattern seen by one spin update) per second.
"""

import json
import sys
import time

import numpy as np


def field_function(model, num_neurons):
    """f = F' for a vector of overlaps, without np.power where products do."""
    if model == "hopfield":
        return lambda x: x
    kind, _, parameter = model.partition(":")
    if kind == "exponential":
        return lambda x: np.exp(float(parameter) * (x - num_neurons))
    return {
        3: lambda x: x * x,
        4: lambda x: x * x * x,
        5: lambda x: (x * x) * (x * x),
    }.get(int(parameter), lambda x: x ** (int(parameter) - 1))


def recall(patterns, state, f, rng, max_passes=100):
    """Runs `state` to a fixed point in place; returns the passes made, the last one without a flip included."""
    overlaps = patterns.T @ state
    for passes in range(1, max_passes + 1):
        flips = 0
        for i in rng.permutation(len(state)):
            column = patterns[i]
            if state[i] * (column @ f(overlaps - column * state[i])) < 0:
                overlaps -= (2 * state[i]) * column
                state[i] = -state[i]
                flips += 1
        if flips == 0:
            return passes
    return max_passes


def tutorial_rate(num_neurons, num_patterns, model, rng, budget):
    """Proposed flips, each judged by two whole energies; interactions per second."""
    kind, _, parameter = model.partition(":")
    if kind == "exponential":
        separation = lambda x: np.exp(float(parameter) * (x - num_neurons))
    else:
        separation = lambda x: x ** int(parameter or 2)
    energy = lambda state: -np.sum(separation(patterns @ state))
    patterns = rng.choice([-1.0, 1.0], size=(num_patterns, num_neurons))
    state = patterns[0].copy()
    updates = 0
    start = time.process_time()
    while (seconds := time.process_time() - start) < budget or updates == 0:
        i = rng.integers(num_neurons)
        flipped = state.copy()
        flipped[i] = -flipped[i]
        if energy(flipped) < energy(state):
            state = flipped
        updates += 1
    return num_patterns * updates / seconds


def main():
    num_neurons, num_patterns, model = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    alpha, budget = float(sys.argv[4]), float(sys.argv[5])
    rng = np.random.default_rng(1)
    f = field_function(model, num_neurons)
    passes = trials = 0
    seconds = 0.0
    while seconds < budget:
        bits = rng.integers(0, 2, (num_neurons, num_patterns), dtype=np.int8)
        patterns = (2 * bits - 1).astype(np.float32)
        state = np.where(rng.random(num_neurons) < alpha, patterns[:, 0], -patterns[:, 0])
        start = time.process_time()
        passes += recall(patterns, state, f, rng)
        seconds += time.process_time() - start
        trials += 1
    rate = num_neurons * num_patterns * passes / seconds
    tutorial = tutorial_rate(num_neurons, num_patterns, model, rng, 0.25 * budget)
    print(json.dumps({"interactions": rate, "passes": passes / trials, "trials": trials, "tutorial": tutorial}))


if __name__ == "__main__":
    main()
