#!/usr/bin/env bash
# Runs each fuzz target for a while, under AddressSanitizer and UBSan, from the
# programs, chips and models of the tests and of ONNX's operator tests. A crash
# leaves its input in build/asan/fuzz/<target>.
# Usage: utils/fuzz.sh [SECONDS each, default 300]
#
# Part of mho, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-300}
utils/setup.sh
utils/build.sh mhoc
utils/build.sh --preset=asan fuzz-program fuzz-chip fuzz-import

# The settings of the sanitizers.
. test/environment.sh
work=$PWD/build/asan/fuzz/corpus
mkdir -p "$work/program" "$work/chip" "$work/import"
cp test/Golden/*/*.mho "$work/program/"
cp lib/Chip/chips/*.yaml test/Chip/*.yaml "$work/chip/"
.venv/bin/python test/Fuzz/seeds.py "$work/import"
for model in $(sed -n 's/^def \(.*\)():$/\1/p' test/Import/ONNX/Inputs/make.py); do
  .venv/bin/python test/Import/ONNX/Inputs/make.py "$model" "$work/import/$model.onnx"
  # Some of them are there to be refused.
  for target in ideal hermes; do
    build/release/bin/mhoc "$work/import/$model.onnx" "--target=$target" \
      -o "$work/program/$model-$target.mho" 2>/dev/null || true
  done
done

code=0
for target in program chip import; do
  echo "fuzz: $target for $seconds s"
  mkdir -p "build/asan/fuzz/$target"
  "build/asan/bin/fuzz-$target" -max_total_time="$seconds" -timeout=60 \
    -rss_limit_mb=4096 -malloc_limit_mb=4096 -print_final_stats=0 -verbosity=0 \
    "-artifact_prefix=build/asan/fuzz/$target/" "$work/$target" || code=1
done
exit $code
