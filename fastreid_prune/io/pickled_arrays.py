"""What a pickle of arrays and plain containers may call: functions of our own in the place of numpy's.

numpy's own trust their arguments: a type's state that lies about what its elements are makes numpy follow pointers
out of a file. Here a type is text of a known pattern, and an array's bytes are measured against its shape first.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

_DTYPE = re.compile(r"([biuf])([1248])|([US])([0-9]{1,6})|O8?")
MAX_KEYS = 10_000
_LAST_CHARACTER = 0x10FFFF
_PLAIN = (bool, int, float, str, bytes, type(None))
# bytes of an entry in a sparse set or dictionary
_ENTRY_BYTES = 80
# what a stream may make in memory: several times its size, what small ones need, and never more than this
_GROWTH, _FREE_BYTES, _MOST_BYTES = 32, 64 << 20, 512 << 20


class Refused(Exception):
    """Something in the stream that arrays and plain containers do not need."""


@dataclass
class Budget:
    """What a stream may still make.

    Attributes:
        left: bytes of memory.
        keys: how many keys of dictionaries and elements of sets it has made.
    """

    left: int
    keys: int = 0

    @classmethod
    def for_size(cls, size: int) -> "Budget":
        """Of a stream of ``size`` bytes."""
        return cls(min(_MOST_BYTES, _FREE_BYTES + _GROWTH * size))

    def spend(self, count: int) -> None:
        """Account for ``count`` bytes."""
        self.left -= count
        if self.left < 0:
            raise Refused("it grows to many times its size")

    def spend_keys(self, count: int) -> None:
        """Account for ``count`` keys or elements of sets; a stream can choose them so that each meets all others."""
        self.keys += count
        if self.keys > MAX_KEYS:
            raise Refused(f"more than {MAX_KEYS} keys of dictionaries and elements of sets")


@dataclass
class Dtype:
    """The type of an array's elements: numbers, text or plain objects."""

    code: str
    order: str = "<"

    def __setstate__(self, state: tuple) -> None:
        """Take the byte order out of a numpy dtype's state; fields and subarrays are refused."""
        if len(state) < 5 or state[1] not in ("<", ">", "|", "=") or any(state[2:5]):
            raise Refused("an array of other than numbers and text")
        self.order = "<" if state[1] == "=" else state[1]


class _Array(np.ndarray):
    """An array that its state fills, once the state is found to fit."""

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, raw = state
        shape, kind, raw = _checked(raw, dtype, shape)
        # numpy takes a bool of Python, and no other
        super().__setstate__((1, shape, kind, bool(fortran), raw))  # type: ignore[arg-type]


def _checked(raw: Any, dtype: Any, shape: Any) -> tuple[tuple[int, ...], np.dtype, Any]:
    """Shape, type and bytes (or objects) of an array, once they are found to fit each other."""
    if not isinstance(dtype, Dtype):
        raise ValueError("the type of an array is none")
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if len(shape) > 32 or not all(type(n) is int and 0 <= n < 1 << 40 for n in shape):
        raise ValueError("no shape of an array")
    size = math.prod(shape)
    if dtype.code.startswith("O"):
        if not isinstance(raw, list) or len(raw) != size or not all(isinstance(one, _PLAIN) for one in raw):
            raise Refused("an array of other objects than numbers and text")
        return shape, np.dtype(object), raw
    kind = np.dtype(dtype.order + dtype.code)
    raw = raw.encode("latin-1") if isinstance(raw, str) else raw
    if not isinstance(raw, (bytes, bytearray)) or not kind.itemsize or len(raw) != size * kind.itemsize:
        raise ValueError("the bytes of an array do not fit its shape")
    if kind.kind == "U" and (np.frombuffer(raw, f"{kind.str[0]}u4") > _LAST_CHARACTER).any():
        raise ValueError("characters that do not exist")
    return shape, kind, bytes(raw)


def _array(raw: Any, dtype: Any, shape: Any, order: Any = "C") -> np.ndarray:
    if order not in ("C", "F"):
        raise ValueError("no order of an array")
    array = _reconstruct()
    array.__setstate__((1, shape, dtype, order == "F", raw))
    return array


def _reconstruct(*_: Any) -> np.ndarray:
    return np.ndarray.__new__(_Array, (0,), np.int8)


def _dtype(code: Any, *_: Any) -> Dtype:
    if not isinstance(code, str) or not _DTYPE.fullmatch(code):
        raise Refused("an array of other than numbers and text")
    return Dtype(code)


def _scalar(dtype: Any, raw: Any) -> Any:
    if not isinstance(dtype, Dtype) or dtype.code.startswith("O"):
        raise Refused("an object")
    return _array(raw, dtype, (1,)).tolist()[0]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1") or not isinstance(text, str):
        raise Refused("an encoding")
    return text.encode("latin-1")


def _bytes(text: Any = "", *encoding: Any) -> bytes:
    return bytes(text) if isinstance(text, bytes) else _encode(text, *encoding)


def _elements(items: Any = ()) -> list[Any]:
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, _PLAIN) for item in items):
        raise Refused("a set of other than numbers and text")
    return list(items)


def _pairs(items: Any = ()) -> dict[Any, Any]:
    keys = _elements([pair[0] for pair in items])
    return dict(zip(keys, [pair[1] for pair in items], strict=True))


def _refuse_call(*_: Any) -> None:
    raise Refused("a call of numpy.ndarray")


_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _refuse_call,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _pairs,
}
for _module in ("numpy.core", "numpy._core"):
    for _file in ("multiarray", "numeric"):
        _FUNCTIONS[f"{_module}.{_file}", "_reconstruct"] = _reconstruct
        _FUNCTIONS[f"{_module}.{_file}", "scalar"] = _scalar
        _FUNCTIONS[f"{_module}.{_file}", "_frombuffer"] = _array
for _module in ("builtins", "__builtin__"):
    _FUNCTIONS[_module, "set"] = lambda *items: set(_elements(*items))
    _FUNCTIONS[_module, "frozenset"] = lambda *items: frozenset(_elements(*items))
    _FUNCTIONS[_module, "bytes"] = _FUNCTIONS[_module, "bytearray"] = _bytes


def functions(budget: Budget) -> dict[tuple[str, str], Callable[..., Any]]:
    """(module, name) as in a pickle -> the function that stands for it; each call is charged to the budget."""

    def charged(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        hashes = name in ("set", "frozenset", "OrderedDict")

        def call(*arguments: Any) -> Any:
            for value in arguments:
                if isinstance(value, (str, bytes, bytearray, list, tuple)):
                    budget.spend(len(value))
                if hashes and isinstance(value, (list, tuple)):
                    budget.spend(_ENTRY_BYTES * len(value))
                    budget.spend_keys(len(value))
            return function(*arguments)

        return call

    return {key: charged(key[1], function) for key, function in _FUNCTIONS.items()}
