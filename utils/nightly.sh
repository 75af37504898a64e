#!/usr/bin/env bash
# What is too slow for every change: the long tests, all tests again with
# AddressSanitizer and UBSan, and the fuzz targets for five minutes each.
#
# Part of mho, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
cd "$(dirname "$0")/.." || exit 1
code=0
utils/test.sh --long || code=1
utils/test.sh --preset=asan || code=1
utils/fuzz.sh 300 || code=1
exit $code
