"""NumPy arrays and what crosses to the runtime: {name of the type, shape, bytes}.

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from collections.abc import Mapping

import ml_dtypes
import numpy as np

_TYPES = {
    "bool": np.bool_,
    "i8": np.int8,
    "u8": np.uint8,
    "i16": np.int16,
    "u16": np.uint16,
    "i32": np.int32,
    "u32": np.uint32,
    "i64": np.int64,
    "u64": np.uint64,
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f32": np.float32,
    "f64": np.float64,
    "f8e4m3fn": ml_dtypes.float8_e4m3fn,
    "f8e5m2": ml_dtypes.float8_e5m2,
    "f8e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "f8e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "f8e8m0": ml_dtypes.float8_e8m0fnu,
    "f6e2m3": ml_dtypes.float6_e2m3fn,
    "f6e3m2": ml_dtypes.float6_e3m2fn,
    "f4e2m1": ml_dtypes.float4_e2m1fn,
    "i4": ml_dtypes.int4,
    "u4": ml_dtypes.uint4,
    "i2": ml_dtypes.int2,
    "u2": ml_dtypes.uint2,
}
_NAMES = {np.dtype(dtype): name for name, dtype in _TYPES.items()}
# The runtime keeps these sign-extended in their byte, ml_dtypes does not.
_SIGN_EXTENDED = ("i4", "i2")


def dtype_of(name: str) -> np.dtype:
    """The NumPy type of a type's name in the instruction set."""
    return np.dtype(_TYPES[name])


def to_native(array) -> tuple[str, tuple[int, ...], np.ndarray]:
    array = np.asarray(array)
    native = array.dtype.newbyteorder("=")
    name = _NAMES.get(native)
    if name is None:
        raise TypeError(f"arrays of type {array.dtype} are not supported")
    flat = np.ascontiguousarray(array, native).reshape(-1)
    if name in _SIGN_EXTENDED:
        flat = flat.astype(np.int8)
    return name, array.shape, flat.view(np.uint8)


def from_native(name: str, shape: list[int], data: np.ndarray) -> np.ndarray:
    if name in _SIGN_EXTENDED:
        return data.view(np.int8).astype(_TYPES[name]).reshape(shape)
    return data.view(_TYPES[name]).reshape(shape)


def all_to_native(arrays: Mapping) -> dict:
    return {str(name): to_native(array) for name, array in arrays.items()}
