#!/usr/bin/env bash
# Installs what is missing, checks the format, builds, runs every test, and ends
# with "N passed, N failed, N skipped". Exit code 0 only if nothing failed.
#
#   utils/test.sh [--long] [--preset=NAME]
#
#   --long         also the tests marked long (minutes each; utils/nightly.sh)
#   --preset=NAME  the CMake preset to build and test (default: release)
#
# Part of mho, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -uo pipefail
cd "$(dirname "$0")/.."

preset=release
long=
for argument; do
  case $argument in
  --long) long=1 ;;
  --preset=?*) preset=${argument#--preset=} ;;
  *)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
  esac
done

build=$PWD/build/$preset
results=$build/test-results
python=$PWD/.venv/bin/python
cores=$(nproc)

utils/setup.sh || {
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}
rm -rf "$results"
mkdir -p "$results"
. test/environment.sh

section() { printf '\n== %s\n' "$*"; }

# A check is one test: its output is shown only if it fails.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "passed $name" >>"$results/checks.txt"
  else
    echo "failed $name" >>"$results/checks.txt"
    printf '%s\nformat check failed: %s\n' "$output" "$name"
  fi
}

section "format"
check "clang-format" utils/format.sh --diff cpp
check "ruff format" utils/format.sh --diff python
check "ruff" .venv/bin/ruff check --quiet .

section "build"
if utils/build.sh "--preset=$preset"; then
  echo "passed build" >>"$results/checks.txt"

  section "unit tests"
  while read -r executable; do
    [ -n "$executable" ] || continue
    name=$(basename "$executable")
    echo "$name" >>"$results/unit.txt"
    # Without output of its own a crashed test is counted by its absence.
    "$executable" --gtest_brief=1 "--gtest_output=xml:$results/unit-$name.xml" \
      >"$results/$name.log" 2>&1 || cat "$results/$name.log"
  done <"$build/test/unit-tests.txt"

  section "lit"
  /usr/lib/llvm-22/bin/lit -q -v -j "$cores" "--output=$results/lit.json" "$build/test"

  section "pytest"
  MHO_BIN=$build/bin "$python" -m pytest test -q -n "$cores" --dist=worksteal \
    ${long:+--long} "--junitxml=$results/pytest.xml" -p no:cacheprovider
else
  echo "failed build" >>"$results/checks.txt"
fi

section "summary"
exec "$python" utils/summary.py "$results"
