"""What fastreid's configuration says of a mistake, so that it can be acted on."""

import difflib
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.compat.patch import Patch, always
from fastreid_prune.plugin.shipped import find_config

_KEY = re.compile(r"[A-Z][A-Z0-9_]*(\.[A-Z0-9_]+)*")


def _explain_mistakes() -> None:
    from fastreid.config import CfgNode

    for name in ("merge_from_file", "merge_from_other_cfg", "merge_from_list"):
        setattr(CfgNode, name, _explaining(getattr(CfgNode, name)))


def _explaining(merge: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a ``merge_from_…`` method of CfgNode.

    An unknown key is answered with the nearest known one, a value of another type with the key, a list of options
    that does not come in pairs with the one that is out of place.
    """

    @functools.wraps(merge)
    def wrapped(self: Any, given: Any, *args: Any, **kwargs: Any) -> Any:
        if merge.__name__ == "merge_from_list":
            check_pairs(given)
        if merge.__name__ == "merge_from_file":
            given = find_config(given)
        try:
            return merge(self, given, *args, **kwargs)
        except FastreidPruneError:
            raise
        except FileNotFoundError as error:
            if not error.filename:
                raise FastreidPruneError(
                    "--config-file: none was read. Options are read from the first argument on that is none of the "
                    "script's own, so it comes before them; --resume takes no path: it goes on from the last "
                    "checkpoint in OUTPUT_DIR."
                ) from error
            raise FastreidPruneError(
                f"{error.filename}: no such configuration file. Give --config-file the path to one, such as "
                "configs/Market1501/score_R50.yml; what _BASE_ names is looked for beside the file that names it."
            ) from error
        except (KeyError, AssertionError, ValueError) as error:
            text = str(error.args[0]) if error.args else ""
            message, _, key = text.rpartition(":")
            key = key.strip().rstrip(".")
            if not _KEY.fullmatch(key):
                raise
            if isinstance(error, ValueError):
                raise FastreidPruneError(f"{key}: {_mismatch(error, message)}") from error
            nearest = difflib.get_close_matches(key, keys_of(self), n=1, cutoff=0.0)[0]
            raise FastreidPruneError(
                f"{key}: no such configuration key. The nearest one is {nearest}."
            ) from error

    return wrapped


def check_pairs(options: Sequence[Any]) -> None:
    """Refuse options that are not ``KEY value KEY value …``.

    Raises:
        FastreidPruneError: naming the first one that is out of place.

    >>> check_pairs(["SOLVER.MAX_EPOCH", 3])
    >>> check_pairs(["SOLVER.MAX_EPOCH"])
    Traceback (most recent call last):
    fastreid_prune.errors.FastreidPruneError: SOLVER.MAX_EPOCH: no value is given for it. Options are pairs, KEY value.
    """
    for place in range(0, len(options), 2):
        key = str(options[place])
        if not _KEY.fullmatch(key):
            before = f" after {options[place - 2]} {options[place - 1]}" if place else ""
            raise FastreidPruneError(
                f"{key!r}: a configuration key, such as SOLVER.MAX_EPOCH, was expected here{before}. Options are "
                "pairs, KEY value; --resume takes no path: it goes on from the last checkpoint in OUTPUT_DIR."
            )
        if place + 1 == len(options):
            raise FastreidPruneError(f"{key}: no value is given for it. Options are pairs, KEY value.")


def keys_of(node: Mapping[str, Any], prefix: str = "") -> list[str]:
    """All keys of a configuration, ``SOLVER.MAX_EPOCH`` and so on."""
    keys = []
    for name, value in node.items():
        path = f"{prefix}{name}"
        keys.extend(keys_of(value, f"{path}.") if isinstance(value, Mapping) else [path])
    return keys


def _mismatch(error: ValueError, message: str) -> str:
    found = re.search(
        r"\(<class '(.*?)'> vs\. <class '(.*?)'>\) with values \((.*) vs\. (.*)\)", str(error), re.DOTALL
    )
    if found is None:
        return f"{message.strip()}."
    expected, given, example, value = found.groups()
    comma = f" A tuple of one has a comma: ({value!r},)." if (expected, given) == ("tuple", "str") else ""
    return f"{value} ({given}) found, {expected} expected, such as {example}.{comma}"


PATCH = Patch(
    name="config-mistakes",
    breaks="a mistyped key or value, or an odd number of options, ends in a traceback of yacs",
    versions="all",
    needed=always,
    apply=_explain_mistakes,
)
