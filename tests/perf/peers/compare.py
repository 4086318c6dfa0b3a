"""Runs local_fields_perf and the NumPy peer side by side, case by case, and prints the table of dam/README.md.

usage: /usr/bin/python3 tests/perf/peers/compare.py build/perf/tests/local_fields_perf [case …]

Rates are effective interactions per second of processor time on one core: N·K·(passes, the last one included) over the
time of a whole trial. NumPy's trials do not count drawing and first overlaps. Each case measures NumPy, the kernels and
NumPy again, and takes NumPy's better run. Exit code 1 when a case misses its target.
"""

import json
import os
import pathlib
import subprocess
import sys

CASES = {  # name: (N, K, model, alpha, ratio to NumPy to reach)
    "a": (256, 100_000, "dense:4", 0.9, 30),
    "b": (1024, 25_000, "dense:3", 0.9, 30),
    "c": (512, 64, "hopfield", 0.9, 300),
    "d": (128, 270_000, "dense:5", 0.95, 60),
    "e": (48, 20_000, "exponential:0.5", 0.95, 25),
}
PEER = pathlib.Path(__file__).with_name("numpy_recall.py")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def numpy_rate(case):
    arguments = [str(value) for value in CASES[case][:4]]
    output = subprocess.run([sys.executable, PEER, *arguments, "0.5"], env=ENVIRONMENT, check=True, capture_output=True)
    return json.loads(output.stdout)["interactions"]


def kernel_results(program, case):
    # No OMP_NUM_THREADS here: one row uses two threads.
    arguments = [program, f"--benchmark_filter=^{case}/", "--benchmark_format=json"]
    output = subprocess.run(arguments, check=True, capture_output=True)
    rows = json.loads(output.stdout)["benchmarks"]
    return {row["name"].removesuffix("/real_time").split("/", 1)[1].split("/min_time")[0]: row for row in rows}


def main():
    program, wanted = sys.argv[1], sys.argv[2:] or list(CASES)
    print("| case | N | K | model | NumPy 10⁹/s | fastest kernel 10⁹/s | ratio (target) | other kernels 10⁹/s |"
          " of popcount limit | draw / overlaps / fields / flips | 2 threads | over full energies |")
    print("|---" * 12 + "|")
    missed = False
    for case in wanted:
        num_neurons, num_patterns, model, _, target = CASES[case]
        before = numpy_rate(case)
        rows = kernel_results(program, case)
        numpy = max(before, numpy_rate(case))
        trials = {name.split("/")[1]: row["interactions"] for name, row in rows.items() if name.startswith("trial/")}
        fastest = next(iter(trials))
        others = ", ".join(f"{name} {rate / 1e9:.3g}" for name, rate in trials.items() if name != fastest)
        shares = rows["shares"]
        phases = " / ".join(f"{shares[phase]:.0%}" for phase in ("draw", "overlaps", "fields", "flips"))
        rate = trials[fastest]
        limit = rate / rows["popcount_limit"]["interactions"]
        scaling = rows["threads/2"]["interactions"] / rows["threads/1"]["interactions"]
        tutorial = rate / rows["full_energy"]["interactions"]
        missed |= rate < target * numpy
        print(f"| {case} | {num_neurons} | {num_patterns} | {model} | {numpy / 1e9:.3g} | {fastest} {rate / 1e9:.3g} |"
              f" **{rate / numpy:.0f}×** ({target}×) | {others} | {limit:.0%} | {phases} | {scaling:.2f}× |"
              f" {tutorial:.0f}× |", flush=True)
    sys.exit(missed)


if __name__ == "__main__":
    main()
