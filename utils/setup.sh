#!/usr/bin/env bash
# Installs what building and testing need and is missing: Debian packages, the
# Python packages in .venv, ONNX's C++ library in the user's cache. Finished
# steps are recognised without the network, so a second run takes a second.
#
# Part of mho, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

# Runs a command with its output in a log that is shown only if it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

install_packages() {
  command -v dpkg-query >/dev/null ||
    fail "this is not a Debian system; install what utils/packages.txt lists"
  local wanted installed missing=()
  mapfile -t wanted < <(grep -vE '^[[:space:]]*(#|$)' utils/packages.txt)
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' \
    "${wanted[@]}" 2>/dev/null | sed -n 's/ installed$//p' || true)
  local package
  for package in "${wanted[@]}"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get)
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
      apt=(sudo "${apt[@]}")
    else
      say "these packages are missing, and installing them needs root:"
      printf '  apt-get install --no-install-recommends %s\n' "${missing[*]}" >&2
      exit 1
    fi
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  quietly "${apt[@]}" update ||
    say "apt-get update failed; trying with the package lists that are here"
  quietly "${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install them (Debian 12 with its security archive has all)"
}

# The first python3 that is at least 3.11 and can make a virtual environment.
find_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import sys, venv, ensurepip
sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$python"
      return 0
    fi
  done
  fail "no python3 of version 3.11 or later with venv was found"
}

install_python_packages() {
  if [ -d .venv ] && ! .venv/bin/python -c '' 2>/dev/null; then
    say "the python of .venv is gone; making it again"
    rm -rf .venv
  fi
  if [ ! -d .venv ]; then
    local python
    python=$(find_python)
    say "making .venv with $python"
    quietly "$python" -m venv .venv || fail "could not make .venv"
  fi
  local stamp=.venv/installed-requirements.txt
  cmp -s utils/requirements.txt "$stamp" && return 0
  say "installing Python packages into .venv"
  quietly .venv/bin/python -m pip install --disable-pip-version-check \
    --requirement utils/requirements.txt || fail "pip could not install them"
  cp utils/requirements.txt "$stamp"
}

install_packages
install_python_packages
compgen -G "${XDG_CACHE_HOME:-$HOME/.cache}/mho/onnx-*/.done" >/dev/null ||
  say "building ONNX's C++ library, once (two to three minutes)"
quietly third_party/onnx.sh .venv/bin/python ||
  fail "ONNX's C++ library could not be built (third_party/onnx.sh)"
