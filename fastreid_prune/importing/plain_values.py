"""What a pickle of arrays and plain containers may name, carried out on inert stand-ins. See plain_pickle."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAX_ENTRIES = 1000
_DTYPE = re.compile(r"([biuf])([1248])|([US])([0-9]{1,6})|O8?")
_LAST_CHARACTER = 0x10FFFF
_PLAIN = (bool, int, float, str, bytes, type(None))


class Refused(Exception):
    """Something in the stream that arrays and plain containers do not need."""


@dataclass
class Callee:
    """A function that the stream names, by what it means here."""

    apply: Callable[..., Any]


@dataclass
class Dtype:
    """The type of an array's elements: numbers, text or plain objects."""

    code: str
    order: str = "<"

    def set_state(self, state: tuple) -> None:
        """Take the byte order out of a numpy dtype's state; fields and subarrays are refused."""
        if len(state) < 5 or state[1] not in ("<", ">", "|", "=") or any(state[2:5]):
            raise Refused("an array of other than numbers and text")
        self.order = "<" if state[1] == "=" else state[1]


@dataclass
class EmptyArray:
    """An array between its creation and the state that fills it."""

    memo_keys: list[int] = field(default_factory=list)


def expect(kind: type | tuple[type, ...], value: Any) -> Any:
    """``value``, if it is of this kind; else the stream is damaged (ValueError)."""
    if not isinstance(value, kind):
        raise ValueError(f"found a {type(value).__name__} in the wrong place")
    return value


def plain_keys(items: list[Any]) -> list[Any]:
    """Keys of a dictionary or elements of a set: few and plain, so that hashing them is cheap."""
    items = list(expect((list, tuple), items))
    if len(items) > MAX_ENTRIES or not all(isinstance(item, _PLAIN) for item in items):
        raise Refused(f"a dictionary or set of more than {MAX_ENTRIES} entries, or with other keys than text")
    return items


def update(target: Any, items: list[Any]) -> None:
    """Put ``key, value, key, value, ...`` into a dictionary."""
    keys = plain_keys(items[::2])
    if len(items) % 2 or len(expect(dict, target)) + len(keys) > 2 * MAX_ENTRIES:
        raise ValueError("a dictionary of odd size")
    target.update(zip(keys, items[1::2], strict=True))


def _dtype(code: Any, *_: Any) -> Dtype:
    if not isinstance(code, str) or not _DTYPE.fullmatch(code):
        raise Refused("an array of other than numbers and text")
    return Dtype(code)


def make_array(raw: Any, dtype: Any, shape: Any, order: Any = "C") -> np.ndarray:
    """The array of these bytes (or objects), once they are found to fit its shape."""
    dtype = expect(Dtype, dtype)
    shape = (shape,) if isinstance(shape, int) else expect(tuple, shape)
    if (
        len(shape) > 32
        or not all(type(n) is int and 0 <= n < 1 << 40 for n in shape)
        or order not in ("C", "F")
    ):
        raise ValueError("no shape of an array")
    size = math.prod(shape)
    if dtype.code.startswith("O"):
        if (
            not isinstance(raw, list)
            or len(raw) != size
            or not all(isinstance(value, _PLAIN) for value in raw)
        ):
            raise Refused("an array of other objects than numbers and text")
        array = np.empty(size, object)
        array[:] = raw
        return array.reshape(shape, order=order)
    kind = np.dtype(dtype.order + dtype.code)
    raw = raw.encode("latin-1") if isinstance(raw, str) else raw
    if not isinstance(raw, (bytes, bytearray)) or not kind.itemsize or len(raw) != size * kind.itemsize:
        raise ValueError("the bytes of an array do not fit its shape")
    array = np.frombuffer(raw, kind)
    if kind.kind == "U" and (array.view(f"{kind.str[0]}u4") > _LAST_CHARACTER).any():
        raise ValueError("characters that do not exist")
    return array.reshape(shape, order=order)


def _scalar(dtype: Any, raw: Any) -> Any:
    if expect(Dtype, dtype).code.startswith("O"):
        raise Refused("an object")
    return make_array(raw, dtype, (1,)).tolist()[0]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise Refused("an encoding")
    return expect(str, text).encode("latin-1")


def _bytes(*arguments: Any) -> bytes:
    if not arguments:
        return b""
    return _encode(*arguments) if isinstance(arguments[0], str) else bytes(expect(bytes, arguments[0]))


def _pairs(*arguments: Any) -> dict:
    result: dict = {}
    for pair in expect(list, arguments[0]) if arguments else []:
        update(result, list(expect((list, tuple), pair)))
    return result


def _refuse_call(*_: Any) -> None:
    raise Refused("a call of numpy.ndarray")


def _multiarray(name: str) -> list[tuple[str, str]]:
    return [
        (f"numpy.{core}.{module}", name) for core in ("core", "_core") for module in ("multiarray", "numeric")
    ]


_CALLEES: dict[tuple[str, str], Callable[..., Any]] = {
    **dict.fromkeys(_multiarray("_reconstruct"), lambda *_: EmptyArray()),
    **dict.fromkeys(_multiarray("scalar"), _scalar),
    **dict.fromkeys(_multiarray("_frombuffer"), make_array),
    ("numpy", "ndarray"): _refuse_call,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _pairs,
}
for _builtins in ("builtins", "__builtin__"):
    _CALLEES[_builtins, "set"] = lambda items=(): set(plain_keys(items))
    _CALLEES[_builtins, "frozenset"] = lambda items=(): frozenset(plain_keys(items))
    _CALLEES[_builtins, "bytes"] = _CALLEES[_builtins, "bytearray"] = _bytes


def callee(module: str, name: str) -> Callee:
    """What the stream means by ``module.name``."""
    if (module, name) not in _CALLEES:
        raise Refused(f"it names {ascii(f'{module}.{name}'[:200])}")
    return Callee(_CALLEES[module, name])
