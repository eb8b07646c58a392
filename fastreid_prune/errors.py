"""The errors that a person can act on."""


class FastreidPruneError(Exception):
    """Something in the input or the environment is wrong, and the message says what and what to do.

    Commands print the message without a traceback and exit with status 2. Anything else that escapes is a bug.
    """
