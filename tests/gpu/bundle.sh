#!/usr/bin/env bash
# bundle.sh BUILD FOLDER: what device_check.sh needs, with its libraries, for a machine that has a card and little else.
set -euo pipefail
build=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/lib" "$folder/system"
programs=("$build/experiments/dam" "$build/experiments/ham" "$build/tests/gpu_tests" "$build/tests/card_perf" "$build/tests/network_perf")
for program in "${programs[@]}"; do
  strip -o "$folder/bin/$(basename "$program")" "$program"
done
# What belongs to the system's loader goes apart: a machine newer than this one has its own.
ldd "${programs[@]}" | awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\/.*ld-linux/ {print $1}' | sort -u | while read -r library; do
  case $(basename "$library") in
    ld-linux*|libc.so*|libm.so*|libdl.so*|libpthread.so*|librt.so*|libresolv.so*|libstdc++.so*|libgcc_s.so*) cp -L "$library" "$folder/system/" ;;
    *) cp -L "$library" "$folder/lib/" ;;
  esac
done
for library in libdl.so.2 libpthread.so.0 librt.so.1; do cp -L "/lib/x86_64-linux-gnu/$library" "$folder/system/"; done
cp "$here/device_check.sh" "$folder/"
mkdir "$folder/models"
cp "$here"/../../experiments/models/*.toml "$folder/models/"
cp "$here/../fixtures/mnist_small.h5" "$folder/"
du -sh "$folder"
