#!/usr/bin/env bash
# Formats the sources as the tests demand: clang-format-22 for C++, ruff for
# Python. With --diff nothing is written; what would change is printed and the
# exit code is 1.
# Usage: utils/format.sh [--diff] [cpp|python]
#
# Part of mho, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -euo pipefail
cd "$(dirname "$0")/.."

diff=
if [ "${1-}" = --diff ]; then
  diff=1
  shift
fi
which=${1:-all}
code=0

if [ "$which" != python ]; then
  mapfile -t files < <(find include lib tools test python -name '*.cpp' -o -name '*.h' | sort)
  if [ -z "$diff" ]; then
    clang-format-22 -i "${files[@]}"
  else
    # Finding the few files that differ is one process; showing how, one each.
    while read -r file; do
      code=1
      diff -u --label "$file" --label "$file, formatted" \
        "$file" <(clang-format-22 "$file") || true
    done < <(clang-format-22 --dry-run "${files[@]}" 2>&1 |
      sed -nE 's/^([^:]+):[0-9]+:[0-9]+: warning: code should be clang-formatted.*/\1/p' | sort -u)
  fi
fi

if [ "$which" != cpp ]; then
  if [ -z "$diff" ]; then
    .venv/bin/ruff format --quiet .
    .venv/bin/ruff check --quiet --fix . || code=1
  else
    .venv/bin/ruff format --quiet --diff . || code=1
  fi
fi
exit $code
