"""The errors that a person can act on."""

import difflib
from collections.abc import Iterable


class FastreidPruneError(Exception):
    """Something in the input or the environment is wrong, and the message says what and what to do.

    Commands print the message without a traceback and exit with status 2. Anything else that escapes is a bug.
    """


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence with the nearest of the known names, to be put behind a message; empty where none is near.

    Example:
        >>> did_you_mean("entropi", ["entropy", "random"])
        " Did you mean 'entropy'?"
        >>> did_you_mean("xyz", ["entropy", "random"])
        ''
    """
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {ascii(near[0])}?" if near else ""
