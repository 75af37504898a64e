#!/usr/bin/env bash
# Configures and builds one preset into build/<preset>. Silent but for ninja's
# status line on a terminal, unless something fails.
# Usage: utils/build.sh [--preset=NAME] [TARGET...]
#
# Part of mho, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -euo pipefail
cd "$(dirname "$0")/.."

preset=release
case ${1-} in
--preset=*)
  preset=${1#--preset=}
  shift
  ;;
esac

build=build/$preset
log=$build/build.log
mkdir -p "$build"

show_and_fail() {
  # Compiler messages first, without ninja's progress and command lines.
  grep -vE '^\[[0-9]+/[0-9]+\]|^ninja: Entering|^/usr/bin/.*ccache ' "$log" |
    tail -n 80 >&2 || true
  echo "build: $1 failed; the whole log is $log" >&2
  exit 1
}

# Where ONNX's library is follows from its version and the compiler, so a change
# of either configures anew.
prefix=$(third_party/onnx.sh .venv/bin/python 2>"$log") || show_and_fail "ONNX's library"
# The Python package is built where .venv has what it needs. (A Python without
# AddressSanitizer cannot load a module with it.)
python=
if [ "$preset" != asan ] && .venv/bin/python -c 'import nanobind' 2>/dev/null; then
  python=$PWD/.venv/bin/python
fi
if [ ! -f "$build/build.ninja" ] ||
  ! grep -qxF "MHO_ONNX_PREFIX:PATH=$prefix" "$build/CMakeCache.txt" ||
  ! grep -qxF "MHO_PYTHON:FILEPATH=$python" "$build/CMakeCache.txt"; then
  cmake --preset "$preset" "-DMHO_ONNX_PREFIX:PATH=$prefix" \
    "-DMHO_PYTHON:FILEPATH=$python" >"$log" 2>&1 ||
    show_and_fail "configuration"
fi

# An MLIR source takes up to 2 GB to compile.
cores=$(nproc)
memory=$(awk '/^MemTotal/ {print int($2 / 2000000)}' /proc/meminfo)
jobs=$((memory < cores ? (memory > 0 ? memory : 1) : cores))

# ninja's own status line is for terminals only.
if [ -t 1 ]; then
  ninja -C "$build" -j "$jobs" "$@" 2>&1 | tee "$log" |
    awk '/^\[[0-9]+\/[0-9]+\]/ { printf "\r\033[K%.78s", $0; fflush() }
         END { printf "\r\033[K" }' || show_and_fail "compilation"
else
  ninja -C "$build" -j "$jobs" "$@" >"$log" 2>&1 || show_and_fail "compilation"
fi
