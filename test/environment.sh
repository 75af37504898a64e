# Sourced by utils/test.sh: what every test may find in its environment.
#
# Part of mho, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# The reference models, where they lie beside the checkout.
if [ -z "${MHO_MODELS-}" ] && [ -d ../shared/models ]; then
  MHO_MODELS=$(cd ../shared/models && pwd)
  export MHO_MODELS
fi
