"""Pickles from strangers: numpy arrays and plain containers are read, anything else is refused.

Two passes. The first looks at the operations as ``pickletools`` parses them and carries none out: operations that
arrays and plain containers do not need are refused, and the memory that the others take is summed up beforehand (one
byte of a pickle can make a set of 216). The second pass is Python's own unpickler, in which every name leads to a
function of :mod:`.pickled_arrays` or is refused.
"""

import io
import pickle
import pickletools
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.pickled_arrays import Budget, Dtype, Refused, functions

MAX_BYTES = 64 << 20
MAX_OPERATIONS = 5_000_000


def read_plain_pickle(path: Path) -> Any:
    """The object in the pickle at ``path``: numpy arrays, numbers, text, lists, tuples, sets, dictionaries.

    Nothing that the file names is imported or called.

    Raises:
        FastreidPruneError: the file holds anything else, is damaged, or is larger than 64 MiB.
    """
    try:
        with open(path, "rb") as file:
            return load_plain(file, str(path))
    except OSError as error:
        raise FastreidPruneError(f"{path}: cannot be read ({error.strerror or error}).") from error


def load_plain(file: BinaryIO, where: str) -> Any:
    """As :func:`read_plain_pickle`, from a file at its current position; ``where`` names it in messages.

    >>> load_plain(io.BytesIO(pickle.dumps({"outliers": [3, 5]})), "lists.pickle")
    {'outliers': [3, 5]}
    >>> load_plain(io.BytesIO(pickle.dumps(print)), "lists.pickle")
    Traceback (most recent call last):
    ...
    fastreid_prune.errors.FastreidPruneError: lists.pickle: the pickle holds more than arrays and plain containers \
(it names 'builtins.print'); nothing was executed. Do not open this file with other tools; ask its publisher for \
arrays alone.
    """
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FastreidPruneError(f"{where}: larger than {MAX_BYTES >> 20} MiB, which no such list is.")
    budget = Budget.for_size(len(data))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _check_operations(data, budget)
            result = _PlainUnpickler(data, budget).load()
    except Refused as refused:
        raise FastreidPruneError(
            f"{where}: the pickle holds more than arrays and plain containers ({refused}); nothing was "
            "executed. Do not open this file with other tools; ask its publisher for arrays alone."
        ) from None
    except (
        *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError),
        *(pickle.UnpicklingError, EOFError, SystemError),
    ) as error:
        what = f"{type(error).__name__}: {error!s:.100}"
        raise FastreidPruneError(f"{where}: this is no whole pickle ({what}).") from None
    if isinstance(result, Dtype) or callable(result):
        raise FastreidPruneError(f"{where}: this is no whole pickle (it ends in the middle).")
    return result


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, data: bytes, budget: Budget):
        # arrays that Python 2 pickled have their bytes as its text
        super().__init__(io.BytesIO(data), encoding="latin-1")
        self._functions = functions(budget)

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """The function that stands for ``module.name`` here."""
        if (module, name) not in self._functions:
            raise Refused(f"it names {ascii(f'{module}.{name}'[:200])}")
        return self._functions[module, name]


