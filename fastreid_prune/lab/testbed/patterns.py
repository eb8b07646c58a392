"""Which pattern of wrong labels to plant, and how much of each: ``uniform:0.05,tracklet:0.05``."""

from collections.abc import Mapping

from fastreid_prune.errors import FastreidPruneError

UNIFORM, PATTERNED, TRACKLET, SPLIT, MERGE = PATTERNS = ("uniform", "patterned", "tracklet", "split", "merge")
# the most that may be asked for in all: more of it would leave an identity without a majority of its own images
_MOST = 0.5


def parse_patterns(text: str, share: float = 0.1) -> dict[str, float]:
    """The share of each pattern in ``text``.

    Shares of ``uniform``, ``patterned`` and ``tracklet`` are of the images, those of ``split`` and ``merge`` of the
    identities.

    Args:
        text: one pattern, or several with a colon and a share each, separated by commas.
        share: of a pattern that is given without one.

    Raises:
        FastreidPruneError: an unknown pattern, one that is named twice, or shares that are none.

    >>> parse_patterns("tracklet")
    {'tracklet': 0.1}
    >>> parse_patterns("uniform:0.05,tracklet:0.02")
    {'uniform': 0.05, 'tracklet': 0.02}
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition(":")
        if name not in PATTERNS:
            raise FastreidPruneError(
                f"The pattern {name!r} is not known: give one of {', '.join(PATTERNS)}, or several with a share each, "
                "as in uniform:0.05,tracklet:0.05."
            )
        if name in shares:
            raise FastreidPruneError(f"The pattern {name!r} is given twice in {text!r}: give it once.")
        try:
            shares[name] = float(value) if value else share
        except ValueError as error:
            raise FastreidPruneError(
                f"The share {value!r} of the pattern {name!r} is no number: write it as in {name}:0.05."
            ) from error
    check_shares(shares)
    return shares


def check_shares(shares: Mapping[str, float]) -> None:
    """Refuse shares that cannot be planted.

    Raises:
        FastreidPruneError: a share below 0, or more than half in all.
    """
    if min(shares.values(), default=0.0) < 0 or sum(shares.values()) > _MOST:
        asked = ", ".join(f"{name}:{share:g}" for name, share in shares.items())
        raise FastreidPruneError(
            f"Wrong labels of {asked} were asked for: give shares from 0, of {_MOST:g} together at most."
        )
