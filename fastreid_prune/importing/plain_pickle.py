"""Reading a pickle that holds numpy arrays and plain containers, without unpickling it.

``pickletools`` parses the stream; the few operations that make up arrays, numbers, text, lists, tuples and
dictionaries are carried out here, on inert stand-ins. Nothing that the stream names is imported or called, so
there is nothing to execute, an array's bytes are measured against its shape before numpy sees either, and what a
stream makes by using one part of it again and again is held against its size.
"""

import io
import pickletools
import warnings
from pathlib import Path
from typing import Any, BinaryIO

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.importing.plain_values import (
    Callee,
    Dtype,
    EmptyArray,
    Refused,
    callee,
    expect,
    make_array,
    plain_keys,
    update,
)

MAX_BYTES = 256 << 20
MAX_OPERATIONS = 5_000_000
# bytes that a stream may make of its own, 64 an entry of a container: several times its size, and what little ones need
_GROWTH, _FREE_BYTES, _ENTRY_BYTES = 8, 64 << 20, 64


def read_plain_pickle(path: Path) -> Any:
    """The object in the pickle at ``path``: numpy arrays, numbers, text, lists, tuples, sets, dictionaries.

    Raises:
        FastreidPruneError: the file holds anything else, is damaged, or is larger than 256 MiB.
    """
    try:
        with open(path, "rb") as file:
            return load_plain(file, str(path))
    except OSError as error:
        raise FastreidPruneError(f"{path}: cannot be read ({error.strerror or error}).") from error


def load_plain(file: BinaryIO, where: str) -> Any:
    """As :func:`read_plain_pickle`, from a file at its current position; ``where`` names it in messages."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FastreidPruneError(f"{where}: larger than {MAX_BYTES >> 20} MiB, which no such list is.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _Machine().run(data)
    except Refused as refused:
        raise FastreidPruneError(
            f"{where}: the pickle holds more than arrays and plain containers ({refused}); nothing was "
            "executed. Do not open this file with other tools; ask its publisher for arrays alone."
        ) from None
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError) as error:
        what = f"{type(error).__name__}: {error!s:.100}"
        raise FastreidPruneError(f"{where}: this is no whole pickle ({what}).") from None


_LITERALS = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING BINBYTES "
    "SHORT_BINBYTES BINBYTES8 BYTEARRAY8 UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8".split()
)
_CONSTANTS = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}


class _Machine:
    """The stack machine of the pickle format, as far as arrays and plain containers need it."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.budget = 0

    def spend(self, count: int) -> None:
        """Account for ``count`` bytes that the stream makes."""
        self.budget -= count
        if self.budget < 0:
            raise Refused("it grows to many times its size")

    def spend_on(self, values: tuple) -> None:
        """Account for a call's arguments: text is copied, containers become other ones."""
        text = sum(len(value) for value in values if isinstance(value, (str, bytes, bytearray)))
        entries = sum(
            len(value) for value in values if isinstance(value, (list, tuple, set, frozenset, dict))
        )
        self.spend(text + _ENTRY_BYTES * (entries + 1))

    def run(self, data: bytes) -> Any:
        self.budget = _FREE_BYTES + _GROWTH * len(data)
        for count, (opcode, argument, _) in enumerate(pickletools.genops(io.BytesIO(data))):
            if count > MAX_OPERATIONS:
                raise Refused(f"more than {MAX_OPERATIONS} operations")
            name = opcode.name
            if name == "STOP":
                break
            if name in _LITERALS:
                self.stack.append(argument)
            elif name in _CONSTANTS:
                self.spend(_ENTRY_BYTES)
                self.stack.append(_CONSTANTS[name]())
            elif name in ("PROTO", "FRAME"):
                continue
            else:
                operation = getattr(self, f"do_{name.lower()}", None)
                if operation is None:
                    raise Refused(f"operation {name}")
                operation(argument)
        result = self.stack.pop()
        if isinstance(result, (Callee, Dtype, EmptyArray)) or self.stack or self.marks:
            raise ValueError("the stream ends in the middle")
        return result

    def since_mark(self) -> list[Any]:
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def do_mark(self, _: None) -> None:
        self.marks.append(len(self.stack))

    def do_pop(self, _: None) -> None:
        self.stack.pop()

    def do_pop_mark(self, _: None) -> None:
        self.since_mark()

    def do_dup(self, _: None) -> None:
        self.stack.append(self.stack[-1])

    def do_list(self, _: None) -> None:
        self.stack.append(self.since_mark())

    def do_append(self, _: None) -> None:
        item = self.stack.pop()
        expect(list, self.stack[-1]).append(item)

    def do_appends(self, _: None) -> None:
        items = self.since_mark()
        expect(list, self.stack[-1]).extend(items)

    def do_tuple(self, _: None) -> None:
        self.stack.append(tuple(self.since_mark()))

    def do_tuple1(self, _: None) -> None:
        self.last(1)

    def do_tuple2(self, _: None) -> None:
        self.last(2)

    def do_tuple3(self, _: None) -> None:
        self.last(3)

    def last(self, count: int) -> None:
        if len(self.stack) < count:
            raise ValueError("a tuple of nothing")
        items = tuple(self.stack[-count:])
        self.stack[-count:] = [items]

    def do_dict(self, _: None) -> None:
        items = self.since_mark()
        self.stack.append({})
        update(self.stack[-1], items)

    def do_setitem(self, _: None) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        update(self.stack[-1], [key, value])

    def do_setitems(self, _: None) -> None:
        items = self.since_mark()
        update(self.stack[-1], items)

    def do_additems(self, _: None) -> None:
        items = self.since_mark()
        expect(set, self.stack[-1]).update(plain_keys(items))

    def do_frozenset(self, _: None) -> None:
        self.stack.append(frozenset(plain_keys(self.since_mark())))

    def do_put(self, key: int) -> None:
        self.memo[key] = self.stack[-1]
        if isinstance(self.stack[-1], EmptyArray):
            self.stack[-1].memo_keys.append(key)

    do_binput = do_long_binput = do_put

    def do_memoize(self, _: None) -> None:
        self.do_put(len(self.memo))

    def do_get(self, key: int) -> None:
        self.stack.append(self.memo[key])

    do_binget = do_long_binget = do_get

    def do_global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(callee(module, name))

    def do_stack_global(self, _: None) -> None:
        name, module = expect(str, self.stack.pop()), expect(str, self.stack.pop())
        self.stack.append(callee(module, name))

    def do_reduce(self, _: None) -> None:
        arguments = expect(tuple, self.stack.pop())
        self.spend_on(arguments)
        self.stack.append(expect(Callee, self.stack.pop()).apply(*arguments))

    def do_build(self, _: None) -> None:
        state, target = expect(tuple, self.stack.pop()), self.stack.pop()
        self.spend_on(state)
        if isinstance(target, Dtype):
            target.set_state(state)
            self.stack.append(target)
        elif isinstance(target, EmptyArray):
            _, shape, dtype, fortran, raw = state
            array = make_array(raw, dtype, shape, "F" if fortran else "C")
            for key in target.memo_keys:
                self.memo[key] = array
            self.stack.append(array)
        else:
            raise Refused(f"the state of a {type(target).__name__}")
