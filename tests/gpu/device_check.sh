#!/usr/bin/env bash
# device_check.sh [OUT]: everything that needs a card, on a machine with one. Correctness first, then timings; a table
# at the end, JSON and logs in OUT (default: device_check).
#
# In a build tree it takes what `make build` left there; beside bin/ and lib/ (as `make gpu-bundle` packs it) it needs
# nothing else of the machine than the card's driver. DAMBENCH_CHECK_SECONDS (0.5) is the length of a timing.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-device_check}
mkdir -p "$out"
seconds=${DAMBENCH_CHECK_SECONDS:-0.5}
launch=()

if [ -d "$here/bin" ]; then
  bin=$here/bin models=$here/models digits=$here/mnist_small.h5
  export LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  # An older machine than the one that built this: its own loader would miss symbols, ours takes ours.
  if ! "$bin/dam" help >/dev/null 2>&1; then
    export LD_LIBRARY_PATH=$here/system:$LD_LIBRARY_PATH
    launch=("$here/system/ld-linux-x86-64.so.2")
  fi
else
  build=$here/../../build/release
  bin=$out/bin
  mkdir -p "$bin"
  models=$here/../../experiments/models digits=$here/../fixtures/mnist_small.h5
  for program in experiments/dam experiments/ham tests/gpu_tests tests/card_perf tests/network_perf; do
    ln -sf "$(realpath "$build/$program")" "$bin/"
  done
fi
failed=0
results=()

# step NAME SECONDS COMMAND…: runs it within its time, keeps what it prints, and the verdict for the end.
step() {
  local name=$1 limit=$2 begin=$SECONDS
  shift 2
  timeout "$limit" "$@" >"$out/$name.log" 2>&1
  local code=$?
  [ $code -eq 0 ] || failed=1
  results+=("$(printf '%-28s %-8s %4ds' "$name" "$([ $code -eq 0 ] && echo ok || echo "FAILED($code)")" $((SECONDS - begin)))")
  echo "${results[-1]}"
}
skip() { results+=("$(printf '%-28s SKIPPED  (%s)' "$1" "$2")"); }

nvidia-smi >"$out/nvidia-smi.txt" 2>&1
step selftest 120 "${launch[@]}" "$bin/dam" selftest --device cuda
# The same tables, whoever measures: a success curve and a search.
for device in cpu cuda; do
  dam=("${launch[@]}" "$bin/dam")
  step curve-$device 60 "${dam[@]}" curve --size 128 --degree 4 --alpha 0.9 --num-patterns 12000,16000,20000 \
    --trials 320 --quiet --device $device --out "$out/curve-$device.h5"
  step capacity-$device 60 "${dam[@]}" capacity --size 96,128 --degree 4 --alpha 0.9 --beta 0.5 --precision 0.1 \
    --quiet --device $device --out "$out/capacity-$device.h5"
done
step curve-same 5 diff "$out/curve-cpu.log" "$out/curve-cuda.log"
step capacity-same 5 diff "$out/capacity-cpu.log" "$out/capacity-cuda.log"
# The same training on both, which rounding alone tells apart; its file is read on the other.
for device in cpu cuda; do
  step train-$device 60 "${launch[@]}" "$bin/ham" train --model "$models/hn_relu_mnist.toml" --data "$digits" --epochs 6 \
    --batch 100 --quiet --device $device --out "$out/train-$device.h5"
done
step eval-cuda 30 "${launch[@]}" "$bin/ham" eval "$out/train-cpu.h5" --data "$digits" --device cuda
step tests 120 "${launch[@]}" "$bin/gpu_tests" "[card]"
if command -v compute-sanitizer >/dev/null; then
  step memcheck 60 compute-sanitizer --tool memcheck --error-exitcode 9 "${launch[@]}" "$bin/gpu_tests" "[sanitize]"
  step racecheck 60 compute-sanitizer --tool racecheck --error-exitcode 9 "${launch[@]}" "$bin/gpu_tests" "[sanitize]"
else
  skip memcheck "no compute-sanitizer"
  skip racecheck "no compute-sanitizer"
fi
step timings 200 "${launch[@]}" "$bin/card_perf" --json "$out/timings.json" --seconds "$seconds"
step network-timings 150 "${launch[@]}" "$bin/network_perf" "$models" --json "$out/networks.json"

echo
echo "== device check =="
printf '%s\n' "${results[@]}"
tail -n 3 "$out/selftest.log"
for run in train-cpu train-cuda eval-cuda; do grep -E "best|last|plain|zoomed" "$out/$run.log" | sed "s/^/$run: /"; done
cat "$out/timings.log" "$out/network-timings.log"
exit $failed
