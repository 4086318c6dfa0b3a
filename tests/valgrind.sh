#!/bin/bash
# The main paths of the programs under valgrind: no invalid access, nothing lost.
#   tests/valgrind.sh build/release/experiments
set -euo pipefail
programs=$(realpath "$1")
fixtures=$(realpath "$(dirname "$0")/fixtures")
work=$(mktemp -d /tmp/dambench-valgrind-XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"
checked() { # PROGRAM WORDS…
  local program=$1
  shift
  # The thread pool of libgomp lives until the end: "possibly lost" is no leak of ours.
  valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
    "$programs/$program" "$@" >out.txt 2>err.txt || { echo "$program $*"; tail -n 30 err.txt; exit 1; }
  echo "clean: $program $1"
}
grid=(--size 16:40:+8 --degree 2,3 --alpha 0.9 --threads 2 --quiet)
checked dam capacity "${grid[@]}" --precision 0.3 --shard 1/2 --out 1.h5
checked dam capacity "${grid[@]}" --precision 0.3 --shard 2/2 --out 2.h5
checked dam merge 2.h5 1.h5 -o all.h5
checked dam capacity "${grid[@]}" --precision 0.3 --json --out all.h5
checked dam curve "${grid[@]}" --num-patterns 2,8 --trials 64 --out curve.h5
checked dam status all.h5 curve.h5
checked dam export all.h5
checked dam fit all.h5
checked dam theory --size 32 --degree 3
checked dam help capacity
/usr/bin/python3 -c 'import numpy; numpy.save("p.npy", 2 * numpy.random.randint(0, 2, (6, 50)).astype("int8") - 1)'
checked dam recall --patterns p.npy --cues p.npy --out recall.h5
checked dam recall --patterns recall.h5:/states --cues p.npy --out recall2.h5
cat >small.toml <<'MODEL'
name = "small"
dynamics = {depth = 2, time_step = 0.4, clamped = ["image"], readout = "label"}
layer = [{name = "image", shape = [784], lagrangian = "tanh"}, {name = "label", shape = [10], lagrangian = "softmax"}]
synapse = [{name = "memory", kind = "dense_hidden", connects = ["image", "label"], hidden = 8}]
MODEL
checked ham help train
training=(--data "$fixtures/mnist_small.h5" --threads 2 --quiet --batch 100 --epochs 1)
checked ham train --model small.toml "${training[@]}" --out trained.h5 --export-weights weights.npz
checked ham eval trained.h5
checked ham inspect --model "$fixtures/conv8_max.toml" --data "$fixtures/ham_golden.h5:/conv8_max"
