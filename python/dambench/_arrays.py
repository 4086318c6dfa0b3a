"""What people bring, as arrays that the library takes: C order, native bytes, five element types."""

from __future__ import annotations

from typing import Any

import numpy as np

_KINDS = {"b": "booleans", "i": "integers", "u": "integers", "f": "real numbers"}


def as_array(values: Any, name: str) -> np.ndarray:
    """`values` (NumPy, PyTorch, JAX, lists; any integer, float or bool type, byte order, strides) without a copy where
    its layout allows.

    Raises TypeError for other element types and for tensors that are not in main memory.
    """
    if isinstance(values, np.ndarray):
        array = values
    elif hasattr(values, "__dlpack__"):
        detached = values.detach() if hasattr(values, "detach") else values
        try:
            array = np.from_dlpack(detached)
        except (BufferError, RuntimeError, TypeError) as error:
            raise TypeError(f"{name}: cannot be read from main memory ({error})") from None
    else:
        array = np.asarray(values)
    if array.dtype.kind not in _KINDS:
        raise TypeError(f"{name}: holds {array.dtype}; numbers or booleans are accepted")
    return np.ascontiguousarray(_known_type(array)) if array.ndim else _known_type(array)


def _known_type(array: np.ndarray) -> np.ndarray:
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "b":
        return array.view(np.uint8) if array.flags.c_contiguous else array.astype(np.uint8)
    if kind == "f":
        return array.astype(np.float32 if size <= 4 else np.float64, copy=False)
    if kind == "u" and size > 1:
        # a -1 that was stored without a sign is the largest number there is
        signed = array.astype(np.int64)
        signed[array == np.iinfo(array.dtype).max] = -1
        return signed
    return array if size == 1 else array.astype(np.int64, copy=False)
