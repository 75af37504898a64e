#!/usr/bin/env bash
# Builds ONNX's C++ library (static, against the system's protobuf) into the user cache and prints its prefix.
# Keyed by version and compiler; a finished build is left alone. Usage: third_party/onnx.sh [python]
set -euo pipefail
version=1.23.2
here=$(cd "$(dirname "$0")" && pwd)
python=${1:-python3}
cxx=${CXX:-clang++-22}
cc=${CC:-clang-22}
key=onnx-$version-$(basename "$cxx")-$("$cxx" -dumpfullversion -dumpversion)-protobuf$(protoc --version | awk '{print $2}')
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mho
prefix=$cache/$key
if [ -f "$prefix/.done" ]; then
  echo "$prefix"
  exit 0
fi
mkdir -p "$cache"
# One builder at a time; whoever waited finds the finished prefix.
exec 9>"$cache/$key.lock"
flock 9
if [ -f "$prefix/.done" ]; then
  echo "$prefix"
  exit 0
fi
work=$(mktemp -d "$cache/build-$key.XXXXXX")
trap 'rm -rf "$work"' EXIT
{
  archive=$cache/onnx-$version.tar.gz
  if [ ! -f "$archive" ]; then
    "$python" -m pip download -q "onnx==$version" --no-binary onnx --no-deps -d "$work"
    mv "$work/onnx-$version.tar.gz" "$archive"
  fi
  tar -xzf "$archive" -C "$work"
  source=$work/onnx-$version
  # It asks for CMake 3.26 and builds with the 3.25 that Debian has.
  sed -i -E 's/cmake_minimum_required\(VERSION 3\.26\)/cmake_minimum_required(VERSION 3.25)/' "$source/CMakeLists.txt"
  # What the importer spends in this library is little, so it is compiled quickly.
  cmake -S "$source" -B "$work/b" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG" \
    -DCMAKE_PROJECT_INCLUDE="$here/onnx-headers.cmake" \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_STANDARD=17 \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_INSTALL_PREFIX="$work/prefix" \
    -DBUILD_SHARED_LIBS=OFF -DONNX_BUILD_PYTHON=OFF -DONNX_USE_PROTOBUF_SHARED_LIBS=ON
  ninja -C "$work/b" onnx onnx_proto
  cmake --install "$work/b"
  rm -rf "$prefix"
  mv "$work/prefix" "$prefix"
  touch "$prefix/.done"
} >&2
echo "$prefix"
