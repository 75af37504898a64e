#!/usr/bin/env bash
# From a clone to a compiled model on a modelled chip: installs what is missing,
# builds, compiles the digits network for HERMES, runs it exactly and with every
# effect of the chip after a day of drift, and prints what came out.
#
# Part of mho, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -euo pipefail
cd "$(dirname "$0")/.."

utils/setup.sh
[ -x build/release/bin/mho-run ] || echo "demo: building into build/release (minutes the first time)" >&2
utils/build.sh mhoc mho-run

out=build/demo
mkdir -p "$out"
.venv/bin/python examples/digits/data.py "$out"

# Shows a command, then runs it; what it prints is in the reports too.
step() {
  printf '$ %s\n' "$*"
  PATH=build/release/bin:$PATH "$@" >"$out/log.txt"
}

step mhoc examples/digits/digits.onnx --target=hermes --shape=batch=1 \
  --calibrate="$out/calibration.npz" -o "$out/digits.mho"
step mho-run "$out/digits.mho" --input "$out/test.npz" --ideal \
  --metric=accuracy:labels --report "$out/ideal.json"
step mho-run "$out/digits.mho" --input "$out/test.npz" --noise=all --time=1d --instances=5 \
  --metric=accuracy:labels --report "$out/report.json" --report "$out/report.html"
.venv/bin/python utils/demo_summary.py "$out/ideal.json" "$out/report.json"
