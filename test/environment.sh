# Sourced by utils/test.sh: what every test may find in its environment.
#
# Part of mho, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# The reference models, where they lie beside the checkout.
if [ -z "${MHO_MODELS-}" ] && [ -d ../shared/models ]; then
  MHO_MODELS=$(cd ../shared/models && pwd)
  export MHO_MODELS
fi

# Sanitizers, in a build that has them: LLVM's library was built without, so its
# allocators do not tell what they hand out; undefined behaviour fails a test. A
# finding ends by a signal: exit code 1 is what tests expect where a file is
# refused.
export ASAN_OPTIONS=${ASAN_OPTIONS-allow_user_poisoning=0:abort_on_error=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS-halt_on_error=1:print_stacktrace=1:abort_on_error=1}