# what an operation leaves on the stack, as far as it matters to those after it
_LITERALS = {
    **dict.fromkeys("INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT".split(), "plain"),
    **dict.fromkeys("NONE NEWTRUE NEWFALSE STRING BINSTRING SHORT_BINSTRING".split(), "plain"),
    **dict.fromkeys("UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8".split(), "plain"),
    **dict.fromkeys("BINBYTES SHORT_BINBYTES BINBYTES8".split(), "plain"),
    **{"BYTEARRAY8": "bytearray", "GLOBAL": "function"},
    **{"EMPTY_TUPLE": "tuple", "EMPTY_LIST": "list", "EMPTY_DICT": "dict", "EMPTY_SET": "set"},
}
_PUTS, _GETS = frozenset(("PUT", "BINPUT", "LONG_BINPUT")), frozenset(("GET", "BINGET", "LONG_BINGET"))
# how many values an operation takes from the stack (None: those since the mark), and what it makes of them
_MAKERS: dict[str, tuple[int | None, str]] = {
    **{"TUPLE1": (1, "tuple"), "TUPLE2": (2, "tuple"), "TUPLE3": (3, "tuple"), "TUPLE": (None, "tuple")},
    **{"LIST": (None, "list"), "DICT": (None, "dict"), "FROZENSET": (None, "frozenset")},
    **{"REDUCE": (2, "made"), "STACK_GLOBAL": (2, "function")},
}
# how many values an operation takes, and what may be under them to take them in
_FILLERS: dict[str, tuple[int | None, tuple[str, ...]]] = {
    **{"APPEND": (1, ("list",)), "APPENDS": (None, ("list",)), "ADDITEMS": (None, ("set",))},
    **{"SETITEM": (2, ("dict", "made")), "SETITEMS": (None, ("dict", "made")), "BUILD": (1, ("made",))},
}
# bytes that CPython takes for what an operation makes, and for a place in a container or on the stack
_SIZES = {
    **{"EMPTY_LIST": 56, "EMPTY_DICT": 64, "EMPTY_SET": 216, "FROZENSET": 216, "DICT": 232, "LIST": 56},
    **{"SETITEM": 232, "SETITEMS": 232, "APPEND": 32, "REDUCE": 64, "TUPLE": 56},
    **{"TUPLE1": 56, "TUPLE2": 64, "TUPLE3": 72},
}
_PLACE = 16


def _check_operations(data: bytes, budget: Budget) -> None:
    """Refuse a stream that does more than make plain containers and arrays, or makes too much."""
    stack: list[str] = []
    marks: list[int] = []
    memo: dict[int, str] = {}
    argument: Any
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        name = opcode.name
        if count > MAX_OPERATIONS:
            raise Refused(f"more than {MAX_OPERATIONS} operations")
        budget.spend(_PLACE + _SIZES.get(name, 0))
        if name in _LITERALS:
            budget.spend(sys.getsizeof(argument))
            stack.append(_LITERALS[name])
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in _PUTS:
            if argument > count:
                raise Refused("it remembers values at places that it has no use for")
            memo[argument] = stack[-1]
        elif name in _GETS:
            stack.append(memo[argument])
        elif name == "MARK":
            marks.append(len(stack))
        elif name in _MAKERS:
            takes, kind = _MAKERS[name]
            items = _taken(stack, takes, marks)
            budget.spend(_PLACE * len(items))
            _check_keys(name, items, budget)
            if name == "REDUCE" and items != ["function", "tuple"]:
                raise Refused("a call of something that is no function")
            stack.append(kind)
        elif name in _FILLERS:
            takes, targets = _FILLERS[name]
            items = _taken(stack, takes, marks)
            budget.spend(_PLACE * len(items))
            _check_keys(name, items, budget)
            if stack[-1] not in targets:
                raise Refused(f"operation {name} on a {stack[-1]}")
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise Refused(f"operation {name}")
    if len(stack) != 1 or marks:
        raise ValueError("it ends in the middle")


def _taken(stack: list[str], count: int | None, marks: list[int]) -> list[str]:
    start = marks.pop() if count is None else len(stack) - count
    if start < (marks[-1] if marks else 0) or start > len(stack):
        raise ValueError("it takes more values than there are")
    items = stack[start:]
    del stack[start:]
    return items


def _check_keys(name: str, items: list[str], budget: Budget) -> None:
    """Keys and elements of sets are few and plain, so that hashing them is cheap (a tuple's hash is not kept)."""
    if name in ("DICT", "SETITEM", "SETITEMS"):
        keys = items[::2]
    elif name in ("ADDITEMS", "FROZENSET"):
        keys = items
    else:
        return
    budget.spend_keys(len(keys))
    if not {"plain", "made"}.issuperset(keys):
        raise Refused("other keys than text and numbers")
