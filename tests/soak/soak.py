"""soak.py DAM HAM MINUTES: long mixed runs under a memory limit must not grow.

Two programs run side by side. One searches capacities of many models, rules, orders and sizes at once, more precisely
than the time allows, so that every round visits all of them; the other trains a small network without end. Their
resident memory is sampled every second from a fifth of the time on, when every workspace has seen its largest K, to the
time limit; the slope of a straight line through it is what is judged.

Two things may grow and are kept out of the way, not out of the bound: what is measured stays in memory (some 500 bytes
a batch), so --cues makes batches long; and after the time limit the theories' columns of the result are computed (some
tens of MB, once).
"""
import pathlib
import subprocess
import sys
import tempfile
import time

LIMIT_MB = 400
MOST_GROWTH = 0.5  # MB a minute
HERE = pathlib.Path(__file__).parent
SEARCH = """--threads 2 --max-memory 300M --max-patterns 4096 --precision 0.001 --trials 1000000000 --cues 256 --beta 0.2,0.5,0.9
  --sweep size=48,128,192\\ model=hopfield,dense:3,dense:4,exponential:0.3,modern:0.5\\ alpha=0.9,0.7
  --sweep size=64\\ model=rectified:3\\ alpha=0.9\\ rule=derivative,energy\\ order=random,sequential,synchronous
"""
MODEL = """name = "soak"
dynamics = {depth = 3, time_step = 0.4, clamped = ["image"], readout = "label"}
layer = [{name = "image", shape = [784], lagrangian = "tanh"}, {name = "label", shape = [10], lagrangian = "softmax"}]
synapse = [{name = "memory", kind = "dense_hidden", connects = ["image", "label"], hidden = 100}]
"""
TRAINING = f"--data {HERE.parent}/fixtures/mnist_small.h5 --batch 50 --epochs 100000 --threads 1"


class Run:
    """A program under a memory limit, and what it held when."""

    def __init__(self, name, command, out, minutes):
        self.name, self.out, self.samples = name, out, []
        line = f"ulimit -v {LIMIT_MB * 1024}; exec {command} --quiet --time-limit {minutes}min --out {out}"
        self.process = subprocess.Popen(["sh", "-c", " ".join(line.split("\n"))], stdout=subprocess.DEVNULL)

    def sample(self, minute):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                self.samples.append((minute, int(line.split()[1]) / 1024))

    def slope(self):
        count = len(self.samples)
        mean_x, mean_y = (sum(point[i] for point in self.samples) / count for i in (0, 1))
        return (sum((x - mean_x) * (y - mean_y) for x, y in self.samples) /
                sum((x - mean_x) ** 2 for x, _ in self.samples))

    def judge(self):
        code = self.process.wait()
        (begin, first), (end, last), growth = self.samples[0], self.samples[-1], self.slope()
        print(f"{self.name}: exit code {code}, {len(self.samples)} samples over {end - begin:.1f} minutes, resident "
              f"{first:.1f} MB to {last:.1f} MB, most {max(m for _, m in self.samples):.1f} MB, "
              f"slope {1024 * growth:.1f} KB a minute; file {self.out.stat().st_size / 1e6:.2f} MB", flush=True)
        return code == 3 and growth <= MOST_GROWTH


def main():
    dam, ham = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    minutes = float(sys.argv[3])
    with tempfile.TemporaryDirectory(dir=None) as directory:
        here = pathlib.Path(directory)
        (here / "soak.toml").write_text(MODEL)
        start = time.monotonic()
        runs = [Run("dam capacity", f"{dam} capacity {SEARCH}", here / "search.h5", minutes),
                Run("ham train", f"{ham} train --model {here}/soak.toml {TRAINING}", here / "trained.h5", minutes)]
        while (minute := (time.monotonic() - start) / 60) < minutes - 1 / 60:
            for run in runs:
                if minute > minutes / 5:
                    run.sample(minute)
            time.sleep(1)
        kept = [run.judge() for run in runs]
    sys.exit(not all(kept))


main()
