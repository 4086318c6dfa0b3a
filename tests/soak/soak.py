"""soak.py DAM MINUTES: a long mixed sweep under a memory limit must not grow.

One process searches capacities of many models, rules, orders and sizes at once, more precisely than the time allows, so
that every round visits all of them (--cues makes batches long, so that the file stays small). Its resident memory is sampled every second; after a fifth of the time, when every workspace has seen its
largest K, the slope of a straight line through the rest is what is judged.
"""
import pathlib
import subprocess
import sys
import tempfile
import time

LIMIT_MB = 400
SWEEP = """capacity --threads 2 --quiet --max-memory 300M --max-patterns 4096 --precision 0.002 --trials 1000000000 --cues 64
  --sweep size=32,96\\ model=hopfield,dense:3,dense:4,exponential:0.3,modern:0.5\\ alpha=0.9,0.7
  --sweep size=48\\ model=rectified:3\\ alpha=0.9\\ rule=derivative,energy\\ order=random,sequential,synchronous
"""


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return None


def slope(points):
    count = len(points)
    mean_x, mean_y = (sum(p[i] for p in points) / count for i in (0, 1))
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def main():
    dam, minutes = pathlib.Path(sys.argv[1]).resolve(), float(sys.argv[2])
    with tempfile.TemporaryDirectory() as directory:
        command = f"exec {dam} {' '.join(SWEEP.split(chr(10)))} --time-limit {minutes}min --out {directory}/soak.h5"
        with subprocess.Popen(["sh", "-c", f"ulimit -v {LIMIT_MB * 1024}; {command}"], stdout=subprocess.DEVNULL) as run:
            start, samples = time.monotonic(), []
            while run.poll() is None:
                memory = resident_mb(run.pid)
                if memory:
                    samples.append(((time.monotonic() - start) / 60, memory))
                time.sleep(1)
        settled = [sample for sample in samples if sample[0] > minutes / 5]
        size = pathlib.Path(f"{directory}/soak.h5").stat().st_size / 1e6
    growth = slope(settled)
    print(f"exit code {run.returncode}, {len(settled)} samples over {settled[-1][0] - settled[0][0]:.1f} minutes: "
          f"resident {settled[0][1]:.1f} MB to {settled[-1][1]:.1f} MB, most {max(m for _, m in samples):.1f} MB, "
          f"slope {1024 * growth:.1f} KB a minute; file {size:.2f} MB")
    sys.exit(run.returncode != 3 or growth > 0.5)


main()
