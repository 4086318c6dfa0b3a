#!/bin/bash
# Runs every fuzz target that is built for a while, from its seeds; stops at the first input that breaks one.
#   tests/fuzz/run.sh build/fuzz SECONDS [TARGET…]
set -euo pipefail
here=$(realpath "$(dirname "$0")")
build=$(realpath "$1")
seconds=$2
shift 2
[ $# -gt 0 ] || set -- npy npz safetensors idx table matlab cifar grid spec model result
for target in "$@"; do
  mkdir -p "$build/corpus/$target"
  longest=4096
  seeds=("$here/corpus/$target")
  case $target in
    cifar) longest=10000 ;;  # three records
    matlab) export ASAN_OPTIONS=allocator_may_return_null=1 ;;  # matio asks for what damaged sizes say; the guard answers
    model) seeds+=("$here/../../experiments/models") ;;
    spec) seeds+=("$here/../../experiments/specs") ;;
  esac
  echo "$target: $seconds s"
  # A minute without an answer is a hang; less may be a busy machine.
  # Memory: the readers are granted 16 MiB; a single larger allocation is a finding.
  "$build/tests/fuzz/${target}_fuzz" -max_total_time="$seconds" -timeout=60 -malloc_limit_mb=64 -rss_limit_mb=1024 -max_len="$longest" \
    -close_fd_mask=3 -print_final_stats=1 -artifact_prefix="$build/finding-$target-" "$build/corpus/$target" "${seeds[@]}" \
    2>"$build/$target.log" || { tail -n 40 "$build/$target.log"; exit 1; }
  grep -E 'number_of_executed_units|peak_rss_mb' "$build/$target.log"
done
rm -f /dev/shm/dambench-fuzz-*
