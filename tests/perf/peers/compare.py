"""Runs local_fields_perf and the NumPy peers side by side, case by case, and prints the table of dam/README.md.

usage: /usr/bin/python3 tests/perf/peers/compare.py PROGRAM [--cases abcde] [--json FILE] [--readme FILE]

Rates are effective interactions per second of processor time on one core: N·K·(passes, the last one included) over the
time of a whole trial. NumPy's trials do not count drawing and first overlaps. Each case measures NumPy, the kernels and
NumPy again, and takes NumPy's better run. --json keeps every number of both, --readme puts the table between the
file's lines `<!-- perf -->`. Exit code 1 when a case misses its target, or when the kernel that `auto` takes is slower
than 0.9 of another one.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

CASES = {  # name: (N, K, model, alpha, ratio to NumPy to reach)
    "a": (256, 100_000, "dense:4", 0.9, 30),
    "b": (1024, 25_000, "dense:3", 0.9, 30),
    "c": (512, 64, "hopfield", 0.9, 300),
    "d": (128, 270_000, "dense:5", 0.95, 60),
    "e": (48, 20_000, "exponential:0.5", 0.95, 25),
}
THREADS_TARGET = 1.85
GUARD = 0.9
PEER = pathlib.Path(__file__).with_name("numpy_recall.py")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
HEADER = (
    "| case | N | K | model | NumPy 10⁹/s | fastest kernel 10⁹/s | ratio (target) | other kernels 10⁹/s |"
    " of popcount limit | draw / overlaps / fields / flips | 2 threads | over the tutorial |"
)


def numpy_rates(case):
    arguments = [str(value) for value in CASES[case][:4]]
    output = subprocess.run([sys.executable, PEER, *arguments, "0.5"], env=ENVIRONMENT, check=True, capture_output=True)
    return json.loads(output.stdout)


def kernel_results(program, case):
    # No OMP_NUM_THREADS here: one row uses two threads.
    arguments = [program, f"--benchmark_filter=^{case}/", "--benchmark_format=json"]
    output = subprocess.run(arguments, check=True, capture_output=True)
    document = json.loads(output.stdout)
    rows = {
        row["name"].removesuffix("/real_time").split("/", 1)[1].split("/min_time")[0]: row
        for row in document["benchmarks"]
    }
    return document["context"], rows


def measure(program, cases):
    results = {}
    for case in cases:
        before = numpy_rates(case)
        context, rows = kernel_results(program, case)
        after = numpy_rates(case)
        peer = {name: max(before[name], after[name]) for name in ("interactions", "tutorial")}
        results[case] = {"context": context, "numpy": peer, "kernels": rows}
        print(table_row(case, results[case]), flush=True)
    return results


def trial_rates(result):
    return {
        name.split("/")[1]: row["interactions"]
        for name, row in result["kernels"].items()
        if name.startswith("trial/")
    }


def table_row(case, result):
    num_neurons, num_patterns, model, _, target = CASES[case]
    numpy, rows, rates = result["numpy"], result["kernels"], trial_rates(result)
    fastest, *others = rates
    rate = rates[fastest]
    phases = " / ".join(f"{rows['shares'][phase]:.0%}" for phase in ("draw", "overlaps", "fields", "flips"))
    return (
        f"| {case} | {num_neurons} | {num_patterns} | {model} | {numpy['interactions'] / 1e9:.3g} |"
        f" {fastest} {rate / 1e9:.3g} | **{rate / numpy['interactions']:.0f}×** ({target}×) |"
        f" {', '.join(f'{name} {rates[name] / 1e9:.3g}' for name in others)} |"
        f" {rate / rows['popcount_limit']['interactions']:.0%} | {phases} | {scaling(result):.2f}× |"
        f" {rate / numpy['tutorial']:.0f}× |"
    )


def scaling(result):
    return result["kernels"]["threads/2"]["interactions"] / result["kernels"]["threads/1"]["interactions"]


def complaints(case, result):
    rates, target = trial_rates(result), CASES[case][4]
    rate = next(iter(rates.values()))  # `auto` takes the first
    if rate < target * result["numpy"]["interactions"]:
        yield f"case {case}: below {target} times NumPy"
    for name, other in rates.items():
        if rate < GUARD * other:
            yield f"case {case}: auto's kernel is {rate / other:.2f} of {name}"
    if (os.cpu_count() or 1) > 1 and scaling(result) < THREADS_TARGET:
        yield f"case {case}: two threads are below {THREADS_TARGET} of one (meaningful on an idle machine only)"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cases", default="".join(CASES))
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--readme", type=pathlib.Path)
    options = parser.parse_args()
    ruler = "|---" * (HEADER.count("|") - 1) + "|"
    print(HEADER, ruler, sep="\n")
    results = measure(options.program, options.cases)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    if options.readme:
        table = "\n".join([HEADER, ruler, *(table_row(case, result) for case, result in results.items())])
        text = options.readme.read_text()
        text, count = re.subn(
            r"(<!-- perf -->\n).*?(\n<!-- perf -->)", lambda found: found[1] + table + found[2], text, flags=re.S
        )
        if count != 1:
            sys.exit(f"{options.readme}: no two lines <!-- perf --> to put the table between")
        options.readme.write_text(text)
    found = [line for case, result in results.items() for line in complaints(case, result)]
    print(*found, sep="\n", file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
